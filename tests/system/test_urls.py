import pytest

from experiments.system.urls import hide_password, one_line


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://user:secret@host:5000/path", "http://user:***@host:5000/path"),
        ("postgresql+psycopg2://user:se@cr/et@host/db", "postgresql+psycopg2://user:***@host/db"),
        ("https://:secret@host", "https://:***@host"),
        ("mysql://host/db?password=secret&ssl=1", "mysql://host/db?***"),
        ("http://host:5000/?password=sec@ret", "http://***"),
        ("http://user:secret?x@host", "http://***"),
        ("http://user:secret", "http://user:***"),
        ("postgresql://user:12secret/db", "postgresql://user:***"),
        ("http://user:secret@host:port", "http://user:***@host:***"),
        ("http://user:secret@[::1", "http://user:***@[::1"),
        ("user:secret@host", "***"),
        ("host=h password=secret", "***"),
        ("", ""),
        ("mlruns", "mlruns"),
        ("http://127.0.0.1:5000", "http://127.0.0.1:5000"),
        ("http://[::1]:5000/a", "http://[::1]:5000/a"),
        ("sqlite:////home/me@work/mlruns/mlflow.db", "sqlite:////home/me@work/mlruns/mlflow.db"),
    ],
)
def test_no_password_is_shown(url: str, shown: str) -> None:
    assert hide_password(url) == shown


def test_a_message_is_one_line_without_the_secrets_of_its_addresses() -> None:
    error = ValueError("request to\n'http://user:secret@host:5000/api': failed, see http://docs.org.")
    assert one_line(error) == "request to 'http://user:***@host:5000/api': failed, see http://docs.org."


@pytest.mark.parametrize("message", ["invalid port: 'secr'", "no host et@host", "bad login secr/et"])
def test_a_message_with_a_part_of_a_password_is_not_shown(monkeypatch: pytest.MonkeyPatch, message: str) -> None:
    monkeypatch.setenv("TANDEM_SWEEP_STORAGE", "postgresql://user:secr/et@host/db")
    assert one_line(ValueError(message)) == "its message is not shown, since it holds a part of a password"
    assert one_line(ValueError("no database db on host")) == "no database db on host"
