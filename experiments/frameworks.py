"""Which architectures there are, read without importing a framework."""

import ast
import importlib
import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import cast

import models_tf
import models_torch
from experiments.contract.backend import Backend, Device, Model
from experiments.contract.inspection import Inspection
from experiments.settings.params import Params
from experiments.settings.recipe import BackendName
from experiments.system.errors import TandemError

PACKAGES: dict[BackendName, str] = {"lightning": "models_torch", "keras": "models_tf"}
# The packages whose versions decide the bits of a training.
DISTRIBUTIONS: dict[BackendName, tuple[str, ...]] = {
    "lightning": ("torch", "lightning", "numpy", "scipy"),
    "keras": ("tensorflow", "keras", "numpy", "scipy"),
}
ARCHITECTURES: dict[BackendName, Mapping[str, str]] = {
    "lightning": models_torch.ARCHITECTURES,
    "keras": models_tf.ARCHITECTURES,
}


def check_architecture(name: str, *, asked_by: str) -> None:
    """Refuse an architecture that is not there for both frameworks.

    Raises:
        TandemError: naming `asked_by`, the setting or argument, and the architectures there are.
    """
    common = [known for known in models_torch.ARCHITECTURES if known in models_tf.ARCHITECTURES]
    for backend, architectures in ARCHITECTURES.items():
        if name not in architectures:
            raise TandemError(
                f"{asked_by}: expected one of {', '.join(common)}; got {name!r}, which {PACKAGES[backend]} lacks"
            )


def check_architectures(params: Params) -> None:
    """Refuse a recipe whose architecture is not there for both frameworks, or has no dropout where it sets one.

    Raises:
        TandemError: naming the recipe, and the architectures there are.
    """
    for name, recipe in params.recipes.items():
        check_architecture(recipe.architecture, asked_by=f"params.yaml: recipes.{name}.architecture")
        if recipe.dropout is not None and not takes_dropout(recipe.architecture):
            raise TandemError(
                f"params.yaml: recipes.{name}.dropout: expected none, since {recipe.architecture} has no dropout; "
                f"got {recipe.dropout}; remove the key"
            )
        if recipe.dropout is None and takes_dropout(recipe.architecture):
            raise TandemError(
                f"params.yaml: recipes.{name}.dropout: expected a probability of dropping, 0 for none, since "
                f"{recipe.architecture} has dropout; got nothing; add the key"
            )


def takes_dropout(architecture: str) -> bool:
    """Return whether the factories of an architecture have an argument `dropout`.

    Raises:
        TandemError: one of them has, and the other hasn't.
    """
    takes = {PACKAGES[name]: _takes_dropout(targets[architecture]) for name, targets in ARCHITECTURES.items()}
    if len(set(takes.values())) > 1:
        one = next(package for package, does in takes.items() if does)
        raise TandemError(f"{architecture}: expected an argument `dropout` of both factories, or of none; got {one}'s")
    return all(takes.values())


def _takes_dropout(target: str) -> bool:
    """Return whether a factory, module:function, has an argument `dropout`; read, since importing takes seconds."""
    module, function = target.split(":")
    spec = importlib.util.find_spec(module)
    source = Path(spec.origin).read_text() if spec and spec.origin else ""
    definitions = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)]
    arguments = [a.arg for n in definitions if n.name == function for a in (*n.args.args, *n.args.kwonlyargs)]
    return "dropout" in arguments


def twins() -> dict[str, list[str]]:
    """Return every architecture that both frameworks have, with its other styles.

    Names that share a factory in one framework and have different ones in the other (`cnn3`, `cnn3-functional`) are
    one network written in several styles; the first of them stands for all.
    """
    found: dict[str, list[str]] = {}
    first_of: dict[str, str] = {}
    for name, target in models_torch.ARCHITECTURES.items():
        if name not in models_tf.ARCHITECTURES:
            continue
        known = first_of.get(target) or first_of.get(models_tf.ARCHITECTURES[name])
        if known is None:
            found[name] = []
            first_of |= {target: name, models_tf.ARCHITECTURES[name]: name}
        else:
            found[known].append(name)
    return found


def backend_name(name: str, *, asked_by: str = "BACKEND") -> BackendName:
    """Return the name as one of the backends there are.

    Raises:
        TandemError: there is none of that name.
    """
    for known in PACKAGES:
        if name == known:
            return known
    raise TandemError(f"{asked_by}: expected one of {', '.join(PACKAGES)}; got {name!r}")


def load_backend(name: BackendName, *, device: Device, threads: int) -> Backend[Model]:
    """Import a framework, which takes seconds, and set it up."""
    module = importlib.import_module(f"{PACKAGES[name]}.backend.backend")
    return cast(Backend[Model], module.Backend(device=device, threads=threads))


def load_inspection(name: BackendName) -> Inspection[Model]:
    """Return the inspection of a framework that `load_backend` has set up."""
    return cast(Inspection[Model], importlib.import_module(f"{PACKAGES[name]}.backend.inspection"))
