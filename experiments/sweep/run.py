"""`tandem sweep run`: a study, begun or resumed, inside its MLflow run."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import optuna

from experiments.data.dataset import Dataset, load_dataset
from experiments.engine.engine import Engine
from experiments.engine.make import make_engine
from experiments.engine.script import Request, job_script
from experiments.settings.engines import EngineName
from experiments.settings.params import Params
from experiments.settings.project import Project, RunKey
from experiments.sweep import trials
from experiments.sweep.controller import Controller, Study
from experiments.sweep.lease import Lease, LeaseLost
from experiments.sweep.plan import Backends, Plan, check_data, make_plan, members_of, space_of
from experiments.sweep.remembered import Remembered
from experiments.sweep.runs import PARENT_RUN, SWEEP, Member, TrialRuns
from experiments.sweep.storage import connect
from experiments.sweep.study import IDENTITY, PARENT, best_of, open_study
from experiments.sweep.watch import Watcher
from experiments.system.console import say, warn
from experiments.system.errors import Stopped, TandemError
from experiments.system.git import Checkout, read_checkout
from experiments.system.processes import threads_for
from experiments.tracking import runs, store
from experiments.tracking.run import Tracker
from experiments.tracking.run import open_run as open_mlflow_run
from experiments.training.messages import Order, Outcome
from experiments.training.remote import train_order
from experiments.training.session import track_files
from experiments.training.training import Code, check_fits

# What is logged of the plan, beside the space.
LOGGED = ("objective", "sampler", "pruner", "seed", "recipe_name", "backends")
LOG_EVERY_STEPS = 50


@dataclass(frozen=True)
class SweepRequest:
    """What the command line asks for; None: what params.yaml says."""

    recipe: str
    backends: Backends
    trials: int | None = None
    name: str | None = None


@dataclass(frozen=True)
class Where:
    """Where trainings run. `workers`: how many at a time, by default one for each framework.

    `take_over`: although another process may be at work on the same study; that one stops before its next write.
    """

    on: EngineName = "local"
    workers: int | None = None
    take_over: bool = False
    task: Callable[..., Outcome] = train_order


@dataclass(frozen=True)
class Opened:
    """A study that this process alone may write to."""

    project: Project
    plan: Plan
    dataset: Dataset
    study: optuna.Study
    storage: optuna.storages.BaseStorage
    lease: Lease
    experiment: str
    tracker: Tracker


def run_sweep(project: Project, params: Params, asked: SweepRequest, where: Where) -> optuna.Study:
    """Start a study, or resume it, until as many trials are finished as asked for; return it.

    Raises:
        TandemError: the recipe, its space, the storage or an older study of that name don't allow it, another process
            runs the study, or nothing trains any more.
    """
    if asked.trials is not None and asked.trials < 1:
        raise TandemError(f"--trials: expected 1 or more; got {asked.trials}")
    count_workers(where, asked.backends)
    plan, dataset = plan_sweep(project, params, asked)
    with open_sweep(project, plan, dataset, take_over=where.take_over) as opened:
        control(opened, params, where, budget=asked.trials or params.sweep.trials)
    return opened.study


def plan_sweep(project: Project, params: Params, asked: SweepRequest) -> tuple[Plan, Dataset]:
    """Return the plan of a sweep, and its data.

    Raises:
        TandemError: as `run_sweep`.
    """
    space = space_of(params, asked.recipe)
    dataset = load_dataset(project.prepared)
    plan = make_plan(
        params, recipe=asked.recipe, backends=asked.backends, name=asked.name, space=space, dataset=dataset.fingerprint
    )
    check_fits(plan.recipe_name, plan.settings, dataset)
    for setting, why in space.left_out.items():
        say(f"sweep {plan.name}: {setting} is left out: {why}")
    return plan, dataset


def count_workers(where: Where, backends: Backends) -> int:
    """Return the number of workers.

    Raises:
        TandemError: there are less than one for each framework.
    """
    least = len(members_of(backends))
    workers = least if where.workers is None else where.workers
    if workers < least:
        raise TandemError(f"--workers: expected {least} or more, one for each framework; got {workers}")
    return workers


def control(opened: Opened, params: Params, where: Where, *, budget: int) -> None:
    """Train until the budget is spent.

    Raises:
        TandemError: as `Controller.run`.
    """
    plan, project = opened.plan, opened.project
    check_data(plan, opened.dataset)
    opened.study.set_user_attr(trials.BUDGET, budget)
    folder = project.sweep(plan.name)
    engine, threads = start_engine(project, params, where, plan)
    trial_runs = TrialRuns(plan, opened.dataset, opened.experiment, opened.tracker.run_id)
    trial_runs.load()
    target = Study(opened.study, opened.storage, plan, budget, folder)
    orders = Orders(project, target, params, threads, read_checkout(project.root))
    watcher = Watcher(folder, opened.lease.token)
    Controller(target, engine, trial_runs, opened.lease, orders, where.task, watcher).run()


def start_engine(project: Project, params: Params, where: Where, plan: Plan) -> tuple[Engine, int]:
    """Return an engine that isn't started yet, and the threads of each worker."""
    workers, cores = count_workers(where, plan.backends), threads_for(params.train.threads)
    threads = max(1, cores // workers)
    if where.on == "local" and workers > cores:
        warn(f"{workers} workers share {cores} thread(s): they slow each other down")
    if where.on not in ("local", "inline"):
        threads = getattr(params.engines, where.on).cpus
    engine = make_engine(
        where.on,
        params.engines,
        workers=workers,
        threads=threads,
        folder=project.sweep(plan.name) / "engine",
        gpus=params.train.device != "cpu",
    )
    return engine, threads


def worker_script(project: Project, params: Params, where: Where, plan: Plan) -> str:
    """Return the job that would be submitted, below a line on how many there are; on this machine, that line alone.

    Raises:
        TandemError: there are too few workers, or the engine's settings are wrong.
    """
    workers = count_workers(where, plan.backends)
    if where.on in ("local", "inline"):
        threads = max(1, threads_for(params.train.threads) // workers)
        return f"{workers} worker(s) on this machine, {threads} thread(s) each"
    request = Request.of(where.on, params.engines, workers, project.sweep(plan.name) / "engine")
    return f"# {request.jobs} job(s) such as this one, with {workers} worker(s) in all:\n{job_script(request)}"


@dataclass(frozen=True)
class Orders:
    """Makes the orders of a study."""

    project: Project
    target: Study
    params: Params
    threads: int
    checkout: Checkout

    def __call__(self, trial: optuna.Trial, member: Member, attempt: int) -> Order:
        """Return the order for an attempt at a member of a trial."""
        plan, (number, backend) = self.target.plan, member
        folder = self.target.trial_folder(number) / backend
        return Order(
            project=self.project,
            key=RunKey(f"{plan.name}-{number}", backend, trial.user_attrs.get(trials.SEED, plan.seed)),
            recipe=plan.settings.model_copy(update=trial.params),
            dataset=plan.dataset,
            code=Code(self.checkout, plan.code[backend]),
            device=self.params.train.device,
            threads=self.threads,
            log_every_steps=LOG_EVERY_STEPS,
            folder=folder / f"attempt-{attempt}",
            earlier=[folder / f"attempt-{each}" for each in range(attempt - 1, 0, -1)],
            objective=plan.objective,
        )


@contextmanager
def open_sweep(project: Project, plan: Plan, dataset: Dataset, *, take_over: bool = False) -> Iterator[Opened]:
    """Open the study of a plan and its one MLflow run, the parent of its trials' runs, as their only writer.

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
            yield Opened(project, plan, dataset, study, storage, lease, experiment, tracker)
            if (best := best_of(study, plan)) and best.value is not None:
                done = len(study.get_trials(deepcopy=False, states=trials.DONE))
                tracker.metrics([("best", best.value, done)])
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
    run_id = open_mlflow_run(
        f"sweep {plan.name}", experiment=experiment, tags=tags, command=plan.command, resume=resume
    )
    study.set_user_attr(PARENT, run_id)
    if known not in (None, run_id):  # somebody deleted it
        runs.set_tag(_trial_runs(study, plan), PARENT_RUN, run_id)
    tracker = Tracker(run_id)
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
    return runs.find_tagged(experiment, {**tags, runs.CLOSED_BECAUSE: runs.PROCESS_GONE})
