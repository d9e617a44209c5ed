"""`tandem sweep run`: a study, begun or resumed, inside its MLflow run."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import optuna

from experiments.data.dataset import Dataset, load_dataset
from experiments.settings.params import Params
from experiments.settings.project import Project
from experiments.sweep import members, queue
from experiments.sweep.launch import Launcher, share_gpus
from experiments.sweep.plan import Backends, Plan, make_plan, space_of
from experiments.sweep.storage import connect
from experiments.sweep.study import IDENTITY, PARENT, best_of, open_study
from experiments.sweep.trial import PARENT_RUN, SWEEP
from experiments.system.console import say, warn
from experiments.system.errors import TandemError
from experiments.system.git import read_checkout
from experiments.system.locks import exclusive
from experiments.system.processes import threads_for
from experiments.tracking import runs, store
from experiments.tracking.run import Tracker, track
from experiments.training.session import track_files
from experiments.training.training import check_fits

# What is logged of the plan, beside the space.
LOGGED = ("objective", "sampler", "pruner", "seed", "recipe_name", "backends")


@dataclass(frozen=True)
class SweepRequest:
    """What the command line asks for; None: what params.yaml says, or one worker for each framework."""

    recipe: str
    backends: Backends
    trials: int | None
    workers: int | None
    name: str | None


def run_sweep(project: Project, params: Params, asked: SweepRequest) -> optuna.Study:
    """Start a study, or resume it, until as many trials are finished as asked for; return it.

    Raises:
        TandemError: the recipe, its space, the storage or an older study of that name don't allow it, another process
            runs the study, or trials keep failing.
    """
    if asked.trials is not None and asked.trials < 1:
        raise TandemError(f"--trials: expected 1 or more; got {asked.trials}")
    workers = count_workers(params, asked.workers, asked.backends)
    space = space_of(params, asked.recipe)
    dataset = load_dataset(project.prepared)
    plan = make_plan(
        params, recipe=asked.recipe, backends=asked.backends, name=asked.name, space=space, dataset=dataset.fingerprint
    )
    check_fits(plan.recipe_name, plan.settings, dataset)
    for setting, why in space.left_out.items():
        say(f"sweep {plan.name}: {setting} is left out: {why}")
    budget = asked.trials or params.sweep.trials
    with open_run(project, plan, dataset) as (study, _):
        Launcher(project, params, plan, study, budget=budget, workers=workers).run()
    return study


def count_workers(params: Params, asked: int | None, backends: Backends) -> int:
    """Return the number of workers.

    Raises:
        TandemError: it is less than one, odd although pairs are trained, or more than the GPUs have room for.
    """
    least = 2 if backends == "both" else 1
    workers = least if asked is None else asked
    if workers < least or workers % least:
        many = "an even number, half for each framework" if least == 2 else "1 or more"
        raise TandemError(f"--workers: expected {many}; got {workers}")
    threads = threads_for(params.train.threads)
    if not share_gpus(params, workers) and workers > threads:
        warn(f"{workers} workers share {threads} thread(s): they slow each other down")
    return workers


@contextmanager
def open_run(project: Project, plan: Plan, dataset: Dataset) -> Iterator[tuple[optuna.Study, Tracker]]:
    """Open the study of a plan and its one MLflow run, the parent of its trials' runs, for a launcher to run in."""
    with exclusive(project.sweep(plan.name), f"sweep {plan.name}"):
        study, experiment = open_study(connect(project), plan), store.connect(project)
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
        name, command = f"sweep {plan.name}", plan.command
        with track(name, experiment=experiment, tags=tags, command=command, resume=resume) as tracker:
            study.set_user_attr(PARENT, tracker.run_id)
            if known not in (None, tracker.run_id):  # somebody deleted it
                runs.set_tag(_trial_runs(study, plan), PARENT_RUN, tracker.run_id)
            logged = {key: getattr(plan, key) for key in LOGGED}
            logged |= {f"space.{setting}": bounds for setting, bounds in plan.space.items()}
            tracker.params({f"sweep.{key}": value for key, value in logged.items()})
            track_files(project, read_checkout(project.root), tracker)
            yield study, tracker
            if (best := best_of(study, plan)) and best.value is not None:
                tracker.metrics([("best", best.value, queue.finished(study))])
            store.connect(project)  # closes what workers have left that were killed last
        # What trials that failed have left, and those whose worker was killed in its last moment.
        if not study.get_trials(deepcopy=False, states=queue.OPEN):
            shutil.rmtree(project.sweep_checkpoints(plan.name), ignore_errors=True)


def _trial_runs(study: optuna.Study, plan: Plan) -> list[str]:
    """Return the ids of the trials' runs that are in MLflow."""
    keys = [members.run_key(backend) for backend in plan.backends_of_trial]
    ids = [trial.user_attrs.get(key) for trial in study.get_trials(deepcopy=False) for key in keys]
    return [run_id for run_id in ids if run_id and runs.find_run(run_id)]


def _known_run(study: optuna.Study, experiment: str, tags: dict[str, str]) -> str | None:
    if PARENT in study.user_attrs:
        known = runs.find_run(study.user_attrs[PARENT])
        return known.info.run_id if known else None
    # A kill between the run's start and the line that notes it leaves one that closed_because says is abandoned.
    return runs.find_tagged(experiment, {**tags, runs.CLOSED_BECAUSE: runs.PROCESS_GONE})
