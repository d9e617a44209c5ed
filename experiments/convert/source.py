"""The trained model that is to be converted: what its run says of it, and its files."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from experiments.data.dataset import Dataset, load_dataset
from experiments.frameworks import backend_name, check_architecture
from experiments.reports.measured import VERSION, Measured
from experiments.reports.named import find
from experiments.settings.edit import value_of
from experiments.settings.project import Project, RunKey
from experiments.settings.recipe import Recipe
from experiments.system.errors import TandemError
from experiments.system.files import scratch_folder
from experiments.tracking.models import fetch_model
from experiments.training.code import code_of, digest_with
from experiments.training.outputs import MODEL

NEEDED = ("recipe", "backend", "seed", "architecture", "code", "dataset_fingerprint")


@dataclass(frozen=True)
class Source:
    """A trained model: its run, and the recipe that it was built from, as the run has it.

    `code_changed`: the code that trains it is another one now; new versions of packages don't count.
    """

    run: Measured
    key: RunKey
    recipe: Recipe
    code_changed: bool

    def refuse(self, expected: str, remedy: str) -> TandemError:
        """Return the error that says what was expected of the run."""
        return refusal(self.run, expected, remedy)


def refusal(run: Measured, expected: str, remedy: str) -> TandemError:
    """Return the error that says what was expected of a run."""
    return TandemError(f"RUN: {run.where}: expected {expected}", advice=remedy)


def find_source(project: Project, name: str) -> Source:
    """Return the model of the run of that name, as `tandem compare` names runs.

    Raises:
        TandemError: there is no such run, or as `source_of`.
    """
    return source_of(find(project, name))


def source_of(run: Measured) -> Source:
    """Return the model of a run.

    Raises:
        TandemError: it is a trial, or its record lacks what it takes to build its model again.
    """
    check_no_trial(run)
    settings = run.settings
    missing = [key for key in NEEDED if key not in settings] + ["final_weights"] * (not run.final_weights)
    if missing:
        raise TandemError(
            f"RUN: {run.where}: expected the record of a complete training; it lacks {', '.join(missing)}; name "
            "another run, or train it again"
        )
    key = RunKey(settings["recipe"], backend_name(settings["backend"]), int(settings["seed"]))
    recipe = recipe_of(run)
    check_architecture(recipe.architecture, asked_by=f"RUN: {run.where}: architecture")
    code = code_of(key.backend, recipe.architecture)
    return Source(run, key, recipe, digest_with(code, versions_of(run)) != settings["code"])


def check_no_trial(run: Measured) -> None:
    """Refuse a trial: it has no model.

    Raises:
        TandemError: the run is one.
    """
    if "trial" in run.settings:
        raise TandemError(
            f"RUN: expected the run of a complete training; got {run.label}, a trial, and a sweep keeps no models of "
            "its trials; make it a recipe (`tandem sweep promote`), and train that"
        )


def versions_of(run: Measured) -> dict[str, str]:
    """Return the versions of Python and of the packages that a run was trained with."""
    return {name.removeprefix(VERSION): text for name, text in run.settings.items() if name.startswith(VERSION)}


def recipe_of(run: Measured) -> Recipe:
    """Return the recipe of a run, as it has recorded it.

    Raises:
        TandemError: an older version has recorded it otherwise.
    """
    kept = {name: value_of(run.settings[name]) for name in Recipe.model_fields if name in run.settings}
    try:
        return Recipe.model_validate(kept)
    except ValidationError as error:
        where = ".".join(map(str, error.errors()[0]["loc"])) or "recipe"
        raise TandemError(
            f"RUN: {run.where}: expected the record of a recipe as it is written now; got another {where}; "
            "an older version made the run: train it again"
        ) from None


def dataset_of(project: Project, source: Source) -> Dataset:
    """Return the data that a model was trained on: their statistics are a part of the model.

    Raises:
        TandemError: prepared/ has other data, or none.
    """
    dataset = load_dataset(project.prepared)
    expected = source.run.settings["dataset_fingerprint"]
    if dataset.fingerprint != expected:
        raise source.refuse(
            f"its data, fingerprint {expected[:12]}, in prepared/; got {dataset.fingerprint[:12]}",
            "bring back data.dvc and the section `preprocess` of params.yaml, then run `dvc repro preprocess`",
        )
    return dataset


@contextmanager
def saved_model(run: Measured) -> Iterator[Path]:
    """Yield the folder of a run's saved model, a copy if MLflow alone has it.

    Raises:
        TandemError: there is none.
    """
    with scratch_folder("tandem-model-") as copy:
        folder = run.folder / MODEL if run.folder else fetch_model(run.run_id, copy)
        if folder is None or not folder.is_dir() or not any(folder.iterdir()):
            raise refusal(run, "its saved model; it keeps none", "train it again")
        yield folder
