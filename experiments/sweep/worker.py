"""A process that takes trials of a study, trains them in one framework, and tells how they ended."""

import contextlib
import gc
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import optuna
from optuna.trial import TrialState
from sqlalchemy.exc import SQLAlchemyError

from experiments.contract.backend import Device
from experiments.data.dataset import load_dataset
from experiments.frameworks import load_backend
from experiments.settings.project import Project
from experiments.settings.recipe import BackendName
from experiments.sweep import members, queue
from experiments.sweep.heartbeat import pulse
from experiments.sweep.plan import Plan, check_data, read_plan
from experiments.sweep.ranking import is_own
from experiments.sweep.storage import connect, reason_of
from experiments.sweep.study import PARENT, load_study
from experiments.sweep.trial import TrialRequest, WorkerContext, run_trial
from experiments.system.errors import Stopped, TandemError
from experiments.system.git import read_checkout
from experiments.tracking import store
from experiments.training.code import code_digest
from experiments.training.training import Code

# How many trials a worker takes, trains and tells in one go.
BATCH = 1
POLL_SECONDS = 0.5
LOG_EVERY_STEPS = 50
# After which epoch a trial was pruned.
PRUNED = "pruned_after_epoch"
# What says nothing about a trial's settings: a full disk, a server or a database that is away.
SURROUNDINGS = (OSError, TandemError, store.StoreError, SQLAlchemyError, optuna.exceptions.StorageInternalError)


def work(project: Project, name: str, backend: BackendName, *, device: Device, threads: int, number: int) -> None:
    """Work until no trial of the study needs this backend; data and framework are loaded once.

    Raises:
        TandemError: there is no such study, the data is no longer what it was begun with, or the surroundings don't
            let any trial be trained.
    """
    study = load_study(connect(project), name, worker=number)
    worker = _set_up(
        project, read_plan(study), backend, device=device, threads=threads, parent=study.user_attrs[PARENT]
    )
    frozen = False
    while _is_needed(study, worker):
        taken = queue.claim(study, BATCH, lambda waiting: _choose(study, worker, waiting))
        if taken and queue.room(study) < 0:  # another worker took the last one in the same moment
            _put_back(study, taken)
            taken = []
        if taken:
            _train_batch(worker, study, taken)
            if not frozen:  # the first training imports and compiles what all others use
                freeze_gc()
                frozen = True
        else:
            time.sleep(POLL_SECONDS * random.uniform(0.5, 1.5))  # noqa: S311 - two that wait must not meet for ever


def freeze_gc() -> None:
    """Take all that there is for permanent: the collector, which runs after every trial, then skips the frameworks.

    It takes a quarter of a second to look through them.
    """
    gc.collect()
    gc.freeze()


def _set_up(
    project: Project, plan: Plan, backend: BackendName, *, device: Device, threads: int, parent: str
) -> WorkerContext:
    dataset = load_dataset(project.prepared)
    check_data(plan, dataset)
    return WorkerContext(
        project=project,
        plan=plan,
        backend_name=backend,
        backend=load_backend(backend, device=device, threads=threads),
        dataset=dataset,
        code=Code(read_checkout(project.root), code_digest(backend, plan.settings.architecture)),
        experiment=store.connect(project),
        parent=parent,
        threads=threads,
        log_every_steps=LOG_EVERY_STEPS,
    )


def _is_needed(study: optuna.Study, worker: WorkerContext) -> bool:
    trials = study.get_trials(deepcopy=False, states=queue.OPEN)
    return bool(members.lacking(trials, worker.plan.backends_of_trial, worker.backend_name))


def _choose(
    study: optuna.Study, worker: WorkerContext, waiting: Sequence[optuna.trial.FrozenTrial]
) -> Sequence[optuna.trial.FrozenTrial]:
    if queue.room(study) < 1:
        return []
    running = study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
    return members.choose(waiting, running, worker.plan.backends_of_trial, worker.backend_name)


def _train_batch(worker: WorkerContext, study: optuna.Study, taken: Sequence[optuna.Trial]) -> None:
    """Train the trials that were taken; those that a stop leaves unfinished wait again."""
    with pulse(study, taken):
        for trial in taken:
            try:
                _train(worker, study, trial)
            except (Stopped, KeyboardInterrupt):
                _put_back(study, taken)
                raise
            except SURROUNDINGS as error:
                with contextlib.suppress(*SURROUNDINGS):  # what can't be put back now lacks a process later
                    _put_back(study, taken)
                if isinstance(error, TandemError):
                    raise
                raise TandemError(
                    f"trial {trial.number} of {worker.plan.name}: expected disk and stores that work; got "
                    f"{type(error).__name__}: {reason_of(error, worker.project)}; the trial waits again: fix it, repeat"
                ) from error
            except Exception as error:  # a trial that fails by its own fault is no reason to end the sweep
                _fail(worker, study, trial, error)
            finally:
                worker.backend.forget_models()


def _put_back(study: optuna.Study, taken: Sequence[optuna.Trial]) -> None:
    for trial in taken:
        if queue.is_mine(study, trial._trial_id):
            queue.put_back(study, trial._trial_id)


def _fail(worker: WorkerContext, study: optuna.Study, trial: optuna.Trial, error: Exception) -> None:
    if queue.is_mine(study, trial._trial_id):
        reason = f"{type(error).__name__}: {reason_of(error, worker.project)}"
        trial.set_user_attr(queue.REASON, f"{worker.backend_name}: {reason}")
        study.tell(trial, state=TrialState.FAIL)


def _train(worker: WorkerContext, study: optuna.Study, trial: optuna.Trial) -> None:
    known = members.results(_frozen(trial), worker.plan.backends_of_trial)
    if worker.backend_name in known:  # its worker was killed between the member's end and the trial's
        _finish(worker, study, trial)
        return
    attributes = trial.user_attrs
    seed, run_id = attributes.get(queue.SEED, worker.plan.seed), attributes.get(members.run_key(worker.backend_name))
    request = TrialRequest(trial.number, suggest(trial, worker.plan), seed, run_id)
    run_trial(worker, request, OptunaReports(worker, study, trial))


@dataclass(frozen=True)
class OptunaReports:
    """Passes what a trial reports on to Optuna."""

    worker: WorkerContext
    study: optuna.Study
    trial: optuna.Trial

    def started(self, run_id: str) -> None:
        """Keep the id of the MLflow run."""
        self.trial.set_user_attr(members.run_key(self.worker.backend_name), run_id)

    def should_prune(self, epoch: int, value: float) -> bool:
        """Report the objective after an epoch, and ask the pruner."""
        return _should_prune(self.worker, self.trial, epoch, value)

    def ended(self, result: members.Result | None) -> None:
        """Keep the result, and tell Optuna once the trial is complete."""
        _tell(self.worker, self.study, self.trial, result)


def _frozen(trial: optuna.Trial) -> optuna.trial.FrozenTrial:
    return trial.study._storage.get_trial(trial._trial_id)


def suggest(trial: optuna.Trial, plan: Plan) -> Mapping[str, float]:
    """Return the settings of a trial; those that it has already stay as they are."""
    return {
        name: trial.suggest_float(name, one.low, one.high, log=one.log) for name, one in plan.distributions().items()
    }


def _should_prune(worker: WorkerContext, trial: optuna.Trial, epoch: int, value: float) -> bool:
    if len(worker.plan.backends_of_trial) > 1:  # a pair is told as a whole, at its end
        return False
    known = _frozen(trial)
    if epoch not in known.intermediate_values:  # a repeat of an epoch reports it again
        trial.report(value, epoch)
    if is_own(known, worker.plan):  # what all others are compared with
        return False
    # Some pruners answer otherwise when they are asked again, after a kill; and some return NumPy's bool.
    if known.user_attrs.get(PRUNED) == epoch or bool(trial.should_prune()):
        trial.set_user_attr(PRUNED, epoch)
        return True
    return False


def _tell(worker: WorkerContext, study: optuna.Study, trial: optuna.Trial, result: members.Result | None) -> None:
    if not queue.is_mine(study, trial._trial_id):
        return
    if result is None:
        study.tell(trial, state=TrialState.PRUNED)
        return
    trial.set_user_attr(members.result_key(worker.backend_name), members.write_result(result))
    _finish(worker, study, trial)


def _finish(worker: WorkerContext, study: optuna.Study, trial: optuna.Trial) -> None:
    """Tell the trial if all of its members are done, else let it wait for the next."""
    found = members.results(_frozen(trial), worker.plan.backends_of_trial)
    if len(found) < len(worker.plan.backends_of_trial):
        queue.put_back(study, trial._trial_id)
        return
    values = members.mean_objective(found)
    if len(found) > 1:
        for epoch, value in enumerate(values, 1):
            trial.report(value, epoch)
    study.tell(trial, values[-1])
