"""A sweep that this process alone may write to: its study, and its run in MLflow, the parent of its trials' runs."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import optuna

from experiments.data.dataset import Dataset
from experiments.settings.project import Project
from experiments.sweep import trials
from experiments.sweep.lease import Lease, LeaseLost
from experiments.sweep.open_study import OpenStudy
from experiments.sweep.plan import Plan, read_plan
from experiments.sweep.remembered import Remembered
from experiments.sweep.runs import PARENT_RUN, SWEEP
from experiments.sweep.storage import connect
from experiments.sweep.study import IDENTITY, PARENT, open_study
from experiments.system.errors import Stopped
from experiments.system.git import read_checkout
from experiments.tracking import abandoned, runs, store
from experiments.tracking.run import open_run as open_mlflow_run
from experiments.tracking.tracker import Tracker
from experiments.training.session import track_files

# What is logged of the plan, beside the space.
LOGGED = ("objective", "sampler", "pruner", "seed", "recipe_name", "backends")


@dataclass(frozen=True)
class OpenSweep:
    """A study with its data, its lease, and its run in an MLflow experiment."""

    target: OpenStudy
    dataset: Dataset
    lease: Lease
    experiment: str
    tracker: Tracker


@contextmanager
def open_sweep(project: Project, plan: Plan, dataset: Dataset, *, take_over: bool = False) -> Iterator[OpenSweep]:
    """Open the study of a plan and its run, as their only writer.

    Raises:
        TandemError: another process is at work on the study, or it was begun with another plan.
    """
    database = connect(project)
    storage, lease = Remembered(database), Lease(database.engine, plan.name)
    lease.acquire(take_over=take_over)
    status: str | None = "FAILED"
    try:
        study, experiment = open_study(storage, plan), store.connect(project)
        tracker = _open_parent(project, study, plan, dataset, experiment)
        try:
            # The study's own plan: a space that is written in another order is drawn in the order that it began with.
            target = OpenStudy(study, storage, read_plan(study), project.sweep(plan.name))
            yield OpenSweep(target, dataset, lease, experiment, tracker)
            status = "FINISHED"
        except LeaseLost:
            status = None  # the run is another's now
            raise
        except (Stopped, KeyboardInterrupt):
            status = "KILLED"
            raise
        finally:
            if status:
                tracker.close(status)
    finally:
        lease.release()
    if not study.get_trials(deepcopy=False, states=trials.OPEN):
        shutil.rmtree(project.sweep(plan.name) / "trials", ignore_errors=True)


def _open_parent(project: Project, study: optuna.Study, plan: Plan, dataset: Dataset, experiment: str) -> Tracker:
    known = study.user_attrs.get(PARENT)
    tags = {
        SWEEP: plan.name,
        "kind": "confirmation" if plan.confirms else "sweep",
        "recipe": plan.recipe_name,
        "backend": plan.backends,
        "dataset": dataset.name,
        "dataset_fingerprint": dataset.fingerprint,
        "study": study.user_attrs.get(IDENTITY, ""),
    }
    resume = _known_run(study, experiment, tags)
    run = open_mlflow_run(f"sweep {plan.name}", experiment=experiment, tags=tags, command=plan.command, resume=resume)
    run_id = run.info.run_id
    study.set_user_attr(PARENT, run_id)
    if known not in (None, run_id):  # somebody deleted it
        runs.set_tag(_trial_runs(study, plan), PARENT_RUN, run_id)
    tracker = Tracker(run)
    logged = {key: getattr(plan, key) for key in LOGGED}
    logged |= {f"space.{setting}": bounds for setting, bounds in plan.space.items()}
    tracker.params({f"sweep.{key}": value for key, value in logged.items()})
    track_files(project.params, read_checkout(project.root), tracker)
    return tracker


def _trial_runs(study: optuna.Study, plan: Plan) -> list[str]:
    """Return the ids of the trials' runs that are in MLflow."""
    keys = [trials.run_key(backend) for backend in plan.backends_of_trial]
    ids = [trial.user_attrs.get(key) for trial in study.get_trials(deepcopy=False) for key in keys]
    return [run_id for run_id in ids if run_id and runs.find_run(run_id)]


def _known_run(study: optuna.Study, experiment: str, tags: dict[str, str]) -> str | None:
    if PARENT in study.user_attrs:
        return runs.active(study.user_attrs[PARENT])
    # A kill between the run's start and the line that notes it leaves one that closed_because says is abandoned.
    return runs.find_tagged(experiment, {**tags, abandoned.CLOSED_BECAUSE: abandoned.PROCESS_GONE})
