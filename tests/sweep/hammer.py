"""Takes and finishes trials of a trivial study until none waits: `python -m tests.sweep.hammer FOLDER NAME`.

One of eight processes that do so at the same time.
"""

import sys
from pathlib import Path

import optuna

from experiments.settings.project import Project
from experiments.sweep.queue import claim
from experiments.sweep.storage import connect


def main(folder: str, name: str) -> None:
    study = optuna.load_study(study_name=name, storage=connect(Project(Path(folder), Path(folder))))
    while taken := claim(study):
        for trial in taken:
            x = trial.suggest_float("x", -1, 1)
            trial.report(x, 1)
            study.tell(trial, x * x)


if __name__ == "__main__":
    main(*sys.argv[1:])
