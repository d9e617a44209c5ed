"""One trial in one framework: a run that reports each epoch to the pruner, and never sees the test set."""

import math
import time
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt
import optuna
import psutil
from optuna.trial import FrozenTrial, TrialState

from experiments.contract.backend import Backend, Model
from experiments.contract.weights import FloatArray
from experiments.data.dataset import Dataset, Split
from experiments.settings.project import Project, RunKey
from experiments.settings.recipe import BackendName
from experiments.sweep import members, queue
from experiments.sweep.plan import Plan
from experiments.tracking import runs
from experiments.training.checkpoint import State
from experiments.training.recorder import Recorder
from experiments.training.session import RunSettings, Session, open_session
from experiments.training.training import Code, Training, tags_of

# What a trial's run has in MLflow, beside what every run has.
SWEEP, TRIAL, STATE, PARENT_RUN = "sweep", "trial", "trial_state", "mlflow.parentRunId"
# After which epoch a trial was pruned.
PRUNED = "pruned_after_epoch"
LOG_EVERY_STEPS = 50


class Pruned(Exception):
    """The pruner has stopped the trial."""


class NotFinite(Exception):
    """A loss is NaN or infinite: the training has diverged."""


@dataclass(frozen=True)
class WorkerContext:
    """What a worker loads once, for all of its trials."""

    project: Project
    study: optuna.Study
    plan: Plan
    backend_name: BackendName
    backend: Backend[Model]
    dataset: Dataset
    code: Code
    experiment: str
    parent: str
    threads: int


@dataclass(frozen=True)
class Member:
    """What a worker trains of a trial: its member in the worker's framework."""

    worker: WorkerContext
    trial: optuna.Trial

    def train(self) -> None:
        """Train the member, or resume it if it was stopped before, and tell Optuna how it ended.

        Raises:
            NotFinite: it diverged.
        """
        worker, plan = self.worker, self.worker.plan
        if worker.backend_name in self._results():  # its worker was killed between the member's end and the trial's
            self._finish()
            return
        seed = self.trial.user_attrs.get(queue.SEED, plan.seed)
        key = RunKey(f"{plan.name}-{self.trial.number}", worker.backend_name, seed)
        recipe = plan.settings.model_copy(update=plan.suggest(self.trial))
        started = time.perf_counter()
        training = Training(key, recipe, worker.dataset, worker.code, worker.threads, LOG_EVERY_STEPS)
        shared = {"recipe": plan.recipe_name, SWEEP: plan.name}
        tags = tags_of(training, worker.backend) | shared | self._own_tags()
        settings = RunSettings(worker.experiment, plan.command, tags, self._run_to_resume, sweep=plan.name)
        with open_session(worker.project, training, worker.backend, settings) as session:
            self.trial.set_user_attr(members.run_key(worker.backend_name), session.tracker.run_id)
            result = self._train(session, started)
            session.when_closed.append(lambda: self._end(result))  # the checkpoint is kept until this has returned

    def _own_tags(self) -> dict[str, str]:
        return {TRIAL: str(self.trial.number), PARENT_RUN: self.worker.parent, "backend": self.worker.backend_name}

    def _run_to_resume(self, state: State | None) -> str | None:
        """Return the run that the trial has already; a kill right after its start leaves one that the trial lacks.

        One whose checkpoint is of no use any more, since the code has changed, is deleted: its epochs are trained
        again, and no run has those of two trainings.
        """
        run_id = self.trial.user_attrs.get(members.run_key(self.worker.backend_name))
        if run_id is None:
            run_id = runs.find_tagged(self.worker.experiment, self._own_tags())
        known = runs.find_run(run_id) if run_id else None
        if known is not None and state is None and known.data.metrics:
            runs.delete_run(known.info.run_id)
            return None
        return known.info.run_id if known else None

    def _train(self, session: Session, started: float) -> members.Result | None:
        """Return the result; None: pruned."""
        objective, ended = self.worker.plan.objective, "complete"
        listener = PruningListener(Recorder(session, load_test=_no_test), self)
        try:
            session.train(listener)
        except Pruned:  # a good end, for MLflow too
            ended = "pruned"
        except NotFinite as error:
            session.tracker.tags({STATE: f"failed: {error}"})
            raise
        now = time.perf_counter()
        values = tuple(row[objective] for _, row in sorted(session.state.history.items()))
        # As Optuna does, a pruned trial's value is its last.
        session.tracker.metrics([("objective", values[-1], len(values))])
        session.tracker.tags({STATE: ended})
        memory = psutil.Process().memory_info().rss / 1e6
        return None if ended == "pruned" else members.Result(values, now - started, now - listener.started, memory)

    def should_prune(self, epoch: int, value: float) -> bool:
        """Report the objective after an epoch, and ask the pruner."""
        if len(self.worker.plan.backends_of_trial) > 1:  # a pair is told as a whole, at its end
            return False
        known = self._stored()
        if epoch not in known.intermediate_values:  # a repeat of an epoch reports it again
            self.trial.report(value, epoch)
        if self.worker.plan.is_own(known):  # what all others are compared with
            return False
        # Some pruners answer otherwise when they are asked again, after a kill; and some return NumPy's bool.
        if known.user_attrs.get(PRUNED) == epoch or bool(self.trial.should_prune()):
            self.trial.set_user_attr(PRUNED, epoch)
            return True
        return False

    def _end(self, result: members.Result | None) -> None:
        if not queue.is_mine(self.worker.study, self.trial._trial_id):
            return
        if result is None:
            self.worker.study.tell(self.trial, state=TrialState.PRUNED)
            return
        self.trial.set_user_attr(members.result_key(self.worker.backend_name), asdict(result))
        self._finish()

    def _finish(self) -> None:
        """Tell the trial if all of its members are done, else let it wait for the next."""
        done = self._results()
        if len(done) < len(self.worker.plan.backends_of_trial):
            queue.put_back(self.worker.study, self.trial._trial_id)
            return
        values = members.mean_objective(done)
        if len(done) > 1:
            for epoch, value in enumerate(values, 1):
                self.trial.report(value, epoch)
        self.worker.study.tell(self.trial, values[-1])

    def _stored(self) -> FrozenTrial:
        return self.worker.study._storage.get_trial(self.trial._trial_id)

    def _results(self) -> dict[BackendName, members.Result]:
        return members.results(self._stored(), self.worker.plan.backends_of_trial)


class PruningListener:
    """A listener that passes everything to a recorder, then reports the objective of each epoch."""

    def __init__(self, recorder: Recorder, member: Member) -> None:
        self.recorder, self.member, self.objective = recorder, member, member.worker.plan.objective
        self.started = time.perf_counter()

    def steps_done(self, epoch: int, step: int, losses: FloatArray, correct: npt.NDArray[np.int64]) -> None:
        """Pass it on; a loss that is not finite ends the trial at once."""
        self.recorder.steps_done(epoch, step, losses, correct)
        if not np.isfinite(losses).all():
            raise NotFinite(f"train/loss is {losses[~np.isfinite(losses)][0]} in epoch {epoch}, step {step}")

    def epoch_done(self, epoch: int, seconds: float, model: Model) -> None:
        """Pass it on, and ask whether to stop."""
        self.recorder.epoch_done(epoch, seconds, model)
        value = self.recorder.state.history[epoch][self.objective]
        if not math.isfinite(value):
            raise NotFinite(f"{self.objective} is {value} after epoch {epoch}")
        if self.member.should_prune(epoch, value):
            raise Pruned


def _no_test() -> Split:
    raise RuntimeError("a trial asked for the test set")
