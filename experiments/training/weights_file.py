"""The file of weights that a recipe starts from: a state dict of PyTorch, such as torchvision publishes."""

import hashlib
import importlib
import tempfile
from pathlib import Path

import numpy as np

from experiments.contract.weights import Weights
from experiments.settings.recipe import Recipe
from experiments.system.errors import TandemError
from experiments.system.isolated import IsolatedProcess, JobFailed


def read_weights(name: str, recipe: Recipe, folder: Path) -> Weights | None:
    """Return the arrays of the file that a recipe of that name starts from, by the project's names; None: it has none.

    A relative path begins in `folder`. PyTorch reads the file in a process of its own: Keras's must not import it.

    Raises:
        TandemError: the file is missing, has another SHA-256, or holds no state dict.
    """
    if recipe.weights is None:
        return None
    file, key = folder / recipe.weights, f"params.yaml: recipes.{name}.weights"
    _check_digest(file, str(recipe.weights_sha256), key)
    with tempfile.TemporaryDirectory() as temporary, IsolatedProcess(f"{key}: the reading") as process:
        try:
            process.call(_read, file, Path(temporary, "weights.npz"))
        except JobFailed as error:
            expected = "expected a state dict of PyTorch (torch.save of names and tensors), or a saved model.pt2"
            raise TandemError(f"{key}: {expected}; got {error}", advice="name another file") from None
        with np.load(Path(temporary, "weights.npz")) as arrays:
            return dict(arrays)


def _check_digest(file: Path, expected: str, key: str) -> None:
    try:
        with file.open("rb") as content:
            actual = hashlib.file_digest(content, "sha256").hexdigest()
    except OSError as error:
        advice = "download the file, or correct the path"
        raise TandemError(f"{key}: expected a file; got {file}: {error.strerror}", advice=advice) from None
    if not actual.startswith(expected):
        problem = f"{key}: expected {file} to have a SHA-256 that begins with {expected}; got {actual}"
        raise TandemError(problem, advice="download the file again, or correct weights_sha256")


def _read(file: Path, target: Path) -> None:
    importlib.import_module("models_torch.backend.state_dict").to_npz(file, target)
