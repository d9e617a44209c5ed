"""What `tandem graphs` asks of a framework: ways to run a function, and its own reports of what it made of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

# Arrays become tensors; Python numbers stay what they are.
Argument = npt.NDArray[np.float32] | float
Function = Callable[..., Any]


@dataclass(frozen=True)
class Report:
    """What a framework says that it has made of a function: in words, and the numbers in them."""

    words: str
    counts: Mapping[str, int] = field(default_factory=dict)


class Compiled(Protocol):
    """A function, eager or compiled in some way."""

    @property
    def run(self) -> Function:
        """What to call with tensors and Python numbers; it returns a tensor."""
        ...

    def report(self) -> Report:
        """Return what the framework reports of the calls so far."""
        ...


@dataclass(frozen=True)
class Way:
    """A way to run a function: the call as a reader writes it, and what makes it of a function and first arguments.

    Compiling may raise anything that the framework raises, and a TandemError where this machine lacks something.
    """

    name: str
    compile: Callable[[Function, Sequence[Any]], Compiled]


class Graphs(Protocol):
    """The module `graphs.ways` of a framework's package."""

    NAME: str
    # The ways of each question, by its key.
    WAYS: Mapping[str, Sequence[Way]]

    def to_tensor(self, array: npt.NDArray[np.float32]) -> Any:
        """Return an array as a tensor."""
        ...

    def to_array(self, tensor: Any) -> npt.NDArray[np.float32]:
        """Return a tensor as an array."""
        ...

    def reason(self, error: Exception) -> str:
        """Return the line of an error's message that says why."""
        ...


def counted(count: int, noun: str) -> str:
    """Return a number and what it counts, such as `1 graph` or `2 graphs`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def times(count: int) -> str:
    """Return how often something was done, such as `once` or `2 times`."""
    return "once" if count == 1 else f"{count} times"


def fused(operations: int, kernels: Sequence[str]) -> Report:
    """Return how many operations became which kernels."""
    words = f"{counted(operations, 'operation')} in {counted(len(kernels), 'kernel')}: {', '.join(kernels)}"
    return Report(words, {"operations": operations, "kernels": len(kernels)})
