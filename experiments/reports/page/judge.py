"""Whether the two frameworks are told apart: over several seeds by their differences, over one by the images."""

from collections.abc import Mapping
from dataclasses import dataclass

from experiments.reports.intervals import interval
from experiments.reports.page.names import name_of, points
from experiments.reports.page.source import Pairs
from experiments.reports.pairs import mcnemar
from experiments.training.outputs import Outputs

# The usual level of significance, as in the confirmation of a sweep.
LEVEL = 0.05
# Half an interval below this is that of equal differences, after rounding: as in the confirmation of a sweep.
LEAST_SPREAD = 1e-9


@dataclass(frozen=True)
class Judgement:
    """Whether two frameworks are told apart, and by what; `ahead`: the backend with the higher accuracy, if so."""

    told_apart: bool
    ahead: str | None
    reason: str

    @property
    def short(self) -> str:
        """Yes or no."""
        return "yes" if self.told_apart else "no"


def judge(pairs: Pairs) -> Judgement | None:
    """Return whether the accuracies of a recipe differ by more than chance; None with one framework."""
    differences = pairs.differences("test/accuracy")
    if not differences:
        return None
    if len(differences) == 1:
        (runs,) = pairs.by_seed.values()
        return judge_images(runs)
    spread = interval(differences)
    first, second = pairs.backends
    equal = spread.half < LEAST_SPREAD and spread.mean != 0
    told = not spread.holds(0) and not equal
    half = points(spread.half).lstrip("+")
    by = "equal differences have no spread to judge by" if equal else "95 % interval of the paired differences"
    reason = f"{difference_of(pairs)}{points(spread.mean)} ± {half} over {len(differences)} seeds ({by})."
    return Judgement(told, (second if spread.mean > 0 else first) if told else None, reason)


def difference_of(pairs: Pairs) -> str:
    """Return what a difference is called, before its number."""
    first, second = map(name_of, pairs.backends)
    return f"{second} minus {first}: "


def judge_images(runs: Mapping[str, Outputs]) -> Judgement:
    """Return whether the two runs of a pair are told apart by the images that one of them alone gets right."""
    first, second = runs
    found = mcnemar(*runs.values())
    here, there, p = found["only_first_right"], found["only_second_right"], found["p"]
    told = p <= LEVEL
    apart = points(runs[second].metrics["test/accuracy"] - runs[first].metrics["test/accuracy"])
    reason = (
        f"{name_of(second)} minus {name_of(first)}: {apart}. Images right in {name_of(first)} alone: "
        f"{here:.0f}, in {name_of(second)} alone: {there:.0f} (exact McNemar test: p = {p:.2g})."
    )
    return Judgement(told, (second if there > here else first) if told else None, reason)
