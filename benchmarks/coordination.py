"""How many workers one controller can keep busy: `python -m benchmarks.coordination [--workers N …] [--known K …]`.

The controller is the real one, with Optuna's TPE and median pruner, and both stores; the workers report and don't train
(benchmarks/simulated.py). For each number of workers, and of trials that the study has already:

- what a trial takes of the controller: to draw and order it, its beginning, its epochs, its end; and so trials/s, when
  all workers answer at once; `limit`: shorter trials than that of so many workers would wait for the controller;
- then, with trials a quarter longer than that: from a report to its answer, the part of the time that workers train
  (by construction about a half for a single worker, whose trials are then as short as what they cost),
  and the processor time of the controller.

What Dask takes to carry messages is not in it. The rest of a trial's time beside `CPU ms` is the disk's, which syncs
every commit, and that of other programs: on a busy machine all but the CPU column is too slow.
"""

import argparse
import contextlib
import cProfile
import json
import os
import pstats
import random
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import optuna

from benchmarks import postgres
from benchmarks.simulated import Enough, Measured, SimulatedEngine
from benchmarks.workload import ROOT, prepare
from experiments.settings.params import Params, load_params
from experiments.settings.project import Project
from experiments.sweep.controller import Controller
from experiments.sweep.open_sweep import OpenSweep, open_sweep
from experiments.sweep.orders import Orders
from experiments.sweep.plan import Plan
from experiments.sweep.run import SweepRequest, plan_sweep
from experiments.sweep.storage import VARIABLE
from experiments.system.git import read_checkout

RECIPE, IMAGES = "cnn3-sgd", 1_000
# Trials this much longer than the limit leave the controller a fifth of its time.
SLACK = 1.25


@dataclass(frozen=True)
class Case:
    """What is measured: so many workers, on a study that has so many trials."""

    storage: str
    workers: int
    known: int
    epochs: int
    trials: int


@dataclass(frozen=True)
class Figures:
    """What came out: milliseconds of the controller for each part of a trial, and the rest in seconds and shares."""

    order_ms: float
    begun_ms: float
    epoch_ms: float
    end_ms: float
    trials_per_second: float
    cpu_ms: float
    limit_seconds: float
    answer_p50_ms: float
    answer_p99_ms: float
    use: float
    controller_cpu: float


@contextlib.contextmanager
def stores(storage: str, folder: Path) -> Iterator[None]:
    """Let TANDEM_SWEEP_STORAGE name the storage; MLflow's store is SQLite."""
    os.environ.pop("MLFLOW_TRACKING_URI", None)
    if storage == "sqlite":
        os.environ.pop(VARIABLE, None)
        yield
        return
    with postgres.serve(folder / "pg") as url:
        os.environ[VARIABLE] = url
        yield


def settings(case: Case) -> Params:
    """Return the repository's settings, with the sampler and the pruner that are the default."""
    params = load_params(ROOT / "params.yaml")
    sweep = params.sweep.model_copy(update={"epochs": case.epochs, "sampler": "tpe", "pruner": "median"})
    return params.model_copy(update={"sweep": sweep})


def measure(case: Case, folder: Path, seconds: float) -> Measured:
    """Run a controller until so many trials have ended in front of it."""
    folder.mkdir()
    (folder / "dvc.yaml").write_text("")
    (folder / "params.yaml").write_bytes((ROOT / "params.yaml").read_bytes())
    prepare(folder, IMAGES)
    project, params = Project(folder, folder), settings(case)
    engine = SimulatedEngine(case.workers, case.epochs, seconds, case.trials)
    with stores(case.storage, folder):
        plan, dataset = plan_sweep(project, params, SweepRequest(RECIPE, "lightning", name="s"))
        with contextlib.suppress(Enough), open_sweep(project, plan, dataset) as opened:
            add_known(opened.target.study, plan, case)
            controller(opened, project, params, engine, case).run()
    return engine.measured


def controller(opened: OpenSweep, project: Project, params: Params, engine: SimulatedEngine, case: Case) -> Controller:
    """Return the controller as `experiments.sweep.run.control` makes it, but for its engine."""
    orders = Orders(project, opened.target, params.train.device, 1, read_checkout(project.root))
    return Controller(opened, engine, orders, case.known + case.trials + 2 * case.workers)


def add_known(study: optuna.Study, plan: Plan, case: Case) -> None:
    """Give a study trials that are complete."""
    generator = random.Random(1)  # noqa: S311
    for _ in range(case.known):
        params = {name: generator.uniform(bounds["low"], bounds["high"]) for name, bounds in plan.space.items()}
        value = generator.random()
        values = {epoch: value + 1 / epoch for epoch in range(1, case.epochs + 1)}
        study.add_trial(
            optuna.trial.create_trial(
                params=params, distributions=plan.distributions, value=values[case.epochs], intermediate_values=values
            )
        )


def figures(case: Case, folder: Path) -> Figures:
    """Measure a case: with workers that answer at once, then with trials a quarter longer than the limit."""
    first = measure(case, folder / "at-once", 0)
    of_trial = first.mean("order") + first.mean("begun") + case.epochs * first.mean("epoch") + first.mean("end")
    paced = measure(case, folder / "paced", SLACK * case.workers * of_trial)
    waits = statistics.quantiles(paced.waits, n=100)
    order, begun, epoch, end = (1000 * first.mean(what) for what in ("order", "begun", "epoch", "end"))
    return Figures(
        order_ms=order,
        begun_ms=begun,
        epoch_ms=epoch,
        end_ms=end,
        trials_per_second=1 / of_trial,
        cpu_ms=1000 * of_trial * first.cpu / first.wall,
        limit_seconds=case.workers * of_trial,
        answer_p50_ms=1000 * waits[49],
        answer_p99_ms=1000 * waits[98],
        use=paced.trained / (paced.trained + paced.idle),
        controller_cpu=paced.cpu / paced.wall,
    )


HEAD = """| storage | workers | known trials | order ms | begin ms | epoch ms | end ms | trials/s | CPU ms | limit s | \
answer p50, p99 ms \
| workers' use | controller |
| --- | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: |"""


def row(case: Case, out: Figures) -> str:
    """Return a line of the table."""
    parts = " | ".join(f"{value:.1f}" for value in (out.order_ms, out.begun_ms, out.epoch_ms, out.end_ms))
    answers = f"{out.answer_p50_ms:.0f}, {out.answer_p99_ms:.0f}"
    rate = f"{out.trials_per_second:.1f} | {out.cpu_ms:.0f} | {out.limit_seconds:.1f}"
    shares = f"{100 * out.use:.0f} % | {100 * out.controller_cpu:.0f} % of a core"
    return f"| {case.storage} | {case.workers:,} | {case.known:,} | {parts} | {rate} | {answers} | {shares} |"


def cases(asked: argparse.Namespace) -> list[Case]:
    """Return what is to be measured."""
    return [
        Case(storage, workers, known, asked.epochs, asked.trials)
        for storage in asked.storage
        for known in asked.known
        for workers in asked.workers
    ]


def parse(words: Sequence[str] | None = None) -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.coordination")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 16, 128, 1000])
    parser.add_argument("--known", type=int, nargs="+", default=[0], help="trials that the study has already")
    parser.add_argument("--trials", type=int, default=100, help="that end while it is measured")
    parser.add_argument("--epochs", type=int, default=5, help="of a trial")
    parser.add_argument("--storage", nargs="+", default=["sqlite"], choices=["sqlite", "postgresql"])
    parser.add_argument("--profile", action="store_true", help="print where the time goes, with answers at once")
    return parser.parse_args(words)


def profile(case: Case, folder: Path) -> None:
    """Print the functions that take most of the time."""
    profiler = cProfile.Profile()
    with contextlib.redirect_stderr(Path(os.devnull).open("w")):
        profiler.runcall(measure, case, folder / "profile", 0.0)
    pstats.Stats(profiler).sort_stats("cumulative").print_stats(70)


def main() -> None:
    """Print a table, and the same as JSON."""
    asked, out = parse(), []
    if not asked.profile:
        print(HEAD, flush=True)
    for case in cases(asked):
        with tempfile.TemporaryDirectory(prefix="tandem-bench-") as name:
            if asked.profile:
                profile(case, Path(name))
                continue
            with contextlib.redirect_stderr(Path(os.devnull).open("w")):
                found = figures(case, Path(name))
        print(row(case, found), flush=True)
        out.append(asdict(case) | asdict(found))
    json.dump(out, sys.stdout)


if __name__ == "__main__":
    main()
