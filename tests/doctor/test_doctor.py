"""What the doctor finds: each check beside a fault that was really planted."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from experiments.doctor import data, machine, places, software
from experiments.doctor.examine import CHECKS, examine, found_by
from experiments.doctor.surroundings import Look, Surroundings
from experiments.settings.params import Params, load_params
from experiments.settings.project import Project
from experiments.system import sqlite
from experiments.system.checks import Check
from experiments.system.files import read_json, write_json
from experiments.system.processes import THREAD_VARIABLES
from tests.conftest import ROOT, Change
from tests.end_to_end.conftest import nobody
from tests.sweep.simulated import write_dataset

Write = Callable[[Change], Path]


@pytest.fixture
def here(project: Project, params: Params) -> Surroundings:
    """An empty project outside of Git; no framework is asked."""
    return Surroundings(project, params, {})


def only(look: Look, here: Surroundings) -> Check:
    (found,) = look(here)
    assert bool(found.remedy) == (found.state != "ok")
    return found


def pyproject(here: Surroundings, python: str, *packages: str) -> None:
    listed = ", ".join(f'"{package}"' for package in packages)
    here.project.pyproject.write_text(f'[project]\nrequires-python = "{python}"\ndependencies = [{listed}]\n')


def test_python_is_one_that_pyproject_admits_and_that_dvc_starts(
    here: Surroundings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pyproject(here, ">=3.11")
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    assert [found.state for found in software.python(here)] == ["ok", "ok"]
    pyproject(here, ">=4")
    other = tmp_path / "bin" / "python"
    other.parent.mkdir()
    other.write_text("#!/bin/sh\necho /elsewhere\n")
    other.chmod(0o755)
    monkeypatch.setenv("PATH", str(other.parent))
    version, on_path = software.python(here)
    assert (version.state, on_path.state, on_path.found) == ("problem", "warning", "/elsewhere")
    assert "expected >=4" in version.remedy


def test_dvc_is_told_whether_there_is_git(here: Surroundings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    (here.project.root / ".dvc").mkdir()
    assert [found.state for found in software.dvc(here)] == ["ok", "problem"]
    subprocess.run(["dvc", "config", "--local", "core.no_scm", "true"], cwd=here.project.root, check=True)
    assert [found.state for found in software.dvc(here)] == ["ok"]
    subprocess.run(["git", "init", "--quiet"], cwd=here.project.root, check=True)
    dvc, told = software.dvc(here)
    assert (dvc.state, told.state) == ("ok", "warning")
    assert "there is no Git, but there is" in told.found


def test_packages_are_those_of_pyproject_and_of_the_lock(here: Surroundings) -> None:
    numpy = np.__version__
    pyproject(here, ">=3.11", "numpy>=1")
    here.project.lock.write_text(f"numpy=={numpy}\nnot-there==1 ; python_full_version < '3'\n")
    packages, lock = software.packages(here)
    assert (packages.state, lock.state) == ("ok", "ok")
    assert f"numpy {numpy}" in packages.found
    pyproject(here, ">=3.11", "numpy>=99", "not-there>=1")
    here.project.lock.write_text("aaa==1\nnumpy==0.1\n")
    packages, lock = software.packages(here)
    assert (packages.state, lock.state) == ("problem", "warning")
    assert packages.found == f"numpy {numpy}, expected >=99; not-there missing, expected >=1"
    assert lock.found == f"requirements.lock: numpy {numpy}, pinned ==0.1; aaa missing, pinned ==1"
    # On a machine with a GPU, the other lock holds.
    here.project.gpu_lock.write_text(f"numpy=={numpy}\n")
    assert list(software.packages(here))[1].found == "requirements-gpu.lock: all 1 packages as pinned"


def test_the_code_that_runs_is_that_of_the_checkout(here: Surroundings, params: Params) -> None:
    assert only(software.code, here).state == "warning"
    assert only(software.code, Surroundings(Project(ROOT, ROOT), params, {})).state == "ok"


def test_programs_that_are_missing(here: Surroundings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert only(software.git, here).found == "commit none"
    assert only(software.dvc, here).found == "not on PATH; no .dvc/ here"
    assert list(software.slurm(here)) == []
    for said, state in (("exit 1", "warning"), ("echo gpu", "ok")):
        (tmp_path / "bin" / "sinfo").write_text(f"#!/bin/sh\n{said}\n")
        (tmp_path / "bin" / "sinfo").chmod(0o755)
        assert only(software.slurm, here).state == state


def test_more_threads_than_cores(here: Surroundings, write_params: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in THREAD_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    assert only(machine.threads, here).found == "none is set"
    monkeypatch.setenv("MKL_NUM_THREADS", "1")
    assert only(machine.threads, here).state == "ok"
    for wrong in ("1000", "many", "0"):
        monkeypatch.setenv("OMP_NUM_THREADS", wrong)
        found = only(machine.threads, here)
        assert (found.state, f"OMP_NUM_THREADS={wrong}" in found.found) == ("warning", True)
        assert found.remedy.startswith("unset OMP_NUM_THREADS:")
    assert only(machine.cores, here).state == "ok"
    changed = load_params(write_params(lambda content: content["train"].update(threads=1000)))
    found = only(machine.cores, Surroundings(here.project, changed, {}))
    assert (found.state, "starts 1000 thread(s)" in found.found) == ("warning", True)


@pytest.mark.parametrize("file", ["memory.max", "memory/memory.limit_in_bytes"])
def test_a_container_s_limit_of_memory(tmp_path: Path, file: str) -> None:
    assert machine.memory_limit(tmp_path) is None
    (tmp_path / file).parent.mkdir(exist_ok=True)
    for text, limit in (("max", None), ("9223372036854771712", None), ("1000000000\n", 10**9)):
        (tmp_path / file).write_text(text)
        assert machine.memory_limit(tmp_path) == limit


@contextmanager
def another_user() -> Iterator[None]:
    """Be a user who may write nothing; root may write everything."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(before)


@pytest.mark.parametrize("fault", ["none", "a folder of another user", "a database of another user", "a file"])
def test_folders_that_cannot_be_written(params: Params, fault: str) -> None:
    with tempfile.TemporaryDirectory() as folder:  # not pytest's: other users can't even look into that
        project = Project(Path(folder), Path(folder))
        project.root.chmod(0o777)
        project.mlruns.mkdir(mode=0o777)
        database = project.mlruns / "mlflow.db"
        database.touch()
        project.mlruns.chmod(0o555 if fault == "a folder of another user" else 0o777)
        database.chmod(0o444 if fault == "a database of another user" else 0o666)
        if fault == "a file":
            project.runs.touch()
        before = sorted(project.root.rglob("*"))
        with another_user():
            found = list(places.folders(Surroundings(project, params, {})))
        assert sorted(project.root.rglob("*")) == before
        project.mlruns.chmod(0o777)
    wrong = {
        "none": ("folders", ""),
        "a folder of another user": ("folder mlruns", f"{project.mlruns}: Permission denied"),
        "a database of another user": ("mlflow.db", f"{database}: Permission denied"),
        "a file": ("folder runs", f"{project.runs}: Not a directory"),
    }
    assert [(check.what, check.found if check.state == "problem" else "") for check in found] == [wrong[fault]]


def test_stores_that_do_not_answer(here: Surroundings, monkeypatch: pytest.MonkeyPatch) -> None:
    for look in (places.runs, places.studies):
        assert "not made yet" in only(look, here).found
    address = nobody().removeprefix("http://").rstrip("/")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://user:secret@{address}")
    monkeypatch.setenv("TANDEM_SWEEP_STORAGE", f"postgresql://user:secret@{address}/db")
    for look, variable in ((places.runs, "MLFLOW_TRACKING_URI"), (places.studies, "TANDEM_SWEEP_STORAGE")):
        found = only(look, here)
        assert (found.state, "secret" in found.found) == ("problem", False)
        assert variable in found.found + found.remedy
        assert address in found.found
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "bogus://host")
    assert only(places.runs, here).state == "warning"
    assert not here.project.mlruns.exists()


def test_databases_where_they_cannot_be(here: Surroundings, stores: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(stores, here.project.mlruns)
    sqlite.set_journal(here.project.mlruns / "optuna.db")  # as the first command that writes to it does
    before = {file: file.stat().st_mtime_ns for file in here.project.mlruns.iterdir()}
    looks: tuple[Look, ...] = (places.runs, places.studies)
    assert [only(look, here).state for look in looks] == ["ok", "ok"]
    assert {file: file.stat().st_mtime_ns for file in here.project.mlruns.iterdir()} == before
    monkeypatch.setattr(sqlite, "filesystem_of", lambda folder: "nfs4")
    assert [only(look, here).found.endswith("SQLite on nfs4, journal wal") for look in looks] == [True, True]
    assert [only(look, here).state for look in looks] == ["problem", "problem"]
    (here.project.mlruns / "mlflow.db").write_text("not a database")
    assert only(places.runs, here).found.endswith("mlflow.db: no SQLite database")


def test_metrics_that_wait(here: Surroundings) -> None:
    assert only(places.spool, here).state == "ok"
    here.project.spool.mkdir(parents=True)
    (here.project.spool / "id.jsonl").write_text("\n{}\n")
    assert only(places.spool, here).found.startswith("1 run(s)")


def test_data_that_is_not_what_was_recorded(here: Surroundings, idx_folder: Path) -> None:
    assert only(data.raw, here).found == "no data.dvc"
    assert idx_folder == here.project.data
    for command in (["dvc", "init", "--no-scm", "--quiet"], ["dvc", "add", "--quiet", "data"]):
        program = Path(sys.executable).parent / command[0]
        subprocess.run([program, *command[1:]], cwd=here.project.root, check=True, capture_output=True)
    assert only(data.raw, here).found == "data/: your own, as data.dvc records"
    file = idx_folder / "t10k-labels-idx1-ubyte"
    file.unlink()  # DVC has linked it to its cache
    file.write_bytes(b"other")
    assert only(data.raw, here).found == "data/: your own, not what data.dvc records"
    shutil.rmtree(idx_folder)
    assert only(data.raw, here).found == "data/ is not there yet"


def test_prepared_data_that_is_missing_changed_or_a_stand_in(here: Surroundings) -> None:
    assert only(data.prepared, here).remedy == "`dvc repro preprocess` makes it"
    folder = here.project.prepared
    write_dataset(folder)
    assert only(data.prepared, here).state == "ok"
    write_json(folder / "dataset.json", read_json(folder / "dataset.json") | {"name": "digits"})
    assert only(data.prepared, here).state == "warning"
    np.save(folder / "test_labels.npy", np.zeros(200, np.uint8))
    (found,) = [check for check in examined(here, "prepared data") if check.what == "prepared data"]
    assert (found.state, found.remedy) == ("problem", "run `dvc repro --force preprocess`")


def examined(here: Surroundings, *names: str) -> list[Check]:
    """Return what some checks find as `examine` has it: what they raise is found, too."""
    return [found for name in names for found in found_by(name, CHECKS[name], here)]


def test_mirrors_are_asked_only_where_they_are_needed(
    here: Surroundings, write_params: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def without(fallback: str | None) -> Surroundings:
        settings = {"mirrors": [nobody()], "timeout_seconds": 0.5, "offline_fallback": fallback}
        changed = load_params(write_params(lambda content: content["data"].update(settings)))
        return Surroundings(here.project, changed, {})

    assert (only(data.mirrors, without("digits")).state, only(data.mirrors, without(None)).state) == (
        "warning",
        "problem",
    )
    monkeypatch.setenv("TANDEM_MIRROR", str(tmp_path))
    assert only(data.mirrors, without(None)).found.startswith("1 of 2 answer")
    monkeypatch.setenv("TANDEM_MIRROR", "/nowhere")
    assert only(data.mirrors, without(None)).found == "TANDEM_MIRROR=/nowhere: neither an address nor a folder"
    monkeypatch.delenv("TANDEM_MIRROR")
    here.project.data.mkdir()
    assert only(data.mirrors, without(None)).state == "ok"


def test_whatever_is_broken_is_a_line_and_nothing_is_written(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("torch", "lightning", "tensorflow", "keras"):
        broken = tmp_path / "broken" / f"{name}.py"
        broken.parent.mkdir(exist_ok=True)
        broken.write_text(f"raise ImportError('{name} was built for another processor')")
    monkeypatch.syspath_prepend(str(broken.parent))
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")  # Python's own cache beside the broken files isn't the doctor's
    project.params.write_text(project.params.read_text().replace("momentum: 0.5", "momentum: 1.2", 1))
    before = sorted(project.root.rglob("*"))
    found = {check.what: check for check in examine(project)}
    assert sorted(project.root.rglob("*")) == before
    assert found["params.yaml"].found == "params.yaml: recipes.lenet.momentum: expected less than 1; got 1.2"
    assert found["packages"].found.startswith("FileNotFoundError: ")
    for backend, package in (("lightning", "lightning"), ("keras", "keras")):
        assert f"ImportError: {package} was built for another processor" in found[backend].found
        assert found[backend].state == "problem"
    assert {check.state for check in found.values()} == {"ok", "warning", "problem"}
