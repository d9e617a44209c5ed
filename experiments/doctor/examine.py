"""Every check, one after the other: `tandem doctor`."""

from collections.abc import Iterator

from experiments.doctor import data, devices, frameworks, machine, places, software
from experiments.doctor.surroundings import Look, Surroundings
from experiments.frameworks import check_architectures
from experiments.settings.params import Params, load_params
from experiments.settings.project import Project
from experiments.system.checks import Check
from experiments.system.console import say
from experiments.system.errors import TandemError

# The frameworks come last: they are being imported meanwhile.
CHECKS: dict[str, Look] = {
    "other work": machine.load,
    "Python": software.python,
    "packages": software.packages,
    "code": software.code,
    "Git": software.git,
    "DVC": software.dvc,
    "Slurm": software.slurm,
    "cores": machine.cores,
    "thread variables": machine.threads,
    "memory": machine.memory,
    "disk": machine.disk,
    "folders": places.folders,
    "MLflow's store": places.runs,
    "metrics that wait": places.spool,
    "database of studies": places.studies,
    "data": data.raw,
    "prepared data": data.prepared,
    "mirrors": data.mirrors,
    "frameworks": devices.frameworks,
}


def examine(project: Project) -> list[Check]:
    """Return what every check finds; nothing is changed, and a check that raises is a problem found."""
    params, settings = _settings(project)
    say("importing both frameworks, which takes some seconds")
    with frameworks.ask(params.train.device if params else "auto") as answers:
        here = Surroundings(project, params, answers)
        return [settings, *(found for what, look in CHECKS.items() for found in found_by(what, look, here))]


def _settings(project: Project) -> tuple[Params | None, Check]:
    try:
        params = load_params(project.params)
        check_architectures(params)
    except TandemError as error:
        return None, Check("params.yaml", "problem", str(error), "correct it; `tandem check` says whether it is valid")
    return params, Check("params.yaml", "ok", f"valid, {len(params.recipes)} recipe(s)")


def found_by(what: str, look: Look, here: Surroundings) -> Iterator[Check]:
    """Yield what a check finds, the exception that it raises included."""
    try:
        yield from look(here)
    except Exception as error:
        yield Check.of_error(what, error)
