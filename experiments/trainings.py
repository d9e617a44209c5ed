"""Many trainings, one after the other, each a process of its own; those that are done stay done."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from experiments.console import say
from experiments.dataset import load_dataset
from experiments.errors import Stopped, TandemError
from experiments.files import read_json
from experiments.outputs import Outputs, read_outputs
from experiments.params import BackendName, Params
from experiments.project import Project
from experiments.stages.sources import code_digest
from experiments.stopping import FOLLOW


@dataclass(frozen=True)
class Wanted:
    """A training to have."""

    recipe: str
    backend: BackendName
    seed: int


def have(project: Project, params: Params, wanted: Sequence[Wanted]) -> dict[Wanted, Outputs]:
    """Return the outputs of each training, after training those that are not there yet in `project.runs`.

    Raises:
        TandemError: a training failed; the others are kept, and a repeat goes on with it.
    """
    missing = [one for one in wanted if not is_done(project, params, one)]
    if len(missing) < len(wanted):
        say(f"{len(wanted) - len(missing)} of {len(wanted)} trainings are done already")
    took: dict[Wanted, float] = {}
    for place, one in enumerate(missing):
        left = f", about {_minutes(_estimate(took, missing[place:]))} left" if took else ""
        say(f"training {place + 1}/{len(missing)}: {one.recipe}, {one.backend}, seed {one.seed}{left}")
        started = time.monotonic()
        _train(project, one)
        took[one] = time.monotonic() - started
    return {one: read_outputs(project.run(one.recipe, one.backend, one.seed)) for one in wanted}


def is_done(project: Project, params: Params, wanted: Wanted) -> bool:
    """Return whether the outputs are there, of the same recipe, data and code."""
    folder = project.run(wanted.recipe, wanted.backend, wanted.seed)
    recipe = params.recipe(wanted.recipe)
    if not (folder / "metrics.json").is_file():  # the file that is written last
        return False
    record = read_json(folder / "run.json")
    return (
        type(recipe).model_validate(record["recipe"]) == recipe
        and record["tags"]["dataset_fingerprint"] == load_dataset(project.prepared).fingerprint
        and record["code"] == code_digest(project.root, wanted.backend, recipe.architecture)
    )


def _train(project: Project, one: Wanted) -> None:
    command = [sys.executable, "-m", "experiments", "train", one.recipe, one.backend, str(one.seed)]
    environment = {**os.environ, FOLLOW: str(os.getpid())}
    command += ["--runs-in", project.runs_in]
    process = subprocess.Popen(command, cwd=project.root, env=environment, stdout=sys.stderr)
    try:
        code = process.wait()
    except (Stopped, KeyboardInterrupt):
        # It saves its state and closes its MLflow run first.
        process.terminate()
        process.wait()
        raise
    if code:
        raise TandemError(
            f"training of {one.recipe}, {one.backend}, seed {one.seed}: expected it to end well; got exit code {code}; "
            "mend what it says above, and repeat the command"
        )


def _estimate(took: dict[Wanted, float], missing: Sequence[Wanted]) -> float:
    """Return the seconds that trainings will take: as long as those of the same recipe, or as any, have taken."""

    def alike(one: Wanted) -> Iterator[float]:
        same = replace(one, seed=0)
        return (seconds for other, seconds in took.items() if replace(other, seed=0) == same)

    return sum(fmean(list(alike(one)) or list(took.values())) for one in missing)


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"
