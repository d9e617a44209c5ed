"""The result of a confirmation: candidates and what fresh seeds brought."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from experiments.reports.intervals import Interval, interval
from experiments.sweep.plan import Plan
from experiments.sweep.ranking import better
from experiments.system.errors import TandemError


@dataclass(frozen=True)
class Candidate:
    """A trial of the sweep, and what its settings bring with fresh seeds.

    `values` has the objective by seed; seeds whose training failed are missing. `own`: the recipe's own settings.
    """

    trial: int
    settings: Mapping[str, float]
    sweep_value: float
    values: Mapping[int, float]
    own: bool


@dataclass(frozen=True)
class Confirmation:
    """The candidates, the best mean first; those that failed with a seed come last.

    `plan` is that of the sweep; `epochs` is how long the candidates were trained for.
    """

    plan: Plan
    epochs: int
    seeds: Sequence[int]
    candidates: Sequence[Candidate]

    @property
    def winner(self) -> Candidate:
        """The candidate with the best mean."""
        return self.candidates[0]

    def difference(self, other: Candidate) -> Interval:
        """Return by how much the winner is ahead of another, from the differences seed by seed (positive: ahead).

        Raises:
            TandemError: one of them has not all seeds.
        """
        for one in (self.winner, other):
            if len(one.values) < len(self.seeds):
                raise TandemError(f"trial {one.trial}: expected {len(self.seeds)} seeds; got {len(one.values)}")
        sign = better(self.plan)
        return interval([sign * (other.values[seed] - self.winner.values[seed]) for seed in self.seeds])
