"""What parity finds for one architecture, in memory and as JSON."""

import math
from dataclasses import asdict, dataclass, field
from typing import Any

from experiments.contract.backend import Precision
from experiments.parity.check import Quantity, first_beyond, largest
from experiments.parity.dropout import DropoutCheck
from experiments.parity.protocol import Optimiser


@dataclass(frozen=True)
class Training:
    """A small training in both frameworks: the quantities of its first batch, then those of each step."""

    optimiser: Optimiser
    precision: Precision
    start: list[Quantity]
    steps: list[list[Quantity]]

    @property
    def quantities(self) -> list[Quantity]:
        """All of them, in the order in which they come about."""
        return [*self.start, *(one for row in self.steps for one in row)]

    def as_json(self) -> dict[str, Any]:
        """Return the quantity that comes closest to its bound, the first beyond it, and the course of the steps.

        `maximum` is the difference of the closest quantity, the largest in the measure that counts.
        """
        closest, beyond = largest(self.quantities), first_beyond(self.quantities)
        worst = [largest(row) for row in self.steps]
        return {
            "optimiser": self.optimiser,
            "precision": self.precision,
            "passed": beyond is None,
            "closest": closest.where,
            "maximum": _finite(closest.difference),
            "bound": _finite(closest.bound),
            "first_difference": beyond and {name: _finite(value) for name, value in asdict(beyond).items()},
            "steps": {
                "difference": [_finite(max(one.difference for one in row)) for row in self.steps],
                "share_of_bound": [_finite(one.ratio) for one in worst],
            },
        }


def _finite(value: Any) -> Any:
    """Return the value, or None for a number that JSON has no word for."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


@dataclass
class Result:
    """What parity found for one architecture.

    `problems` are the first differences, in the order in which they were found; none: the twins are the same.
    """

    architecture: str
    styles: list[str]
    parameters: int = 0
    layers: int = 0
    trainings: list[Training] = field(default_factory=list)
    dropout: list[DropoutCheck] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return everything that parity.json says of the architecture."""
        return {
            "architecture": self.architecture,
            "styles": self.styles,
            "passed": not self.problems,
            "problems": self.problems,
            "layers": self.layers,
            "parameters": self.parameters,
            "trainings": [training.as_json() for training in self.trainings],
            "dropout": [asdict(check) for check in self.dropout],
        }
