"""Workers that follow the protocol and train nothing, an engine whose every event is scripted, and what stores have.

The tests of the controller need no framework, and no time: what a "training" brings depends on its settings alone.
"""

import math
import pickle
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Literal

import numpy as np
import optuna
from mlflow import MlflowClient

from experiments.data.dataset import Split
from experiments.data.prepare import write_description, write_split
from experiments.engine.engine import Answer, Ended, P, Slot, Task
from experiments.engine.tasks import run_task
from experiments.settings.project import Project
from experiments.settings.recipe import BackendName
from experiments.sweep import trials
from experiments.sweep.runs import SWEEP, TRIAL
from experiments.sweep.storage import connect
from experiments.system.files import write_atomically
from experiments.tracking import runs, store
from experiments.training.checkpoint import Checkpoint, State
from experiments.training.messages import Begun, EpochDone, Order, Outcome, Reply
from experiments.training.remote import take_over
from experiments.training.remote_log import RemoteLog
from experiments.training.reporting import NotFinite, Pruned, Superseded, obey

STEPS = 2  # of an epoch
Values = Callable[[Order, int], float]


def good(order: Order, epoch: int) -> float:
    """Return a loss that falls with the epochs, and is smallest at lr 0.01, momentum 0.9 and dropout 0.4."""
    recipe = order.recipe
    far = abs(recipe.lr - 0.01) + abs((recipe.momentum or 0) - 0.9) + abs((recipe.dropout or 0) - 0.4)
    return far + 1 / epoch + (0.125 if order.key.backend == "keras" else 0)


def trained(weights: float, order: Order, epoch: int) -> float:
    """Return the "weights" after one more epoch: they depend on every epoch before, as real ones do."""
    return math.sin(3 * weights + order.recipe.lr + epoch + order.key.seed)


def simulated(send: Callable[[object], Reply], order: Order, values: Values = good, device: str = "cpu") -> Outcome:
    """Do what `remote.train_order` does, without training: report each epoch, then keep a checkpoint."""
    take_over(order)
    log, checkpoint = RemoteLog(order.folder), Checkpoint(order.folder)
    kept = checkpoint.load() or State("")
    weights = float(checkpoint.file.read_text()) if kept.history else 0.0
    shown = order.recipe.model_dump(include={"lr", "momentum", "dropout", "options"})
    log.params({**{name: value for name, value in shown.items() if value != {}}, "seed": order.key.seed})
    log.metrics((name, value, epoch) for epoch, row in kept.history.items() for name, value in row.items())
    tags = {"backend": order.key.backend, "seed": str(order.key.seed), "device": device}
    state: Literal["complete", "pruned", "diverged"] = "complete"
    reason = None
    try:
        obey(send(Begun(max(kept.history, default=0), device, tags, log.started, log.take())))
        for epoch in range(max(kept.history, default=0) + 1, order.recipe.epochs + 1):
            weights, value = trained(weights, order, epoch), values(order, epoch)
            if not math.isfinite(value):
                raise NotFinite(f"train/loss is {value} in epoch {epoch}, step 1")
            steps = range((epoch - 1) * STEPS + 1, epoch * STEPS + 1)
            log.metrics([("train/step_loss", value, step) for step in steps])
            kept.history[epoch] = {str(order.objective): value, "weights": weights}
            log.metrics((name, number, epoch) for name, number in kept.history[epoch].items())
            obey(send(EpochDone(epoch, value, log.take())))
            log.flush()
            write_atomically(checkpoint.file, repr(weights))
            checkpoint.save(kept)
    except Superseded:
        return Outcome("superseded")
    except Pruned:
        state = "pruned"
    except NotFinite as error:
        state, reason = "diverged", str(error)
    reached = tuple(row[str(order.objective)] for _, row in sorted(kept.history.items()))
    return Outcome(state, reached, 1.0, 0.5, 100.0, reason, log.take())


def write_dataset(folder: Path) -> None:
    """Write a prepared dataset of a few images."""
    folder.mkdir()
    pixels = np.arange(600 * 28 * 28).astype(np.uint8).reshape(600, 28, 28, 1)
    images = Split(pixels, np.arange(600, dtype=np.uint16) % 4)
    training = write_split(folder, "training", images, np.arange(400))
    test = write_split(folder, "test", images, np.arange(400, 600))
    write_description(folder, {"name": "small", "classes": 4, "class_names": None}, training, test, 200)


# The engine.


@dataclass(frozen=True)
class Fails:
    """Ends a task with an error."""

    reason: str = "RuntimeError: CUDA error"


# What a script may do to a report: nothing; lose the worker before it arrives, or after it was answered; let the
# attempt end with an error.
Fault = Literal["lose", "lose after"] | Fails | None
Script = Callable[["Running", Any], Fault]


class Running:
    """A task in a thread of its own, which goes on only when it is told to: from one report to the next."""

    def __init__(self, key: str, slot: Slot, call: Callable[[Callable[[object], Any]], object]) -> None:
        self.key, self.slot = key, slot
        self.number, self.backend, self.attempt = key.split(".")
        self._said: SimpleQueue[tuple[bool, Any]] = SimpleQueue()
        self._answers: SimpleQueue[Any] = SimpleQueue()
        self.pending: Any = None
        self._thread = threading.Thread(target=self._run, args=(call,), daemon=True)
        self._thread.start()

    def _run(self, call: Callable[[Callable[[object], Any]], object]) -> None:
        self._said.put((True, run_task(partial(call, self._send))))

    def _send(self, message: object) -> Any:
        self._said.put((False, pickle.loads(pickle.dumps(message))))  # noqa: S301 - our own
        return self._answers.get()

    def next(self) -> tuple[bool, Any]:
        """Return whether it has ended, and its result and error, or what it reports."""
        return self._said.get()

    def reply(self, answer: Any) -> None:
        """Let it go on."""
        self._answers.put(answer)


@dataclass
class ScriptedEngine:
    """Workers that run their tasks in turn, one report each; `script` sees every report before it arrives."""

    workers: int = 1
    script: Script = lambda task, message: None
    running: dict[str, Running] = field(default_factory=dict)
    lost: dict[str, tuple[Running, Any]] = field(default_factory=dict)
    orders: list[Order] = field(default_factory=list)
    renewed: list[Slot] = field(default_factory=list)
    closed: bool = False

    def start(self, answer: Answer) -> None:
        """Connect every worker."""
        self.answer, self._made = answer, 0
        self.connected = [self._slot(f"w{number}") for number in range(self.workers)]

    def _slot(self, name: str) -> Slot:
        self._made += 1
        return Slot(f"{name}#{self._made}", name, "node", "")

    def slots(self) -> Sequence[Slot]:
        """Return the workers."""
        return self.connected

    def submit(self, key: str, slot: Slot, task: Task[P], *args: P.args, **kwargs: P.kwargs) -> None:
        """Begin a task; a worker has one at a time, and an order can be pickled."""
        assert slot in self.connected
        assert slot not in [each.slot for each in self.running.values()], f"{slot.name} has a task"
        given: Any = pickle.loads(pickle.dumps(args))  # noqa: S301 - our own
        self.orders.append(given[0])
        self.running[key] = Running(key, slot, lambda send: task(send, *given, **kwargs))

    def events(self, seconds: float) -> Iterator[Ended]:
        """Let every task go on to its next report, or its end."""
        for task in list(self.running.values()):
            ended, said = task.next()
            if ended:
                del self.running[task.key]
                yield Ended(task.key, task.slot, *said)
            else:
                yield from self._report(task, said)

    def _report(self, task: Running, message: Any) -> Iterator[Ended]:
        fault = self.script(task, message)
        if fault is None:
            task.reply(self.answer(task.key, message))
            return
        del self.running[task.key]
        if isinstance(fault, Fails):
            yield Ended(task.key, task.slot, error=fault.reason)
            return
        if fault == "lose after":
            self.answer(task.key, message)
        self.lost[task.key] = (task, message)
        self.connected[self.connected.index(task.slot)] = self._slot(task.slot.name)
        yield Ended(task.key, task.slot, lost=True)

    def deliver_late(self, key: str) -> Any:
        """Deliver the report of a worker that was thought to be gone; return the answer, once its task has ended."""
        task, message = self.lost.pop(key)
        answer = self.answer(key, message)
        task.reply(answer)
        assert task.next()[0]
        return answer

    def renew(self, slot: Slot) -> None:
        """Replace a worker."""
        self.renewed.append(slot)
        self.connected[self.connected.index(slot)] = self._slot(slot.name)

    def close(self) -> None:
        """Forget all tasks: nobody answers them any more."""
        self.running, self.closed = {}, True


# What the stores have.


@dataclass(frozen=True)
class RecordedRun:
    """What MLflow has of a member of a trial: its status, and for each metric the values by step, in order."""

    status: str
    state: str | None
    metrics: dict[str, list[tuple[int, float]]]

    @property
    def weights(self) -> float:
        """The weights after the last epoch."""
        return self.metrics["weights"][-1][1]


@dataclass(frozen=True)
class Records:
    """What Optuna and MLflow have of a study; `best` is what its own run says: the metric by step, and tags."""

    trials: list[optuna.trial.FrozenTrial]
    runs: dict[tuple[int, str], RecordedRun]
    parents: list[str]
    best: tuple[list[tuple[int, float]], dict[str, str]]

    def states(self) -> list[str]:
        """Return the states of the trials."""
        return [trial.state.name for trial in self.trials]

    def finished(self) -> int:
        """Return how many trials count."""
        return sum(trial.state in trials.DONE for trial in self.trials)


def read_records(project: Project, name: str) -> Records:
    """Read both stores; two runs of one member are an error."""
    study = optuna.load_study(study_name=name, storage=connect(project))
    found: dict[tuple[int, str], RecordedRun] = {}
    experiment, parents = store.open_experiment(project), []
    best: tuple[list[tuple[int, float]], dict[str, str]] = ([], {})
    client = MlflowClient()  # of the store that was just opened
    for run in runs.search(experiment, f"tags.`{SWEEP}` = '{name}'"):
        tags = run.data.tags
        if TRIAL not in tags:
            parents.append(run.info.status)
            best = _best(client, run)
            continue
        member = int(tags[TRIAL]), tags["backend"]
        assert member not in found, f"{member} has two runs"
        points = {key: client.get_metric_history(run.info.run_id, key) for key in run.data.metrics}
        metrics = {key: [(point.step, point.value) for point in history] for key, history in points.items()}
        found[member] = RecordedRun(run.info.status, tags.get("trial_state"), metrics)
    return Records(study.get_trials(), found, parents, best)


def _best(client: MlflowClient, run: runs.Run) -> tuple[list[tuple[int, float]], dict[str, str]]:
    points = client.get_metric_history(run.info.run_id, "best") if "best" in run.data.metrics else []
    tags = {name: value for name, value in run.data.tags.items() if name.startswith("best")}
    return sorted((point.step, point.value) for point in points), tags


def check_steps(run: RecordedRun, epochs: int) -> None:
    """See that a run has every step of so many epochs, once."""
    each = list(range(1, epochs + 1))
    for name in ("val/loss", "weights"):
        assert [step for step, _ in run.metrics[name]] == each, name
    assert [step for step, _ in run.metrics["train/step_loss"]] == list(range(1, STEPS * epochs + 1))


def expected_weights(order: Order, backend: BackendName) -> float:
    """Return the weights after an undisturbed training."""
    weights, mine = 0.0, replace(order, key=replace(order.key, backend=backend))
    for epoch in range(1, order.recipe.epochs + 1):
        weights = trained(weights, mine, epoch)
    return weights
