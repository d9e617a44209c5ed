"""`tandem sweep run`: a study, begun or resumed, inside its MLflow run."""

from collections.abc import Callable
from dataclasses import dataclass

import optuna

from experiments.data.dataset import Dataset, load_dataset
from experiments.engine.engine import Engine
from experiments.engine.make import make_engine
from experiments.engine.script import Request, job_script
from experiments.settings.engines import EngineName
from experiments.settings.params import Params
from experiments.settings.project import Project
from experiments.sweep import trials
from experiments.sweep.controller import Controller
from experiments.sweep.open_sweep import OpenSweep, open_sweep
from experiments.sweep.orders import Orders
from experiments.sweep.plan import Backends, Plan, check_data, make_plan, members_of
from experiments.sweep.samplers import check_sampler
from experiments.sweep.space import space_of
from experiments.sweep.valid import corners_of
from experiments.system.console import say, warn
from experiments.system.errors import TandemError
from experiments.system.git import read_checkout
from experiments.system.processes import threads_for
from experiments.training.fits import check_fits
from experiments.training.messages import Outcome
from experiments.training.remote import train_order

# As many as params.yaml takes.
MOST_EPOCHS = 10_000


@dataclass(frozen=True)
class SweepRequest:
    """What the command line asks for; None: what params.yaml says."""

    recipe: str
    backends: Backends
    trials: int | None = None
    name: str | None = None
    epochs: int | None = None


@dataclass(frozen=True)
class Where:
    """Where trainings run. `workers`: how many at a time, by default one for each framework.

    `take_over`: although another process may be at work on the same study; that one stops before its next write.
    """

    on: EngineName = "local"
    workers: int | None = None
    take_over: bool = False
    task: Callable[..., Outcome] = train_order


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
        control(opened, project, params, where, budget=asked.trials or params.sweep.trials)
    return opened.target.study


def plan_sweep(project: Project, params: Params, asked: SweepRequest) -> tuple[Plan, Dataset]:
    """Return the plan of a sweep, and its data.

    Raises:
        TandemError: as `run_sweep`.
    """
    if asked.epochs is not None and not 1 <= asked.epochs <= MOST_EPOCHS:
        raise TandemError(f"--epochs: expected 1 to {MOST_EPOCHS}; got {asked.epochs}")
    space = space_of(params, asked.recipe, asked.epochs)
    dataset = load_dataset(project.prepared)
    plan = make_plan(
        params, recipe=asked.recipe, backends=asked.backends, name=asked.name, space=space, dataset=dataset.fingerprint
    )
    check_sampler(plan)
    _check_fits(plan, dataset)
    for setting, why in space.left_out.items():
        say(f"sweep {plan.name}: {setting} is left out: {why}")
    return plan, dataset


def _check_fits(plan: Plan, dataset: Dataset) -> None:
    recipes = [plan.settings, *map(plan.recipe_of, corners_of(plan.ranges))]
    # What else trials vary has nothing to do with the data.
    for recipe in {(each.batch_size, each.drop_last, each.scaling, each.schedule): each for each in recipes}.values():
        check_fits(plan.recipe_name, recipe, dataset)


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


def control(sweep: OpenSweep, project: Project, params: Params, where: Where, *, budget: int) -> None:
    """Train until the budget is spent.

    Raises:
        TandemError: as `Controller.run`.
    """
    target = sweep.target
    check_data(target.plan, sweep.dataset)
    target.study.set_user_attr(trials.BUDGET, budget)
    engine, threads = start_engine(project, params, where, target.plan)
    orders = Orders(project, target, params.train.device, threads, read_checkout(project.root), where.task)
    Controller(sweep, engine, orders, budget).run()


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
