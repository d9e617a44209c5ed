"""The result of a confirmation: candidates, their values with fresh seeds, and what is proven by them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from experiments.reports.intervals import Interval, interval
from experiments.sweep.plan import Plan

# Two seeds whose differences happen to be equal would prove anything.
LEAST_SEEDS = 3
# Half an interval below this is that of equal differences, after rounding.
LEAST_SPREAD = 1e-9


@dataclass(frozen=True)
class Candidate:
    """A trial of the sweep, and the values of its settings with fresh seeds.

    `values` has the objective by seed; seeds whose training failed are missing. `own`: the recipe's own settings.
    """

    trial: int
    settings: Mapping[str, Any]
    sweep_value: float
    values: Mapping[int, float]
    own: bool

    def __str__(self) -> str:
        """Return what messages call it."""
        return f"trial {self.trial}" + (" (the recipe's own settings)" if self.own else "")


@dataclass(frozen=True)
class Lead:
    """By how much the winner is ahead of another candidate (positive: ahead), and what speaks against a proof."""

    other: Candidate
    difference: Interval
    doubt: str | None


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
    def label(self) -> str:
        """What tells it from the sweep's other confirmations, in the names of files too."""
        trials = "-".join(str(number) for number in sorted(candidate.trial for candidate in self.candidates))
        return f"{self.epochs}-epochs-{len(self.seeds)}-seeds-trials-{trials}"

    @property
    def winner(self) -> Candidate:
        """The candidate with the best mean."""
        return self.candidates[0]

    @property
    def complete(self) -> Sequence[Candidate]:
        """The candidates that have a value for every seed."""
        return [candidate for candidate in self.candidates if len(candidate.values) == len(self.seeds)]

    def leads(self) -> list[Lead]:
        """Return the winner's lead over the recipe's own settings, then over the second.

        The winner is chosen by the values that it is judged by, so the chance of any false proof is held at 2.5 % over
        all winners that there could have been. The recipe's own settings come first: with m other candidates that is
        m paired t tests, at 2.5 %/m each (Bonferroni). The second follows only if that is proven (a fixed sequence:
        Maurer, Hothorn and Lehmacher, 1995): m(m - 1) ordered pairs. Of m candidates, s no better than the recipe's
        own settings, the false proofs add up to s/m + (m - s)(m - s - 1)/(m(m - 1)) <= 1 times 2.5 %.
        """
        if self.winner.own or self.winner not in self.complete:
            return []
        count = sum(not candidate.own for candidate in self.candidates)
        others = [(candidate, count) for candidate in self.complete if candidate.own]
        others += [(candidate, count * (count - 1)) for candidate in self.complete[1:2] if not candidate.own]
        leads: list[Lead] = []
        for other, comparisons in others:
            ahead = [self.plan.sign * (other.values[seed] - self.winner.values[seed]) for seed in self.seeds]
            difference = interval(ahead, comparisons)
            waits = [f"that waits for a proven lead over {lead.other}" for lead in leads if lead.doubt]
            leads.append(Lead(other, difference, self._doubt(difference) or next(iter(waits), None)))
        return leads

    def _doubt(self, difference: Interval) -> str | None:
        if len(self.seeds) < LEAST_SEEDS:
            return f"{len(self.seeds)} seeds are too few for a verdict, which needs {LEAST_SEEDS}"
        if difference.half < LEAST_SPREAD:
            return "equal differences with all seeds have no spread to judge by"
        return "the interval contains 0" if difference.holds(0) else None

    def doubts(self) -> list[str]:
        """Return what speaks against the winner being ahead of the recipe's own settings and of the second."""
        missing = not any(candidate.own for candidate in self.complete)
        doubts = ["the recipe's own settings are missing, or failed with a seed"] if missing else []
        return doubts + [f"not told apart from {lead.other}: {lead.doubt}" for lead in self.leads() if lead.doubt]
