"""Stage `sources`: the code and the versions that each training depends on, so that a change elsewhere reruns nothing.

DVC can't follow imports, and no file tells it which versions are installed. So this stage, which takes a second, runs
every time; the train stage depends on what it writes.
"""

import shutil
from pathlib import Path

from experiments.frameworks import PACKAGES
from experiments.parity.protocol import TAKEN
from experiments.settings.params import Params
from experiments.system.files import write_json
from experiments.training.code import code_of


def write_sources(params: Params, target: Path) -> None:
    """Fill `target` with <recipe>/<backend>.json, what trains each recipe that `dvc repro` trains.

    And <recipe>/parity.json: what parity takes from the recipe.
    """
    if target.exists():
        shutil.rmtree(target)
    for name in params.train.recipes:
        recipe = params.recipe(name)
        for backend in PACKAGES:
            write_json(target / name / f"{backend}.json", code_of(backend, recipe.architecture))
        write_json(target / name / "parity.json", recipe.model_dump(include={"architecture", *TAKEN}))
