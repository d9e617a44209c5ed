"""The default arguments of functions, as text."""

import inspect
from collections.abc import Callable
from typing import Any


def default_of(function: Callable[..., Any], name: str) -> Any:
    """Return the default of an argument, `required` where there is none."""
    default = inspect.signature(function).parameters[name].default
    return "required" if default is inspect.Parameter.empty else default


def defaults_of(function: Callable[..., Any], *names: str) -> str:
    """Return the defaults of some arguments, `name value, name value`."""
    return ", ".join(f"{name} {default_of(function, name)}" for name in names)
