"""What the factories of architectures take: read from their source, since importing takes seconds."""

import ast
import importlib.util
from collections.abc import Sequence
from pathlib import Path

from experiments.system.errors import TandemError

# What a factory is given by its name, besides the recipe's options: where it comes from.
GIVEN = {"classes": "the dataset has it", "image_shape": "the dataset has it", "dropout": "it is a key of the recipe"}


def arguments_of(target: str) -> list[str]:
    """Return the arguments of a factory, module:function or module:class.

    Raises:
        TandemError: it is missing, or its file is no Python.
    """
    module, _, function = target.partition(":")
    try:
        spec = importlib.util.find_spec(module)
    except (ModuleNotFoundError, ValueError):  # its package is missing, or its name is empty
        spec = None
    if spec is None or spec.origin is None:
        raise TandemError(f"{target}: expected a module {module}; got none; add its file, or correct ARCHITECTURES")
    try:
        definitions = ast.parse(Path(spec.origin).read_bytes()).body
    except (SyntaxError, ValueError) as error:
        line, reason = getattr(error, "lineno", None) or 1, getattr(error, "msg", error)
        raise TandemError(f"{spec.origin}, line {line}: expected Python; got an error: {reason}; fix it") from None
    arguments = _arguments_in(definitions, function)
    if arguments is None:
        raise TandemError(f"{spec.origin}: expected a function {function}; got none; add it, or correct ARCHITECTURES")
    return arguments


def _arguments_in(definitions: Sequence[ast.stmt], name: str) -> list[str] | None:
    """Return the arguments of a function, a class, or another name or a `partial` of one; None: there is none."""
    for position, node in enumerate(definitions):
        if isinstance(node, ast.FunctionDef) and node.name == name:
            return [argument.arg for argument in (*node.args.args, *node.args.kwonlyargs)]
        if isinstance(node, ast.ClassDef) and node.name == name:
            return (_arguments_in(node.body, "__init__") or ["self"])[1:]
        if isinstance(node, ast.Assign) and name in map(ast.unparse, node.targets):
            bound = node.value.keywords if isinstance(node.value, ast.Call) else []
            original = node.value.args[0] if isinstance(node.value, ast.Call) and node.value.args else node.value
            arguments = _arguments_in(definitions[:position], ast.unparse(original)) or []
            return [argument for argument in arguments if argument not in [keyword.arg for keyword in bound]]
    return None


def options_in(targets: Sequence[str]) -> list[str]:
    """Return the options that all of these factories take, in the order of the first."""
    first, *others = [arguments_of(target) for target in targets]
    return [name for name in first if name not in GIVEN and all(name in other for other in others)]
