"""An operation: the call in each library, as text that is shown and run."""

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

Library = Literal["numpy", "torch", "tensorflow", "keras"]
LIBRARIES: tuple[Library, ...] = get_args(Library)
SHOWN: dict[Library, str] = {"numpy": "NumPy", "torch": "PyTorch", "tensorflow": "TensorFlow", "keras": "Keras"}


@dataclass(frozen=True)
class Operation:
    """What people look up by its name, and the call in each library; None where a library has no such function.

    A call names arrays of `INPUTS`. `undefined`: neither C nor NumPy says what the answer is, and another processor may
    give another one.
    """

    name: str
    numpy: str | None
    torch: str | None
    tensorflow: str | None
    keras: str | None
    undefined: bool = False

    @property
    def calls(self) -> dict[Library, str]:
        """The calls that there are, by library."""
        every: dict[Library, str | None] = {library: getattr(self, library) for library in LIBRARIES}
        return {library: call for library, call in every.items() if call is not None}

    def names(self, known: Sequence[str]) -> list[str]:
        """Return which of the known names the calls use, in the order in which they do."""
        trees = [node for call in self.calls.values() for node in ast.walk(ast.parse(call, mode="eval"))]
        used = {node.id: None for node in trees if isinstance(node, ast.Name)}
        return [name for name in used if name in known]
