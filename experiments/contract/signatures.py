"""The default arguments of functions, as text."""

import inspect
from collections.abc import Callable


def default_of(function: Callable[..., object], name: str) -> object:
    """Return the default of an argument, `required` if it has none."""
    default = inspect.signature(function).parameters[name].default
    return "required" if default is inspect.Parameter.empty else default


def defaults_of(function: Callable[..., object], *names: str) -> str:
    """Return the defaults of some arguments, `name value, name value`."""
    return ", ".join(f"{name} {default_of(function, name)}" for name in names)
