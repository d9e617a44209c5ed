"""The registry of backends and architectures, read without importing a framework."""

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import cast

import models_tf
import models_torch
from experiments.contract.backend import Backend, Device
from experiments.contract.examples import PREFIX, examples_of
from experiments.contract.exporting import Exporting
from experiments.contract.factories import GIVEN, arguments_of, options_in
from experiments.contract.inputs import input_of
from experiments.contract.layers import Inspection
from experiments.contract.model import Model, SavedModel
from experiments.settings.params import Params
from experiments.settings.recipe import BackendName, Option, Recipe
from experiments.system.errors import TandemError
from experiments.system.quiet import quiet_native_stderr

PACKAGES: dict[BackendName, str] = {"lightning": "models_torch", "keras": "models_tf"}
# The packages whose versions decide the bits of a training.
DISTRIBUTIONS: dict[BackendName, tuple[str, ...]] = {
    "lightning": ("torch", "lightning", "numpy", "scipy"),
    "keras": ("tensorflow", "keras", "numpy", "scipy"),
}
# What a factory returns.
NETWORKS: dict[BackendName, str] = {"lightning": "torch.nn:Module", "keras": "keras:Layer"}
# Whose saved models can't be loaded without the classes that an architecture has of its own.
NEED_SOURCE: tuple[BackendName, ...] = ("keras",)
ARCHITECTURES: dict[BackendName, Mapping[str, str]] = {
    "lightning": models_torch.ARCHITECTURES,
    "keras": models_tf.ARCHITECTURES,
}


def check_architecture(name: str, *, asked_by: str) -> None:
    """Refuse an architecture that one of the frameworks lacks.

    Raises:
        TandemError: naming `asked_by`, the setting or argument, and the known architectures.
    """
    common = ", ".join(known for known in models_torch.ARCHITECTURES if known in models_tf.ARCHITECTURES)
    for backend, architectures in ARCHITECTURES.items():
        if name not in architectures:
            raise TandemError(f"{asked_by}: expected one of {common}; got {name!r}, which {PACKAGES[backend]} lacks")


def check_architectures(params: Params) -> None:
    """Refuse a recipe whose architecture one of the frameworks lacks, or whose settings don't suit the architecture.

    Raises:
        TandemError: naming the recipe and what was expected, or the architecture's file where that is wrong.
    """
    for name, recipe in params.recipes.items():
        key, architecture = f"params.yaml: recipes.{name}", recipe.architecture
        check_architecture(architecture, asked_by=f"{key}.architecture")
        _check_input(key, recipe)
        check_options(f"{key}.options", architecture, recipe.options)
        if recipe.dropout is not None and not takes_dropout(architecture):
            expected = f"expected none, since {architecture} has no dropout"
            raise TandemError(f"{key}.dropout: {expected}; got {recipe.dropout}; remove the key")
        if recipe.dropout is None and takes_dropout(architecture):
            expected = f"expected a probability of dropping, 0 for none, since {architecture} has dropout"
            raise TandemError(f"{key}.dropout: {expected}; got nothing; add the key")


def _check_input(key: str, recipe: Recipe) -> None:
    architecture, takes = recipe.architecture, input_of(recipe.architecture)
    if recipe.image_size is not None and takes.size is None:
        expected = f"expected none, since {architecture} takes the dataset's images as they are"
        advice = "remove the key, or list the architecture in experiments/contract/inputs.py"
        raise TandemError(f"{key}.image_size: {expected}; got {recipe.image_size}", advice=advice)
    if recipe.scaling == "imagenet" and takes.channels == 1:
        expected = f"expected unit or standardised, since {architecture} takes images of one channel"
        raise TandemError(f"{key}.scaling: {expected}; got imagenet, which is for 3")


def takes_dropout(architecture: str) -> bool:
    """Return whether the factories of an architecture have an argument `dropout`.

    Raises:
        TandemError: only one of them has, or one is missing, or its file is no Python.
    """
    if architecture.startswith(PREFIX):
        return examples_of("models_torch")[architecture.removeprefix(PREFIX)].takes_rate
    targets = [factories[architecture] for factories in ARCHITECTURES.values()]
    having = [target for target in targets if "dropout" in arguments_of(target)]
    if len(having) == 1:
        expected = f"{architecture}: expected an argument `dropout` of both factories, or of none"
        raise TandemError(f"{expected}; got one in {having[0]} alone")
    return bool(having)


def check_options(key: str, architecture: str, options: Mapping[str, Option]) -> None:
    """Refuse options that a factory of an architecture, or one of its styles, lacks.

    Raises:
        TandemError: naming `key`, the setting or argument, the architecture and its options.
    """
    for name in options:
        if name in GIVEN:
            raise TandemError(f"{key}: expected no {name}, since {GIVEN[name]}; got {options[name]!r}; remove it")
    styles = next(([first, *others] for first, others in twins().items() if architecture in (first, *others)), [])
    targets = [factories[style] for factories in ARCHITECTURES.values() for style in styles or [architecture]]
    known = options_in(targets)
    for name in (name for name in options if name not in known):
        lacking = [target for target in dict.fromkeys(targets) if name not in arguments_of(target)]
        in_some = len(lacking) < len(set(targets))
        advice = f", which {' and '.join(lacking)} lack(s); add the argument" if in_some else "; correct or remove it"
        expected = f"one of {', '.join(known)}, the options of {architecture}" if known else "none"
        why = "" if known else f", since {architecture} has no options"
        raise TandemError(f"{key}: expected {expected}{why}; got {name}{advice}")


def twins() -> dict[str, list[str]]:
    """Return every architecture that both frameworks have, with its other styles.

    Names that share a factory in one framework and have different ones in the other (`cnn3`, `cnn3-functional`) are
    one network written in several styles; the first of them stands for all.
    """
    torch, keras = models_torch.ARCHITECTURES, models_tf.ARCHITECTURES
    styles: dict[str, list[str]] = {}
    for name in (name for name in torch if name in keras):
        first = next((known for known in styles if torch[known] == torch[name] or keras[known] == keras[name]), None)
        if first is None:
            styles[name] = []
        else:
            styles[first].append(name)
    return styles


def backend_name(name: str, *, asked_by: str = "BACKEND") -> BackendName:
    """Return the name as that of a known backend.

    Raises:
        TandemError: no backend has that name.
    """
    for known in PACKAGES:
        if name == known:
            return known
    raise TandemError(f"{asked_by}: expected one of {', '.join(PACKAGES)}; got {name!r}")


def load_backend(name: BackendName, *, device: Device, threads: int) -> Backend[Model]:
    """Import a framework, which takes seconds, and return its backend."""
    module = importlib.import_module(f"{PACKAGES[name]}.backend.backend")
    return cast(Backend[Model], module.Backend(device=device, threads=threads))


def load_saved(name: BackendName, folder: Path, architecture: str) -> SavedModel:
    """Import a framework, and load a model that a training has saved into a folder.

    Raises:
        Exception: the framework's own; the file is missing or damaged, or has classes whose source isn't there.
    """
    source = ARCHITECTURES[name].get(architecture, "").partition(":")[0]
    with quiet_native_stderr(shown_if_it_fails=False):
        module = importlib.import_module(f"{PACKAGES[name]}.backend.saved")
        if name in NEED_SOURCE and source:
            importlib.import_module(source)
        return cast(SavedModel, module.SavedModel(folder))


def load_inspection(name: BackendName) -> Inspection[Model]:
    """Return the inspection of a framework that `load_backend` has set up."""
    return cast(Inspection[Model], importlib.import_module(f"{PACKAGES[name]}.backend.inspection"))


def load_exporting(name: BackendName) -> Exporting[Model]:
    """Return what writes the models of a framework that `load_backend` has set up, in the formats of others."""
    return cast(Exporting[Model], importlib.import_module(f"{PACKAGES[name]}.backend.exporting"))
