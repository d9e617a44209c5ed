"""A storage that can't be reached is one line, and no secret is in it."""

import pytest

from experiments.settings.project import Project
from experiments.sweep.storage import VARIABLE, connect, reason_of, shown_url
from experiments.system.errors import TandemError

UNREACHABLE = [
    "postgresql://u:s3cret@127.0.0.1:9/d",
    "postgresql://u@127.0.0.1:9/d?password=s3cret",
    "postgresql://u:s3cret@h:notaport/d",
    "postgresql://u:s3cret",
    "postgresql://u@127.0.0.1:9/d?port=s3cret&password=s3cret",
    "postgresql://u:a@s3cret@127.0.0.1:9/d",
    "postgresql://u:s3cret@[::1/d",
    "postgresql:u:s3cret@h/d",
    "u:s3cret@h/d",
    "host=h password=s3cret dbname=d",
    "nodialect://u:s3cret@h/d",
]


@pytest.mark.parametrize("url", UNREACHABLE)
def test_the_password_of_a_storage_is_never_printed(
    project: Project, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv(VARIABLE, url)
    with pytest.raises(TandemError) as caught:
        connect(project)
    assert str(caught.value).startswith(f"{VARIABLE}: expected a database that can be reached")
    assert "s3cret" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("variable", [VARIABLE, "MLFLOW_TRACKING_URI"])
def test_a_reason_quotes_no_secret_of_either_store(
    project: Project, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "http://u:p%40ss@host/d")
    error = RuntimeError("no answer from http://u:p%40ss@host/d\nfor u with p@ss")
    assert reason_of(error, project) == "no answer from http://u:***@host/d for u with ***"


def test_an_address_without_a_secret_is_shown_as_it_is(project: Project) -> None:
    assert shown_url(project) == f"sqlite:///{project.mlruns / 'optuna.db'}"
    assert reason_of(OSError("disk full"), project) == "disk full"
