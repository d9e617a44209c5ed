"""Stage `parity`: are the two members of a pair the same model, trained in the same way?"""

from collections.abc import Sequence

from experiments.contract.inputs import input_of
from experiments.data.dataset import load_dataset
from experiments.frameworks import ARCHITECTURES, backend_name, check_architecture, twins
from experiments.parity.report import write_report
from experiments.parity.run import run_parity
from experiments.parity.settings import run_settings
from experiments.settings.params import Params
from experiments.settings.project import Project
from experiments.settings.recipe import BackendName
from experiments.system.errors import TandemError
from experiments.system.git import read_checkout


def selected(params: Params, names: Sequence[str], *, everything: bool) -> list[str]:
    """Return which architectures to check: those named, all, or those of the recipes that `dvc repro` trains.

    All but those that take larger images than the dataset's: they take long, and have to be named. A style selects the
    architecture that it is a style of.

    Raises:
        TandemError: there is no such architecture, or in one framework only.
    """
    for name in names:
        check_architecture(name, asked_by="ARCHITECTURE")
    if everything:
        for name in dict.fromkeys(name for known in ARCHITECTURES.values() for name in known):
            check_architecture(name, asked_by="--all")
        return [name for name in twins() if input_of(name).size is None]
    asked = names or [name for name in _trained(params) if input_of(name).size is None]
    return [first for first, styles in twins().items() if {first, *styles} & set(asked)]


def _trained(params: Params) -> list[str]:
    return [params.recipe(name).architecture for name in params.train.recipes]


def two_backends(text: str) -> tuple[BackendName, BackendName]:
    """Return the backends in a text, `lightning,keras`.

    Raises:
        TandemError: they aren't two different ones.
    """
    first, _, second = (name.strip() for name in text.partition(","))
    if first == second or not second or "," in second:
        raise TandemError(f"--backends: expected two different ones, as in lightning,keras; got {text!r}")
    return backend_name(first, asked_by="--backends"), backend_name(second, asked_by="--backends")


def parity(
    project: Project,
    params: Params,
    architectures: Sequence[str],
    backends: tuple[BackendName, BackendName],
    *,
    settings: bool = False,
) -> tuple[str, bool]:
    """Check the architectures, and the settings of a training if `settings`; write the report into reports/.

    Return its tables, and whether all are the same.

    Raises:
        TandemError: there is no prepared dataset, a process refuses the device, or has ended.
    """
    dataset = load_dataset(project.prepared)
    results = run_parity(dataset, params, architectures, backends)
    proven = run_settings(dataset, params, backends) if settings else []
    commit = read_checkout(project.root).commit
    table = write_report(project.reports, results, proven, dataset=dataset.name, backends=backends, commit=commit)
    return table, not any([one.problems for one in results] + [one.problems for one in proven])
