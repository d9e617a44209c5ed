import pytest

from experiments.system.urls import hide_password


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
