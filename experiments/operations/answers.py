"""What a call answers: arrays, or an error. Run in a process that has imported one framework."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from experiments.operations.inputs import INPUTS

# As much of an error as tells which one it is.
LONGEST = 72


@dataclass(frozen=True)
class Array:
    """An array as a call returned it; `dtype` is the library's name for it, without the library's."""

    dtype: str
    values: npt.NDArray[Any]

    def __str__(self) -> str:
        shape = ", ".join(map(str, self.values.shape)) + ("," if self.values.ndim == 1 else "")
        return f"{self.dtype} ({shape}) {_text(self.values.tolist())}"


@dataclass(frozen=True)
class Answer:
    """The arrays that a call returned, in their order, or the error that it raised: its type, and its message."""

    arrays: tuple[Array, ...] = ()
    error: str = ""

    def __str__(self) -> str:
        return self.error or "; ".join(map(str, self.arrays))


def answer(call: str, names: Mapping[str, Any], tensor: Callable[[npt.NDArray[Any]], Any]) -> Answer:
    """Run a call with the arrays of the table and the names of its library, and return what it answers."""
    known = {**names, **{name: tensor(each.array) for name, each in INPUTS.items()}}
    try:
        with np.errstate(all="ignore"):
            found = eval(call, known)  # noqa: S307 - a text of our own table
        return Answer(tuple(_array(each) for each in (found if isinstance(found, list | tuple) else [found])))
    except Exception as error:
        return Answer(error=f"{type(error).__name__}: {_short(str(error))}")


def _array(value: Any) -> Array:
    values = np.asarray(value)
    dtype = getattr(value, "dtype", values.dtype)
    return Array(getattr(dtype, "name", str(dtype)).removeprefix("torch."), values)


def _short(message: str) -> str:
    """Return the beginning of an error's message, without colours and what TensorFlow says of where it is."""
    words = " ".join(re.sub(r"\x1b\[\d*m|\{\{.*?\}\}|\[Op:.*", "", message, flags=re.DOTALL).split())
    return words if len(words) <= LONGEST else f"{words[:LONGEST].rsplit(' ', 1)[0]} …"


def _text(values: Any) -> str:
    if isinstance(values, list):
        return f"[{', '.join(map(_text, values))}]"
    return f"{values:.4g}" if isinstance(values, float) else str(values)
