"""A PostgreSQL server of the tests' own, plans, studies, and a small project whose sweeps cost nothing."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import optuna
import pytest

from experiments.dispatch import dispatcher
from experiments.settings.params import Params
from experiments.settings.project import Project
from experiments.sweep import run
from experiments.sweep.plan import Backends, Plan, make_plan
from experiments.sweep.reconcile import reconcile
from experiments.sweep.run import SweepRequest, Where, run_sweep
from experiments.sweep.space import space_of
from experiments.sweep.storage import connect
from experiments.sweep.study import open_study
from experiments.training.messages import Outcome
from tests.sweep.simulated import Records, Script, ScriptedEngine, read_records, simulated, write_dataset


def _programs() -> Path | None:
    """Return the folder of PostgreSQL's programs; Debian keeps them off PATH."""
    found = [*sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))]
    if on_path := shutil.which("initdb"):
        found.append(Path(on_path))
    return found[-1].parent if found else None


@dataclass(frozen=True)
class Postgres:
    """A server in a folder of its own; `as_user`: what comes before its programs' names."""

    programs: Path
    folder: Path
    as_user: Sequence[str]

    def run(self, *words: str) -> None:
        """Run one of its programs."""
        command = [*self.as_user, f"{self.programs}/{words[0]}", "-D", f"{self.folder}/data", *words[1:]]
        subprocess.run(command, cwd=self.folder, check=True, stdout=subprocess.DEVNULL)

    def start(self) -> None:
        """Return once it takes connections."""
        options = f"-c listen_addresses= -k {self.folder} -c fsync=off"
        self.run("pg_ctl", "-w", "-l", f"{self.folder}/log", "-o", options, "start")

    def stop(self) -> None:
        """End it at once, with all of its connections."""
        self.run("pg_ctl", "-m", "immediate", "-w", "stop")

    def restart(self) -> None:
        """Be away for a moment."""
        self.stop()
        self.start()


@pytest.fixture
def postgres(monkeypatch: pytest.MonkeyPatch) -> Iterator[Postgres]:
    """TANDEM_SWEEP_STORAGE names an empty database on a server that listens on a socket in a folder of its own.

    Not in pytest's: each new pytest on this machine closes those to other users.
    """
    programs = _programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed (Debian: apt install postgresql)")
    as_user: list[str] = []
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        if not shutil.which("setpriv"):
            pytest.skip("running as root, and there is no setpriv to start PostgreSQL as another user")
        as_user = ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--init-groups"]
    with tempfile.TemporaryDirectory(prefix="postgres-") as folder:
        if as_user:
            shutil.chown(folder, "postgres")
        server = Postgres(programs, Path(folder), as_user)
        server.run("initdb", "-A", "trust", "-U", "postgres", "--no-sync", "-E", "UTF8")
        server.start()
        try:
            monkeypatch.setenv("TANDEM_SWEEP_STORAGE", f"postgresql://postgres@/postgres?host={folder}")
            yield server
        finally:
            server.stop()


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


@dataclass
class Sweep:
    """A project with small data, and sweeps in it whose workers are simulated."""

    project: Project
    params: Params
    monkeypatch: pytest.MonkeyPatch
    engine: ScriptedEngine = field(default_factory=ScriptedEngine)

    def change(self, **changes: Any) -> None:
        """Change settings of `sweep` in params.yaml."""
        self.params = self.params.model_copy(update={"sweep": self.params.sweep.model_copy(update=changes)})

    def run(
        self,
        trials: int = 3,
        *,
        script: Script | None = None,
        workers: int = 1,
        backends: Backends = "lightning",
        task: Callable[..., Outcome] = simulated,
        name: str = "s",
        take_over: bool = False,
    ) -> Records:
        """Run a sweep to its end; return the records."""
        self.prepare(script, workers)
        asked = SweepRequest("cnn3-sgd", backends, trials, name)
        run_sweep(self.project, self.params, asked, Where("inline", max(workers, 2), take_over, task))
        return self.records(name)

    def prepare(self, script: Script | None = None, workers: int = 1) -> None:
        """Let the next controller get a new engine."""
        self.engine = engine = ScriptedEngine(workers, script or (lambda task, message: None))
        self.monkeypatch.setattr(run, "make_engine", lambda *args, **settings: engine)

    def records(self, name: str = "s") -> Records:
        """Return what the stores have; the two agree."""
        assert reconcile(self.project, name, apply=False) == []
        return read_records(self.project, name)


@pytest.fixture
def sweep(project: Project, params: Params, stores: Path, monkeypatch: pytest.MonkeyPatch) -> Sweep:
    """Sweeps of two epochs a trial, without a pruner."""
    shutil.copytree(stores, project.mlruns)
    write_dataset(project.prepared)
    monkeypatch.setattr(dispatcher, "WAIT_SECONDS", 0)
    made = Sweep(project, params, monkeypatch)
    made.change(epochs=2, pruner="none", sampler="random")
    return made
