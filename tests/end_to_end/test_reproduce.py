"""Runs repeated from their MLflow record alone, three commits and a changed setting later, on the stand-in."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from mlflow.entities import Run

from experiments.reproduce.record import find_run, read_record
from experiments.reproduce.reproduce import Repetition, Wish, reproduce
from experiments.reproduce.verdict import Grade
from experiments.settings.project import Project
from experiments.settings.recipe import BackendName
from experiments.system.errors import TandemError
from experiments.system.git import changes_digest
from experiments.tracking.reader import reader_of
from tests.end_to_end.conftest import Clone

BACKENDS: tuple[BackendName, ...] = ("lightning", "keras")
SEEDS = 3


@pytest.fixture(scope="module")
def later(clone: Clone) -> Clone:
    """A pair, a sweep's trial and a confirmation with several seeds, made with an uncommitted setting; then commits."""

    def small(content: dict[str, Any]) -> None:
        content["recipes"]["mlp"] |= {"epochs": 2, "lr": 0.1}
        content["train"] |= {"recipes": ["mlp"], "threads": 1}

    clone.change_params(small)
    clone.run("dvc", "repro", "preprocess")
    for backend in BACKENDS:
        clone.run("tandem", "train", "mlp", backend, "1")
    clone.run("tandem", "sweep", "run", "--recipe", "mlp", "--backend", "lightning", "--trials", "2", "--on", "inline")
    clone.run("tandem", "sweep", "confirm", "mlp-lightning", "--top", "1", "--seeds", str(SEEDS), "--on", "inline")
    clone.change_params(lambda content: content["recipes"]["mlp"].update(lr=0.01))
    clone.commit()
    for package in ("models_torch", "models_tf"):
        file = clone.root / package / "mlp.py"
        file.write_text(file.read_text().replace("320", "321"))
        clone.commit()
    return clone


def run_of(clone: Clone, **tags: str) -> Run:
    """Return the newest run that has these tags, and isn't a trial unless they say so."""
    tags = {"trial": "none", **tags}
    return next(run for run in clone.mlflow_runs() if tags.items() <= {"trial": "none", **run.data.tags}.items())


@contextmanager
def tampered(clone: Clone, run: Run, table: str, key: str, value: str) -> Iterator[None]:
    """Have MLflow say something else of a run."""

    def write(text: str) -> None:
        with closing(sqlite3.connect(clone.root / "mlruns" / "mlflow.db")) as database, database:
            words = f"UPDATE {table} SET value = ? WHERE run_uuid = ? AND key = ?"  # noqa: S608 - a name of our own
            assert database.execute(words, (text, run.info.run_id, key)).rowcount == 1

    before = (run.data.params if table == "params" else run.data.tags)[key]
    write(value)
    yield
    write(before)


def state(clone: Clone) -> tuple[str, ...]:
    """Return all that a repetition may not change: the checkout, its ignored files, its worktrees, MLflow's store."""
    words = (("status", "--porcelain", "--ignored"), ("worktree", "list"), ("rev-parse", "HEAD"), ("diff",))
    said = [clone.run("git", *each) for each in words]
    files = [str(file) for folder in ("runs", "prepared", "mlruns") for file in (clone.root / folder).rglob("*")]
    with closing(sqlite3.connect(clone.root / "mlruns" / "mlflow.db")) as database:
        stored = list(database.iterdump())
    # SQLite's own files come and go with those who read.
    lines = [line for line in "\n".join([*said, *sorted(files)]).splitlines() if "mlflow.db-" not in line]
    return *lines, *stored


def repeat(clone: Clone, run: Run, *, threads: int | None = None, **wish: bool) -> tuple[str, Repetition | None]:
    """Do as `tandem reproduce` does, in this process; return the plan and the result."""
    lines: list[str] = []
    repetition = reproduce(Project(clone.root, clone.root), Wish(run.info.run_id, threads, **wish), lines.append)
    return "\n".join(lines), repetition


def test_the_plan_is_shown_and_changes_nothing(later: Clone) -> None:
    before = state(later)
    output = later.run("tandem", "reproduce", "mlp-keras-1", "--dry-run")
    assert "3 commit(s) ago" in output
    assert "lines of git.diff applied" in output
    assert not [line for line in output.splitlines() if line.startswith(("  warns", "  refuses"))], output
    assert "tandem train mlp keras 1" in output
    assert "epoch 1/2" not in output
    assert state(later) == before
    assert list((later.root / ".tandem" / "reproduce").iterdir()) == []


@pytest.mark.parametrize("backend", BACKENDS)
def test_three_commits_and_a_setting_later_the_bits_are_the_same(later: Clone, backend: str) -> None:
    before = state(later)
    _, repetition = repeat(later, run_of(later, backend=backend, seed="1"))
    assert repetition is not None
    verdict = repetition.verdict
    assert (verdict.grade, verdict.parted, verdict.compared, verdict.weights_known) == (Grade.SAME, (), 18, True)
    assert state(later) == before


def test_a_trial_gives_the_same_bits_without_the_test_set(later: Clone) -> None:
    run = run_of(later, sweep="mlp-lightning", trial="1")
    output = later.run("tandem", "reproduce", run.info.run_id, "--keep")
    assert "trial 1 of sweep mlp-lightning" in output
    assert "Verdict: same bits" in output
    assert "16 of 16 digests, losses and metrics are those of the record." in output
    (folder,) = (later.root / ".tandem" / "reproduce").iterdir()
    (repeated,) = Clone(folder).mlflow_runs()
    assert "test/loss" not in repeated.data.metrics
    assert repeated.data.tags["final_weights"] == run.data.tags["final_weights"]
    remove = f"git worktree remove --force {folder}"
    assert f"Next: look at them; then `{remove}`." in output
    later.run(*remove.split())
    assert (later.root / "prepared" / "training_images.npy").is_file()  # the worktree had a link to it


def test_a_trial_that_was_pruned_is_stopped_at_the_same_epoch(later: Clone) -> None:
    run = run_of(later, sweep="mlp-lightning", trial="1")
    with tampered(later, run, "tags", "trial_state", "pruned"):
        record = read_record(reader_of(Project(later.root, later.root)), run_of(later, trial_state="pruned", trial="1"))
    assert record.trial is not None
    assert record.trial.epochs == 2


def test_another_number_of_threads_is_judged_by_the_spread_of_seeds(later: Clone) -> None:
    confirmation = run_of(later, kind="confirmation").info.run_id
    run = run_of(later, trial="0", **{"mlflow.parentRunId": confirmation})
    plan, repetition = repeat(later, run, threads=2)
    assert "warns    threads    1 → 2; the bits may differ" in plan
    assert repetition is not None
    verdict = repetition.verdict
    assert verdict.grade in (Grade.SAME, Grade.WITHIN)
    assert len(verdict.seeds) >= SEEDS - 1
    recorded, now, width = verdict.finals["val/loss"]
    assert abs(now - recorded) <= width
    assert width > 0


def test_another_learning_rate_parts_at_a_loss(later: Clone) -> None:
    run = run_of(later, backend="lightning", seed="1")
    with tampered(later, run, "params", "lr", "0.11"):
        _, repetition = repeat(later, run)
    assert repetition is not None
    assert (repetition.verdict.grade, repetition.verdict.seeds) == (Grade.DIFFERS, ())
    assert str(repetition.verdict.first).startswith("loss of steps 1 to ")


def test_code_that_is_not_the_recorded_one_is_refused_and_named(later: Clone) -> None:
    run = run_of(later, backend="keras", seed="1")
    file = Path(run.info.artifact_uri.removeprefix("file://"), "git.diff")
    diff, change = file.read_text(), later.run("git", "diff", "HEAD~1", "HEAD", "--", "models_tf/mlp.py")
    file.write_text(diff + change)
    try:
        unknown, _ = repeat(later, run, dry_run=True)  # not those that the run noted
        with tampered(later, run, "tags", "git_changes", changes_digest(diff + change)):
            with pytest.raises(TandemError, match=r"^code: expected what trains to have digest .*nothing was trained"):
                repeat(later, run)
            output = later.run("tandem", "reproduce", run.info.run_id, "--anyway", code=1)
    finally:
        file.write_text(diff)
    assert "warns    changes    not recorded" in unknown
    assert "ok       code " in unknown  # only a setting had changed, and settings are on record
    assert "Verdict: differs" in output
    assert "First to part: code: " in output


def test_missing_data_are_refused_before_anything_is_trained(later: Clone) -> None:
    run, away = run_of(later, backend="keras", seed="1"), later.root / "away"
    away.mkdir()
    shutil.move(later.root / "prepared", away)
    try:
        made, _ = repeat(later, run, dry_run=True)
        shutil.move(later.root / "data", away)
        before = state(later)
        refused = later.run("tandem", "reproduce", "mlp-keras-1", code=2)
        assert state(later) == before
    finally:
        for folder in away.iterdir():
            shutil.move(folder, later.root)
        away.rmdir()
    assert "made again from data/" in made
    assert "tandem: data: expected fingerprint" in refused
    assert "dvc repro preprocess" in refused
    assert "epoch" not in refused


@pytest.mark.parametrize("asked", ["nothing", "it's", "0" * 32])
def test_a_run_that_is_not_there_is_one_line(later: Clone, asked: str) -> None:
    with pytest.raises(TandemError, match=r"^RUN: expected the id or the name of a finished run in MLflow, or STUDY"):
        find_run(reader_of(Project(later.root, later.root)), asked)


def test_a_sweep_is_no_training(later: Clone) -> None:
    with pytest.raises(TandemError, match="a training; this is a sweep; name the run of one of its trials"):
        repeat(later, run_of(later, kind="sweep"))
