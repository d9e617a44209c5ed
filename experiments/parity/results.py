"""The results of parity: of a training, of an architecture, of a setting."""

import math
from dataclasses import asdict, dataclass, field
from typing import Any, TypeVar

from experiments.contract.model_settings import Precision
from experiments.parity.check import Quantity, first_beyond, largest
from experiments.parity.dropout import DropoutCheck
from experiments.parity.mixed import Mixed
from experiments.parity.variants import Variant
from experiments.settings.recipe import OptimiserName

T = TypeVar("T")


@dataclass(frozen=True)
class Training:
    """A small training in both frameworks: the quantities of its first batch, then those of each step."""

    optimiser: OptimiserName
    precision: Precision | Mixed
    start: list[Quantity]
    steps: list[list[Quantity]]

    @property
    def quantities(self) -> list[Quantity]:
        """All of them, in the order in which they are computed."""
        return [*self.start, *(quantity for row in self.steps for quantity in row)]

    @property
    def differences(self) -> list[float]:
        """The largest difference of each step."""
        return [max(quantity.difference for quantity in row) for row in self.steps]

    def as_json(self) -> dict[str, Any]:
        """Return the quantity closest to its bound, the first beyond it, and the largest of each step.

        `maximum` is the difference of the closest quantity.
        """
        closest, beyond = largest(self.quantities), first_beyond(self.quantities)
        return {
            "optimiser": self.optimiser,
            "precision": self.precision,
            "passed": beyond is None,
            "closest": closest.where,
            "maximum": _finite(closest.difference),
            "bound": _finite(closest.bound),
            "first_difference": beyond and {name: _finite(value) for name, value in asdict(beyond).items()},
            "steps": {
                "difference": [_finite(value) for value in self.differences],
                "share_of_bound": [_finite(largest(row).ratio) for row in self.steps],
            },
        }


def _finite(value: T) -> T | None:
    """Return the value, or None for a number that JSON can't hold."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


@dataclass
class Result:
    """The result for one architecture; `problems` are the first differences, none if the twins are the same."""

    architecture: str
    styles: list[str]
    problems: list[str] = field(default_factory=list)
    layers: int = 0
    parameters: int = 0
    trainings: list[Training] = field(default_factory=list)
    dropout: list[DropoutCheck] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return the content of parity.json for the architecture."""
        return {
            "passed": not self.problems,
            **vars(self),
            "trainings": [training.as_json() for training in self.trainings],
            "dropout": [asdict(check) for check in self.dropout],
        }


@dataclass
class SettingResult:
    """The result for one setting; `problems` are the first differences, none if it does the same in both."""

    setting: str
    variant: Variant
    problems: list[str]
    trainings: list[Training]

    def as_json(self) -> dict[str, Any]:
        """Return the content of parity.json for the setting."""
        return {
            "passed": not self.problems,
            "setting": self.setting,
            "changes": dict(self.variant.changes),
            "problems": self.problems,
            "trainings": [training.as_json() for training in self.trainings],
        }
