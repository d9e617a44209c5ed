"""The commands about settings and surroundings: parse, call one function, say what to do."""

import typer

from experiments.cli.common import load_project
from experiments.cli.output import JsonOption, show_checks
from experiments.settings.project import Project


def doctor(as_json: JsonOption = False) -> None:
    """Look at all that Tandem needs: Python, packages, frameworks, disk, stores, data. Exit code 1 with a problem.

    It changes nothing, and says what to do about what it finds.
    """
    from experiments.doctor.examine import examine

    checks = examine(Project.find())
    count = {state: sum(check.state == state for check in checks) for state in ("problem", "warning")}
    show_checks(checks, f"{count['problem']} problem(s), {count['warning']} warning(s).", as_json=as_json)
    raise typer.Exit(1 if count["problem"] else 0)


def check() -> None:
    """Validate params.yaml and the files of weights that it names; build each recipe's network in both frameworks.

    What could be built is remembered, until its code, its settings or a version changes.
    """
    project, params = load_project()
    from experiments.data.recorded import check_nothing_is_lost
    from experiments.parity.builds import check_builds
    from experiments.training.weights_file import read_weights

    check_nothing_is_lost(project)
    for name, recipe in params.recipes.items():
        read_weights(name, recipe, project.home)
    check_builds(project, params)
    count = len(params.train.recipes) * len(params.train.backends) * len(params.train.seeds)
    print(f"params.yaml is valid: {len(params.recipes)} recipe(s); `dvc repro` runs {count} training(s)")
