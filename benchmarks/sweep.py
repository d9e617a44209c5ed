"""What a sweep costs beside training: `python -m benchmarks.sweep [efficiency] [plain] [memory] [--trials N]`.

`efficiency`: images trained per second by two workers over twice what one reaches alone, and the part of a one-epoch
LeNet trial that is not training. `plain`: trials per hour against a script written by hand (benchmarks/plain_sweep.py).
`memory`: what a worker holds after 50 trials over what it held after 5. All of it on noise of MNIST's size and shape,
through `tandem sweep run`. Wants two idle cores.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import optuna
from optuna.trial import FrozenTrial
from ruamel.yaml import YAML

from benchmarks.workload import ROOT, prepare
from experiments.settings.project import Project
from experiments.settings.recipe import BackendName
from experiments.sweep.storage import connect
from experiments.sweep.trials import Result, results, run_key
from experiments.tracking import runs, store

IMAGES, SHORT = 60_000, 2_000
EFFICIENCY, OVERHEAD, PLAIN, GROWTH_MB = 0.9, 0.05, 2.26, 50
MEMORY_TRIALS, WARM = 50, 5
BACKENDS: tuple[BackendName, ...] = ("lightning", "keras")


@dataclass(frozen=True)
class Done:
    """A finished study of one backend; `workers` has the name of the worker that trained each trial."""

    backend: BackendName
    trials: list[FrozenTrial]
    workers: list[str]

    @property
    def results(self) -> list[Result]:
        """What each trial brought."""
        return [results(trial, (self.backend,))[self.backend] for trial in self.trials]

    def pace(self) -> float:
        """Return trials per second: of each worker, from the end of its first trial to that of its last, summed.

        The first trial of a process pays for what is loaded and compiled once.
        """
        ends: dict[str, list[datetime]] = {}
        for trial, worker in zip(self.trials, self.workers, strict=True):
            assert trial.datetime_complete is not None
            ends.setdefault(worker, []).append(trial.datetime_complete)
        return sum((len(one) - 1) / (max(one) - min(one)).total_seconds() for one in ends.values() if len(one) > 1)


class Bench:
    """A project of its own, in a temporary folder."""

    def __init__(self, folder: Path, images: int) -> None:
        self.folder, self.number = folder, 0
        folder.mkdir()
        (folder / "dvc.yaml").write_text("")
        prepare(folder, images)

    def sweep(self, recipe: str, backend: BackendName, *, trials: int, workers: int, threads: int, epochs: int) -> Done:
        """Run a study to its end; `threads` is what all workers have together."""
        yaml = YAML()
        content = yaml.load(ROOT / "params.yaml")
        content["train"].update(device="cpu", threads=threads)
        content["sweep"].update(epochs=epochs, sampler="random", pruner="none")
        yaml.dump(content, self.folder / "params.yaml")
        self.number += 1
        name = f"bench-{self.number}"
        command = [sys.executable, "-m", "experiments", "sweep", "run", "--recipe", recipe, "--backend", backend]
        command += ["--trials", str(trials), "--workers", str(workers), "--name", name]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(done.stderr)
        project = Project(self.folder, self.folder)
        done_trials = optuna.load_study(study_name=name, storage=connect(project)).get_trials()
        store.open_experiment(project)
        return Done(backend, done_trials, [_worker(trial.user_attrs[run_key(backend)]) for trial in done_trials])


def _worker(run_id: str) -> str:
    run = runs.find_run(run_id)
    assert run is not None
    return str(run.data.tags["worker"])


def judge(name: str, value: float, goal: float, *, least: bool, unit: str = "") -> int:
    """Print a figure beside its goal; return 1 if it is missed."""
    reached = value >= goal if least else value <= goal
    sign = "≥" if least else "≤"
    print(f"  {name}: {value:.3g}{unit} (goal {sign} {goal:g}{unit}: {'reached' if reached else 'MISSED'})", flush=True)
    return not reached


def efficiency(folder: Path, trials: int) -> int:
    """Measure efficiency and overhead; return how many goals were missed."""
    bench, missed = Bench(folder / "efficiency", IMAGES), 0
    for backend in BACKENDS:
        print(f"{backend}, lenet, one epoch of {IMAGES - IMAGES // 10} images a trial, 1 thread a worker", flush=True)
        alone = bench.sweep("lenet", backend, trials=trials, workers=1, threads=1, epochs=1)
        two = bench.sweep("lenet", backend, trials=2 * trials, workers=2, threads=2, epochs=1)
        long = bench.sweep("lenet", backend, trials=1, workers=1, threads=1, epochs=5)
        once = [one.training for one in alone.results[1:]]
        # What four more epochs take, validation and checkpoint with them, is training and nothing else.
        epoch = (long.results[0].training - alone.results[0].training) / 4
        trial = 1 / alone.pace()
        print(f"  a trial: {trial:.2f} s, in training {statistics.median(once):.2f} s; an epoch: {epoch:.2f} s")
        missed += judge("workers' efficiency", two.pace() / (2 * alone.pace()), EFFICIENCY, least=True)
        missed += judge("outside of training", 1 - epoch / trial, OVERHEAD, least=False)
    return missed


def plain(folder: Path, trials: int) -> int:
    """Measure trials per hour against the plain script; return how many goals were missed."""
    bench = Bench(folder / "plain", IMAGES)
    print(f"lenet, one epoch of {IMAGES - IMAGES // 10} images a trial, two cores", flush=True)
    command = [sys.executable, "-m", "benchmarks.plain_sweep", str(bench.folder), str(trials)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    script = statistics.median(json.loads(done.stdout.splitlines()[-1]))
    ours = bench.sweep("lenet", "lightning", trials=2 * trials, workers=2, threads=2, epochs=1).pace()
    print(f"  trials per hour: {3600 * ours:.0f}; the plain script: {3600 / script:.0f}")
    return judge("trials per hour / the plain script's", ours * script, PLAIN, least=True)


def memory(folder: Path, trials: int) -> int:
    """Measure how a worker grows; return how many goals were missed."""
    bench, missed = Bench(folder / "memory", SHORT), 0
    for backend in BACKENDS:
        print(f"{backend}, cnn3-sgd, one epoch of {SHORT - SHORT // 10} images a trial", flush=True)
        done = bench.sweep("cnn3-sgd", backend, trials=MEMORY_TRIALS, workers=1, threads=2, epochs=1)
        held = [one.memory_mb for one in done.results]
        print(f"  after {WARM} trials {held[WARM - 1]:.0f} MB, after {MEMORY_TRIALS} {held[-1]:.0f} MB")
        missed += judge("growth", held[-1] - held[WARM - 1], GROWTH_MB, least=False, unit=" MB")
    return missed


PARTS: dict[str, Callable[[Path, int], int]] = {"efficiency": efficiency, "plain": plain, "memory": memory}


def main() -> None:
    """Measure what is asked for, and exit with 1 if a goal is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sweep")
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--trials", type=int, default=6, help="of a worker, the first of which is not counted")
    asked = parser.parse_args()
    if unknown := set(asked.parts) - set(PARTS):
        parser.error(f"PART: expected some of {', '.join(PARTS)}; got {', '.join(sorted(unknown))}")
    with tempfile.TemporaryDirectory(prefix="tandem-bench-") as folder:
        missed = sum(PARTS[name](Path(folder), asked.trials) for name in asked.parts or PARTS)
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
