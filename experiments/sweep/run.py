"""`tandem sweep run`: a study, begun or resumed, inside its MLflow run."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import optuna

from experiments.data.dataset import Dataset, load_dataset
from experiments.settings.params import Params
from experiments.settings.project import Project
from experiments.sweep import members, queue
from experiments.sweep.launch import Launcher, Quota, gpus_of
from experiments.sweep.plan import Backends, Plan, make_plan
from experiments.sweep.ranking import best_of
from experiments.sweep.space import space_of
from experiments.sweep.storage import connect
from experiments.sweep.study import IDENTITY, PARENT, open_study
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

KIND = "kind"


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
        params,
        recipe=asked.recipe,
        backends=asked.backends,
        name=asked.name,
        space=space,
        dataset=dataset.fingerprint,
    )
    check_fits(plan.recipe_name, plan.settings, dataset)
    for setting, why in space.left_out.items():
        say(f"sweep {plan.name}: {setting} is left out: {why}")
    budget = asked.trials or params.sweep.trials

    def begin(study: optuna.Study) -> Launcher:
        quota = Quota(budget, workers, refill=lambda: queue.fill(study, budget))
        return Launcher(project, params, plan, study, quota)

    return run_study(project, plan, dataset, begin)


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
    if not gpus_of(params, workers) and workers > threads:
        warn(f"{workers} workers share {threads} thread(s): they slow each other down")
    return workers


def run_study(
    project: Project,
    plan: Plan,
    dataset: Dataset,
    begin: Callable[[optuna.Study], Launcher],
    end: Callable[[optuna.Study, Tracker], None] = lambda study, tracker: None,
) -> optuna.Study:
    """Open the study of a plan, and let the launcher run that `begin` returns, inside the study's MLflow run.

    `end` may add to that run.
    """
    with exclusive(project.sweep(plan.name), f"sweep {plan.name}"):
        study = open_study(connect(project), plan)
        launcher = begin(study)
        with open_run(project, plan, study, dataset) as tracker:
            launcher.run()
            if (best := best_of(study, plan)) and best.value is not None:
                tracker.metrics([("best", best.value, queue.finished(study))])
            store.connect(project)  # closes what workers have left that were killed last
            end(study, tracker)
        # What trials that failed have left, and those whose worker was killed in its last moment.
        if not study.get_trials(deepcopy=False, states=queue.OPEN):
            shutil.rmtree(project.sweep_checkpoints(plan.name), ignore_errors=True)
    return study


@contextmanager
def open_run(project: Project, plan: Plan, study: optuna.Study, dataset: Dataset) -> Iterator[Tracker]:
    """Open the one MLflow run of a study, that of its trials' parent."""
    experiment = store.connect(project)
    tags = {
        SWEEP: plan.name,
        KIND: "confirmation" if plan.confirms else "sweep",
        "recipe": plan.recipe_name,
        "backend": plan.backends,
        "dataset": dataset.name,
        "dataset_fingerprint": dataset.fingerprint,
        "study": study.user_attrs.get(IDENTITY, ""),
    }
    known = study.user_attrs.get(PARENT)
    with track(
        f"sweep {plan.name}",
        experiment=experiment,
        tags=tags,
        command=plan.command,
        resume=_known_run(study, experiment, tags),
    ) as tracker:
        study.set_user_attr(PARENT, tracker.run_id)
        if known not in (None, tracker.run_id):  # somebody deleted it
            runs.set_tag(trial_runs(study, plan), PARENT_RUN, tracker.run_id)
        tracker.params({f"sweep.{key}": value for key, value in plan.summary().items()})
        track_files(project, read_checkout(project.root), tracker)
        yield tracker


def trial_runs(study: optuna.Study, plan: Plan) -> list[str]:
    """Return the ids of the trials' runs that are in MLflow."""
    keys = [members.run_key(backend) for backend in plan.backends_of_trial]
    ids = [
        trial.user_attrs[key] for trial in study.get_trials(deepcopy=False) for key in keys if key in trial.user_attrs
    ]
    return [one for one in ids if runs.find_run(one)]


def _known_run(study: optuna.Study, experiment: str, tags: dict[str, str]) -> str | None:
    if PARENT in study.user_attrs:
        known = runs.find_run(study.user_attrs[PARENT])
        return known.info.run_id if known else None
    # A kill between the run's start and the line that notes it leaves one that closed_because says is abandoned.
    return runs.find_tagged(experiment, {**tags, runs.CLOSED_BECAUSE: runs.PROCESS_GONE})
