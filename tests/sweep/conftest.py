"""A PostgreSQL server of the tests' own, plans and studies."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import optuna
import pytest

from experiments.settings.params import Params
from experiments.settings.project import Project
from experiments.sweep.plan import Plan, make_plan, space_of
from experiments.sweep.storage import connect
from experiments.sweep.study import open_study


def _programs() -> Path | None:
    """Return the folder of PostgreSQL's programs; Debian keeps them off PATH."""
    found = [*sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))]
    if on_path := shutil.which("initdb"):
        found.append(Path(on_path))
    return found[-1].parent if found else None


@pytest.fixture
def postgres(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """TANDEM_SWEEP_STORAGE names an empty database on a server that listens on a socket in a folder of its own."""
    programs = _programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed (Debian: apt install postgresql)")
    folder = tmp_path_factory.mktemp("pg")
    as_user: list[str] = []
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        if not shutil.which("setpriv"):
            pytest.skip("running as root, and there is no setpriv to start PostgreSQL as another user")
        shutil.chown(folder, "postgres")
        for parent in (folder, *folder.parents[:3]):
            parent.chmod(parent.stat().st_mode | 0o055)
        as_user = ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--init-groups"]

    def run(*words: str) -> None:
        subprocess.run([*as_user, *words], cwd=folder, check=True, stdout=subprocess.DEVNULL)

    run(f"{programs}/initdb", "-D", f"{folder}/data", "-A", "trust", "-U", "postgres", "--no-sync", "-E", "UTF8")
    options = f"-c listen_addresses= -k {folder} -c fsync=off"
    run(f"{programs}/pg_ctl", "-D", f"{folder}/data", "-w", "-l", f"{folder}/log", "-o", options, "start")
    try:
        monkeypatch.setenv("TANDEM_SWEEP_STORAGE", f"postgresql://postgres@/postgres?host={folder}")
        yield
    finally:
        run(f"{programs}/pg_ctl", "-D", f"{folder}/data", "-m", "immediate", "-w", "stop")


MakePlan = Callable[..., Plan]


@pytest.fixture
def make(params: Params) -> MakePlan:
    """Return a plan of a sweep over cnn3-sgd, with changes."""

    def made(backends: str = "lightning", **changes: object) -> Plan:
        plan = make_plan(
            params,
            recipe="cnn3-sgd",
            backends=backends,  # type: ignore[arg-type]
            name="s",
            space=space_of(params, "cnn3-sgd"),
            dataset="data",
        )
        return replace(plan, **changes)  # type: ignore[arg-type]

    return made


@pytest.fixture
def open_plan(project: Project) -> Callable[[Plan], optuna.Study]:
    """Return the study of a plan, in SQLite."""
    return lambda plan: open_study(connect(project), plan)
