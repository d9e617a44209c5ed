"""Lists of trainings whose workers are lost, fail and come back late: what they leave is that of undisturbed ones.

The workers follow the protocol and train nothing.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mlflow import MlflowClient
from mlflow.entities import Run

from experiments.contract.run_log import outputs_tag
from experiments.dispatch import dispatcher
from experiments.reports.outlook import Outlook
from experiments.reports.remote import TRAINING, FileLog, _run_id
from experiments.reports.training_runs import TrainingRuns
from experiments.reports.trainings import Trainings, Wanted
from experiments.settings.params import load_params
from experiments.settings.project import Project, RunKey
from experiments.system.errors import Stopped, TandemError
from experiments.system.files import read_json, write_atomically, write_json
from experiments.tracking import runs, store
from experiments.training.checkpoint import Checkpoint, State
from experiments.training.messages import Begun, Closing, EpochDone, Order, Outcome, Reply
from experiments.training.remote import take_over
from experiments.training.reporting import Superseded, obey
from experiments.training.training import make_training
from tests.conftest import ROOT
from tests.sweep.simulated import Fails, Fault, Running, Script, ScriptedEngine, trained, write_dataset

PARAMS = load_params(ROOT / "params.yaml")
RECIPE = "lenet"
EPOCHS = PARAMS.recipe(RECIPE).epochs
RETRIES = 2


def simulated(send: Callable[[object], Any], order: Order) -> Outcome:
    """Do what `train_completely_remotely` does, without training."""
    take_over(order)
    log, checkpoint = FileLog(order.folder), Checkpoint(order.folder)
    kept = checkpoint.load() or State("")
    weights = float(checkpoint.file.read_text()) if kept.history else 0.0
    begun = max(kept.history, default=0)
    try:
        tags = {TRAINING: "mark", "device": "cpu", **outputs_tag(order.project, order.key)}
        run_id = _run_id(send(Begun(begun, "cpu", tags, {"lr": 1}, log.take())))
        for epoch in range(begun + 1, EPOCHS + 1):
            weights = trained(weights, order, epoch)
            log.metrics([("train/loss", weights, epoch), ("train/step_loss", weights, epoch)])
            log.flush()
            obey(send(EpochDone(epoch, weights, log.take())))
            kept.history[epoch] = {"train/loss": weights}
            write_atomically(checkpoint.file, repr(weights))
            checkpoint.save(kept)
        log.text("layers", "layers.md")
        log.images("wrong.json", np.zeros((1, 28, 28, 1), np.uint8), {"number": [3]})
        log.note("what came of it")
        obey(send(Closing([("test/loss", weights, EPOCHS)], log.files)))
    except Superseded:
        return Outcome("superseded")
    write_json(order.project.run(order.key) / "run.json", {"run_id": run_id, "weights": weights})
    return Outcome("complete")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    root = tmp_path_factory.mktemp("project")
    (root / "params.yaml").write_bytes((ROOT / "params.yaml").read_bytes())
    write_dataset(root / "prepared")
    return Project(root=root, home=root).for_published()


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatcher, "WAIT_SECONDS", 0)


def make(project: Project, keys: list[RunKey], engine: ScriptedEngine) -> Trainings:
    wanted = {key: make_training(project, PARAMS, key) for key in keys}
    made = Wanted(project, wanted, "cpu", RETRIES, simulated)
    return Trainings(made, engine, TrainingRuns(store.connect(project)), Outlook(len(keys), engine.workers))


def train(project: Project, *keys: RunKey, script: Script = lambda task, message: None) -> ScriptedEngine:
    engine = ScriptedEngine(1, script)
    make(project, list(keys), engine).run()
    return engine


def run_of(project: Project, key: RunKey) -> Run:
    found = [run for run in runs.search(store.open_experiment(project), "") if run.info.run_name == key.label]
    assert len(found) == 1
    return found[0]


def check(project: Project, key: RunKey) -> None:
    """Compare with an undisturbed training."""
    run, weights, each = run_of(project, key), 0.0, list(range(1, EPOCHS + 1))
    order = make_order(project, key)
    for epoch in each:
        weights = trained(weights, order, epoch)
    assert read_json(project.run(key) / "run.json") == {"run_id": run.info.run_id, "weights": weights}
    assert run.info.status == "FINISHED"
    for name in ("train/loss", "train/step_loss"):
        history = MlflowClient().get_metric_history(run.info.run_id, name)
        assert [point.step for point in history] == each
    assert run.data.metrics["test/loss"] == run.data.metrics["train/loss"] == weights
    artifacts = [file.path for file in MlflowClient().list_artifacts(run.info.run_id)]
    assert artifacts == ["layers.md", "table_images", "wrong.json"]
    assert run.data.tags[runs.NOTE] == "what came of it"
    assert not project.attempts(key).exists()


def make_order(project: Project, key: RunKey) -> Order:
    training = make_training(project, PARAMS, key)
    return Order(project, key, training.recipe, "", training.code, "cpu", 1, 50, Path(), [], None)


def once(at: int, fault: Fault | type[BaseException]) -> Script:
    """Return a script with a fault at the report of that number, or right after it was answered."""
    count = 0

    def script(task: Running, message: Any) -> Fault:
        nonlocal count
        count += 1
        if count != at:
            return None
        if isinstance(fault, type):
            raise fault(15)
        return fault

    return script


REPORTS = range(1, EPOCHS + 3)  # Begun, each epoch, Closing


@pytest.mark.parametrize(("number", "fault"), [(1, "lose"), (2, "lose after"), (3, Fails()), (4, Stopped)])
def test_a_fault_at_any_report_changes_nothing(project: Project, number: int, fault: Any) -> None:
    for at in REPORTS:
        key = RunKey(RECIPE, "lightning", 100 * number + at)
        if fault is Stopped:
            with pytest.raises(Stopped):
                train(project, key, script=once(at, fault))
            assert run_of(project, key).info.status == "KILLED" if at > 1 else True
            train(project, key)
        else:
            train(project, key, script=once(at, fault))
        check(project, key)


def test_a_worker_loads_the_other_framework_once_nothing_else_is_left(project: Project) -> None:
    keys = [RunKey(RECIPE, backend, seed) for seed in (1, 2) for backend in ("lightning", "keras")]
    engine = train(project, *keys)
    for key in keys:
        check(project, key)
    assert [order.key.backend for order in engine.orders] == ["lightning"] * 2 + ["keras"] * 2
    assert len(engine.renewed) == 1


def test_the_same_training_again_is_another_run_that_supersedes_the_first(project: Project) -> None:
    key = RunKey(RECIPE, "lightning", 3)
    train(project, key)
    train(project, key)
    found = [run for run in runs.search(store.open_experiment(project), "") if run.info.run_name == key.label]
    assert [run.info.status for run in found] == ["FINISHED"] * 2
    newer, older = found
    assert older.data.tags[runs.SUPERSEDED] == newer.info.run_id
    assert runs.SUPERSEDED not in newer.data.tags


def test_what_a_lost_worker_reports_later_is_refused(project: Project) -> None:
    key = RunKey(RECIPE, "lightning", 4)
    engine = train(project, key, script=once(3, "lose"))
    assert engine.deliver_late(f"{RECIPE}-4.lightning.attempt-1") == Reply.SUPERSEDED
    assert [order.folder.name for order in engine.orders] == ["attempt-1", "attempt-2"]
    check(project, key)


def test_what_is_lost_again_and_again_ends_in_one_line_and_the_others_are_kept(project: Project) -> None:
    good, bad = RunKey(RECIPE, "lightning", 5), RunKey(RECIPE, "lightning", 6)

    def script(task: Running, message: Any) -> Fault:
        return Fails() if task.number.endswith("-6") and not isinstance(message, Begun) else None

    with pytest.raises(TandemError, match=r"expected .* got .* RuntimeError: CUDA error; fix that, and repeat"):
        train(project, good, bad, script=script)
    check(project, good)
    assert run_of(project, bad).info.status == "FAILED"
    train(project, bad)
    check(project, bad)


def test_losses_with_progress_do_not_count(project: Project) -> None:
    key = RunKey(RECIPE, "lightning", 7)
    begun: dict[str, int] = {}

    def script(task: Running, message: Any) -> Fault:
        if isinstance(message, Begun):
            begun[task.key] = message.epoch
        return "lose" if isinstance(message, EpochDone) and message.epoch == begun[task.key] + 2 else None

    engine = train(project, key, script=script)
    assert len(engine.orders) == EPOCHS > RETRIES + 1
    check(project, key)


def test_epochs_whose_checkpoints_are_lost_are_no_progress(project: Project) -> None:
    key = RunKey(RECIPE, "lightning", 8)
    with pytest.raises(TandemError, match=f"got {RETRIES + 1} attempts that were lost, the last: its worker is gone"):
        train(project, key, script=lambda task, message: "lose after" if isinstance(message, EpochDone) else None)
    train(project, key)
    check(project, key)
