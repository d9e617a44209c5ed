"""A small network around each layer that Tandem knows, so that parity can prove the layer: `tandem layers`.

A package has them in its module `layer_examples`: EXAMPLES, a literal dict for each kind of input, with a lambda for
each layer. It is read as text here, so that a table shows what ran, and no framework is imported.
"""

import ast
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

PREFIX = "layer:"


@dataclass(frozen=True)
class Example:
    """A layer of an example: the kind of its input, the call that makes it, and whether it takes a rate of dropout."""

    input: str
    call: str
    takes_rate: bool


def architecture_of(layer: str) -> str:
    """Return the name of the network around a layer, which no recipe can have: `layer:gru`."""
    return f"{PREFIX}{layer}"


def target_of(architectures: Mapping[str, str], architecture: str) -> str:
    """Return where the factory of an architecture is, module:function; `architectures` are those of one framework."""
    if not architecture.startswith(PREFIX):
        return architectures[architecture]
    package = next(iter(architectures.values())).partition(".")[0]
    return f"{package}.layer_examples:build"


def factory_of(architectures: Mapping[str, str], architecture: str) -> Callable[..., Any]:
    """Return what builds an architecture, from the number of classes and, where it has dropout, the rate."""
    factory: Callable[..., Any] = pkgutil.resolve_name(target_of(architectures, architecture))
    return partial(factory, architecture.removeprefix(PREFIX)) if architecture.startswith(PREFIX) else factory


@cache
def examples_of(package: str) -> dict[str, Example]:
    """Return the examples of a framework's package by the layer's name, from the source."""
    spec = find_spec(f"{package}.layer_examples")
    assert spec is not None and spec.origin is not None  # noqa: PT018, S101 - the project has both
    source = Path(spec.origin).read_text(encoding="utf-8")
    (value,) = (
        node.value
        for node in ast.parse(source).body
        if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "EXAMPLES"
    )
    assert isinstance(value, ast.Dict)  # noqa: S101
    return {
        layer: example
        for given, group in _items(value)
        if isinstance(group, ast.Dict)
        for layer, example in _read(given, group, source).items()
    }


def _read(given: str, group: ast.Dict, source: str) -> dict[str, Example]:
    read = {}
    for layer, made in _items(group):
        assert isinstance(made, ast.Lambda)  # noqa: S101
        call = " ".join((ast.get_source_segment(source, made.body) or "").split())
        read[layer] = Example(given, call, bool(made.args.args))
    return read


def _items(literal: ast.Dict) -> list[tuple[str, ast.expr]]:
    names = [ast.literal_eval(key) for key in literal.keys if key is not None]
    return list(zip(names, literal.values, strict=True))
