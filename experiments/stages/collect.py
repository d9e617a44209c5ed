"""Stage `collect`: which runs `compare` reads, so that no other run in runs/ makes it run again.

A stage of DVC can't depend on as many runs as the settings name. So this one, which takes a second, depends on all of
runs/ and runs every time; `compare` depends on what it writes.
"""

import hashlib
from itertools import product

from experiments.settings.params import Params
from experiments.settings.project import Project, RunKey
from experiments.system.files import write_json
from experiments.training.outputs import HISTORY, METRICS, PREDICTIONS, RECORD


def collect(project: Project, params: Params) -> None:
    """Write the SHA-256 of each file that `compare` reads of the runs that the settings name; it says which lack."""
    chosen = params.train
    keys = [RunKey(*words) for words in product(chosen.recipes, chosen.backends, chosen.seeds)]
    files = [project.run(key) / name for key in keys for name in (RECORD, METRICS, HISTORY, PREDICTIONS)]
    write_json(
        project.collected,
        {
            str(file.relative_to(project.root)): hashlib.sha256(file.read_bytes()).hexdigest()
            for file in files
            if file.is_file()
        },
    )
