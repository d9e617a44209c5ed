"""A process that takes trials of a study, trains them, and tells how they ended, until none waits."""

from collections.abc import Mapping

import optuna
from optuna.trial import TrialState

from experiments import tracking
from experiments.backend import Device, load_backend
from experiments.dataset import load_dataset
from experiments.errors import Stopped, TandemError
from experiments.params import BackendName
from experiments.project import Project
from experiments.sweep.queue import REASON, claim, put_back
from experiments.sweep.storage import connect
from experiments.sweep.study import PARENT, Plan, load_study, read_plan
from experiments.sweep.trial import Workplace, run_trial

# How many trials a worker trains in one go.
BATCH = 1
RUN = "mlflow_run_id"
LOG_EVERY_STEPS = 50


def work(project: Project, name: str, backend: BackendName, *, device: Device, threads: int, number: int) -> None:
    """Work until no trial of the study waits; data and framework are loaded once.

    Raises:
        TandemError: there is no such study, or the data is no longer what it was begun with.
    """
    study = load_study(connect(project), name, worker=number)
    place = _set_up(project, read_plan(study), backend, device=device, threads=threads, parent=study.user_attrs[PARENT])
    while taken := claim(study, BATCH):
        for trial in taken:
            _do(place, study, trial)


def _set_up(
    project: Project, plan: Plan, backend: BackendName, *, device: Device, threads: int, parent: str
) -> Workplace:
    dataset = load_dataset(project.prepared)
    if dataset.fingerprint != plan.dataset:
        raise TandemError(
            f"prepared/: expected the data that study {plan.name!r} was begun with, {plan.dataset[:12]}; "
            f"got {dataset.fingerprint[:12]}; give the sweep another --name"
        )
    return Workplace(
        project=project,
        plan=plan,
        backend_name=backend,
        backend=load_backend(backend, device=device, threads=threads),
        dataset=dataset,
        split=dataset.split("train"),
        validation=dataset.split("validation"),
        experiment=tracking.connect(project),
        parent=parent,
        threads=threads,
        log_every_steps=LOG_EVERY_STEPS,
    )


def _do(place: Workplace, study: optuna.Study, trial: optuna.Trial) -> None:
    try:
        settings = suggest(trial, place.plan)
        run_trial(
            place,
            trial.number,
            settings,
            lambda epoch, value: _judge(trial, epoch, value),
            run_id=trial.user_attrs.get(RUN),
            begun=lambda run_id: trial.set_user_attr(RUN, run_id),
            tell=lambda value: _tell(study, trial, value),
        )
    except (Stopped, KeyboardInterrupt):
        put_back(study, study.trials[trial.number])
        raise
    except Exception as error:  # a trial that fails by its own fault, whatever that is, is no reason to end the sweep
        trial.set_user_attr(REASON, f"{type(error).__name__}: {' '.join(str(error).split())[:300]}")
        study.tell(trial, state=TrialState.FAIL)


def suggest(trial: optuna.Trial, plan: Plan) -> Mapping[str, float]:
    """Return the settings of a trial; those that it has already stay as they are."""
    return {
        name: trial.suggest_float(name, one.low, one.high, log=one.log) for name, one in plan.distributions().items()
    }


def _judge(trial: optuna.Trial, epoch: int, value: float) -> bool:
    if epoch not in trial.study.trials[trial.number].intermediate_values:  # a repeat of an epoch reports it again
        trial.report(value, epoch)
    return trial.should_prune()


def _tell(study: optuna.Study, trial: optuna.Trial, value: float | None) -> None:
    if value is None:
        study.tell(trial, state=TrialState.PRUNED)
    else:
        study.tell(trial, value)
