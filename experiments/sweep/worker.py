"""A process that takes trials of a study, trains them in one framework, and tells how they ended."""

import contextlib
import gc
import random
import time
from collections.abc import Sequence

import optuna
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.exc import SQLAlchemyError

from experiments.contract.backend import Device
from experiments.data.dataset import load_dataset
from experiments.frameworks import load_backend
from experiments.settings.project import Project
from experiments.settings.recipe import BackendName
from experiments.sweep import members, queue
from experiments.sweep.plan import check_data, read_plan
from experiments.sweep.storage import connect, reason_of
from experiments.sweep.study import PARENT, load_study
from experiments.sweep.trial import Member, WorkerContext
from experiments.system.errors import Stopped, TandemError
from experiments.system.git import read_checkout
from experiments.tracking import store
from experiments.training.code import code_digest
from experiments.training.training import Code

POLL_SECONDS = 0.5
# What says nothing about a trial's settings: a full disk, a server or a database that is away.
SURROUNDINGS = (OSError, TandemError, store.StoreError, SQLAlchemyError, optuna.exceptions.StorageInternalError)


def work(project: Project, name: str, backend: BackendName, *, device: Device, threads: int, number: int) -> None:
    """Work until no trial of the study needs this backend; data and framework are loaded once.

    Raises:
        TandemError: there is no such study, the data is no longer what it was begun with, or the surroundings don't
            let any trial be trained.
    """
    study = load_study(connect(project), name, worker=number)
    plan, dataset = read_plan(study), load_dataset(project.prepared)
    check_data(plan, dataset)
    worker = WorkerContext(
        project=project,
        study=study,
        plan=plan,
        backend_name=backend,
        backend=load_backend(backend, device=device, threads=threads),
        dataset=dataset,
        code=Code(read_checkout(project.root), code_digest(backend, plan.settings.architecture)),
        experiment=store.connect(project),
        parent=study.user_attrs[PARENT],
        threads=threads,
    )
    frozen = False
    while members.lacking(study.get_trials(deepcopy=False, states=queue.OPEN), plan.backends_of_trial, backend):
        taken = queue.claim(study, choose=lambda waiting: _choose(worker, waiting))
        if taken and queue.room(study) < 0:  # another worker took the last one in the same moment
            _put_back(study, taken.pop())
        if taken:
            _train(worker, taken[0])
            if not frozen:
                # The first training imports and compiles what all others use. The collector runs after every trial;
                # to look through the frameworks takes it a quarter of a second, unless they count as permanent.
                gc.collect()
                gc.freeze()
                frozen = True
        else:
            time.sleep(POLL_SECONDS * random.uniform(0.5, 1.5))  # noqa: S311 - two that wait must not meet for ever


def _choose(worker: WorkerContext, waiting: Sequence[FrozenTrial]) -> Sequence[FrozenTrial]:
    if queue.room(worker.study) < 1:
        return []
    running = worker.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
    return members.choose(waiting, running, worker.plan.backends_of_trial, worker.backend_name)


def _train(worker: WorkerContext, trial: optuna.Trial) -> None:
    """Train the trial that was taken; one that a stop leaves unfinished waits again."""
    with queue.pulse(worker.study, trial):
        try:
            Member(worker, trial).train()
        except (Stopped, KeyboardInterrupt):
            _put_back(worker.study, trial)
            raise
        except SURROUNDINGS as error:
            with contextlib.suppress(*SURROUNDINGS):  # what can't be put back now lacks a process later
                _put_back(worker.study, trial)
            if isinstance(error, TandemError):
                raise
            raise TandemError(
                f"trial {trial.number} of {worker.plan.name}: expected disk and stores that work; got "
                f"{type(error).__name__}: {reason_of(error, worker.project)}; the trial waits again: fix it, repeat"
            ) from error
        except Exception as error:  # a trial that fails by its own fault is no reason to end the sweep
            if queue.is_mine(worker.study, trial._trial_id):
                reason = f"{worker.backend_name}: {type(error).__name__}: {reason_of(error, worker.project)}"
                trial.set_user_attr(queue.REASON, reason)
                worker.study.tell(trial, state=TrialState.FAIL)
        finally:
            worker.backend.forget_models()


def _put_back(study: optuna.Study, trial: optuna.Trial) -> None:
    if queue.is_mine(study, trial._trial_id):
        queue.put_back(study, trial._trial_id)
