"""The controller is killed at a write, with `kill -9`, and the sweep is repeated: the stores are as if nothing was.

`make faults` kills it at every write; by default, it is a sample, another one each day.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import optuna
import pytest
from optuna.trial import FrozenTrial

from experiments.settings.project import Project
from experiments.sweep.plan import Backends, members_of
from experiments.sweep.reconcile import reconcile
from experiments.sweep.storage import connect
from tests.conftest import ROOT
from tests.sweep.faulty import COUNT, TRIALS
from tests.sweep.simulated import Records, check_steps, read_records, write_dataset

SAMPLE = 4
# Runs a sweep in a folder, with a kill at a point or without; returns the exit status.
Run = Callable[[Path, Backends, int | None], int]


def forget_store() -> None:
    """Let the next project have its own store: MLflow notes the last one's address in the environment."""
    os.environ.pop("MLFLOW_TRACKING_URI", None)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """A process that forks one for each sweep, and has imported everything already."""
    log = tmp_path_factory.mktemp("faulty") / "log"
    forget_store()
    command = [sys.executable, "-m", "tests.sweep.faulty"]
    with (
        log.open("w") as errors,
        subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True
        ) as process,
    ):
        assert process.stdin
        assert process.stdout

        def ask(folder: Path, backends: Backends, point: int | None) -> int:
            assert process.stdin
            assert process.stdout
            print(
                json.dumps({"folder": str(folder), "backends": backends, "point": point}),
                file=process.stdin,
                flush=True,
            )
            status = int(process.stdout.readline())
            if status > 0:
                pytest.fail(log.read_text()[-3000:])
            return status

        yield ask
        process.stdin.close()


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory, stores: Path) -> Path:
    """A project with data and empty stores, to be copied."""
    folder = tmp_path_factory.mktemp("empty")
    for name in ("params.yaml", "dvc.yaml"):
        shutil.copy(ROOT / name, folder)
    shutil.copytree(stores, folder / "mlruns")
    write_dataset(folder / "prepared")
    return folder


def check_records(project: Project, backends: Backends, undisturbed: Records) -> None:
    """Compare a sweep with one that wasn't killed."""
    forget_store()
    assert reconcile(project, None, apply=False) == []
    records = read_records(project, "s")
    assert records.states() == ["COMPLETE"] * TRIALS
    assert sorted(records.runs) == sorted((n, backend) for n in range(TRIALS) for backend in members_of(backends))
    for member, each in records.runs.items():
        assert (each.status, each.state) == ("FINISHED", "complete"), member
        check_steps(each, 2)
        assert each.metrics == undisturbed.runs[member].metrics
    assert records.parents == ["FINISHED"]
    assert records.best == undisturbed.best
    assert [step for step, _ in records.best[0]] == list(range(1, TRIALS + 1))
    assert not (project.sweep("s") / "trials").exists()
    assert not list(project.spool.glob("*.jsonl"))


def known_trials(project: Project) -> list[FrozenTrial]:
    """Return the trials that the study has, if it is there."""
    try:
        return optuna.load_study(study_name="s", storage=connect(project)).get_trials()
    except KeyError:
        return []


def check_point(run: Run, empty: Path, folder: Path, backends: Backends, point: int, undisturbed: Records) -> None:
    """Kill the sweep at a point, repeat it, and compare the records."""
    print(f"killed at point {point}")
    shutil.copytree(empty, folder)
    project = Project(folder, folder)
    if run(folder, backends, point) == 0:  # metrics are sent every other second: there may be a write more or less
        assert int((folder / COUNT).read_text()) <= point
        return
    before = known_trials(project)
    assert run(folder, backends, None) == 0
    after = known_trials(project)
    for trial in before:  # what was drawn stays
        assert trial.params.items() <= after[trial.number].params.items()
    # All else is drawn as if nothing had been.
    assert [trial.params for trial in after] == [trial.params for trial in undisturbed.trials]
    check_records(project, backends, undisturbed)
    shutil.rmtree(folder)


def points_of(run: Run, empty: Path, folder: Path, backends: Backends) -> tuple[int, Records]:
    """Run the sweep undisturbed; return how many points it has, and its records."""
    shutil.copytree(empty, folder)
    assert run(folder, backends, None) == 0
    forget_store()
    return int((folder / COUNT).read_text()), read_records(Project(folder, folder), "s")


@pytest.mark.parametrize("backends", ["lightning", "both"])
def test_a_controller_that_is_killed_at_some_writes_leaves_no_trace(
    run: Run, empty: Path, tmp_path: Path, backends: Backends
) -> None:
    count, undisturbed = points_of(run, empty, tmp_path / "whole", backends)
    step = count // SAMPLE
    for point in range(step // 2, count, step)[:SAMPLE]:
        check_point(run, empty, tmp_path / str(point), backends, point, undisturbed)


@pytest.mark.faults
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("backends", ["lightning", "both"])
def test_a_controller_that_is_killed_at_any_write_leaves_no_trace(
    run: Run, empty: Path, tmp_path: Path, backends: Backends
) -> None:
    count, undisturbed = points_of(run, empty, tmp_path / "whole", backends)
    wrong: dict[int, str] = {}
    for point in range(count):
        try:
            check_point(run, empty, tmp_path / str(point), backends, point, undisturbed)
        except AssertionError as error:
            wrong[point] = str(error)
    assert not wrong, f"{len(wrong)} of {count} points"
