"""Many trainings, one after the other, each in a process of its own; those that are done stay done."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from statistics import fmean

from experiments.data.dataset import load_dataset
from experiments.settings.params import Params
from experiments.settings.project import Project, RunKey
from experiments.system.console import say
from experiments.system.errors import Stopped, TandemError
from experiments.system.files import read_json
from experiments.system.stopping import FOLLOW
from experiments.training.code import code_digest
from experiments.training.outputs import METRICS, RECORD, Outputs, read_outputs


def train_missing(project: Project, params: Params, keys: Sequence[RunKey]) -> dict[RunKey, Outputs]:
    """Return the outputs of each training, after running those that are missing in `project.runs`.

    Raises:
        TandemError: a training failed; the others are kept, and a repeat resumes.
    """
    missing = [key for key in keys if not is_done(project, params, key)]
    if len(missing) < len(keys):
        say(f"{len(keys) - len(missing)} of {len(keys)} trainings are done already")
    seconds: dict[RunKey, float] = {}
    for index, key in enumerate(missing):
        left = f", about {_minutes(_estimate(seconds, missing[index:]))} left" if seconds else ""
        say(f"training {index + 1}/{len(missing)}: {key.recipe}, {key.backend}, seed {key.seed}{left}")
        started = time.monotonic()
        _train(project, key)
        seconds[key] = time.monotonic() - started
    return {key: read_outputs(project.run(key)) for key in keys}


def is_done(project: Project, params: Params, key: RunKey) -> bool:
    """Return whether the outputs exist, of the same recipe, data and code."""
    folder = project.run(key)
    recipe = params.recipe(key.recipe)
    if not (folder / METRICS).is_file():
        return False
    record = read_json(folder / RECORD)
    return (
        type(recipe).model_validate(record["recipe"]) == recipe
        and record["tags"]["dataset_fingerprint"] == load_dataset(project.prepared).fingerprint
        and record["code"] == code_digest(key.backend, recipe.architecture)
    )


def _train(project: Project, key: RunKey) -> None:
    command = [sys.executable, "-m", "experiments", "train", *str(key).split(), "--runs-in", project.runs_in]
    environment = {**os.environ, FOLLOW: str(os.getpid())}
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
            f"training of {key.recipe}, {key.backend}, seed {key.seed}: expected it to succeed; got exit code {code}; "
            "fix what it says above, and repeat the command"
        )


def _estimate(seconds: Mapping[RunKey, float], missing: Sequence[RunKey]) -> float:
    """Return the seconds that trainings will take: as long as those of the same recipe, or as any, have taken."""

    def alike(key: RunKey) -> list[float]:
        same = [s for other, s in seconds.items() if (other.recipe, other.backend) == (key.recipe, key.backend)]
        return same or list(seconds.values())

    return sum(fmean(alike(key)) for key in missing)


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"
