"""Is a layer's dropout what its definition says? The frameworks draw different masks: what must agree is how."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import binomtest

from experiments.contract.layers import Kind
from experiments.contract.weights import FloatArray
from experiments.parity.protocol import DROPOUT_ERROR

# What a SELU tends to, downwards: -λα, of Klambauer et al. (2017), appendix A.
ALPHA = -1.0507009873554804934 * 1.6732632423543772848


@dataclass(frozen=True)
class DropoutCheck:
    """A dropout layer: `kept` and `agree` are fractions, each with the p-value of the exact binomial test.

    `as_defined` is whether all that it keeps and drops has the value that its definition gives.
    """

    layer: str
    kept: float
    kept_p: float
    agree: float
    agree_p: float
    as_defined: bool
    off_in_evaluation: bool
    kind: Kind = "dropout"

    @property
    def problem(self) -> str | None:
        """What is wrong, or None; by chance alone with a probability of DROPOUT_ERROR for each of the two tests."""
        if self.kind == "channel dropout" and not self.as_defined:
            return "does not drop a channel as a whole, or does not scale the others by 1 / (1 - rate)"
        if self.kept_p < DROPOUT_ERROR:
            return f"keeps {self.kept:.4f} of its inputs (p = {self.kept_p:.1g})"
        if not self.as_defined:
            return "does not scale what it keeps by 1 / (1 - rate)"
        if self.agree_p < DROPOUT_ERROR:
            return f"draws masks that agree in {self.agree:.4f} of elements between steps (p = {self.agree_p:.1g})"
        if not self.off_in_evaluation:
            return "changes its input in evaluation"
        return None


@dataclass(frozen=True)
class Draws:
    """What was drawn: which were kept, of those `seen`, that show it; and whether all values are as defined."""

    seen: npt.NDArray[np.bool_]
    kept: npt.NDArray[np.bool_]
    as_defined: bool


def check_dropout(
    layer: str, *, rate: float, passes: Sequence[Sequence[FloatArray]], kind: Kind = "dropout"
) -> DropoutCheck:
    """Compare a layer of a kind of dropout with its definition.

    The frameworks draw different masks, so what must agree is the distribution.
    `passes` are the input and output, of one shape, of a pass in evaluation and of two training steps. The number of
    kept elements, or channels, is Binomial(n, 1 - rate). The masks of two steps are independent, so the number of those
    where they agree is Binomial(n, rate² + (1 - rate)²). Values are compared to two units in the last place.
    """
    evaluation, *steps = passes
    before, after = (np.stack(arrays) for arrays in zip(*steps, strict=True))
    drawn = DRAWS[kind](before, after, rate)
    both = drawn.seen.all(axis=0)
    if not both.any():
        return DropoutCheck(layer, 0.0, 0.0, 0.0, 0.0, as_defined=False, off_in_evaluation=False, kind=kind)
    kept, count = int((drawn.kept & drawn.seen).sum()), int(drawn.seen.sum())
    agree, pairs = int(((drawn.kept[0] == drawn.kept[1]) & both).sum()), int(both.sum())
    return DropoutCheck(
        layer,
        kept / count,
        float(binomtest(kept, count, 1 - rate).pvalue),
        agree / pairs,
        float(binomtest(agree, pairs, rate**2 + (1 - rate) ** 2).pvalue),
        drawn.as_defined,
        bool(np.array_equal(evaluation[0], evaluation[1])),
        kind,
    )


def _by_element(before: FloatArray, after: FloatArray, rate: float) -> Draws:
    """Inverted dropout (Srivastava et al., 2014): what is kept is multiplied by 1 / (1 - rate).

    Elements whose input is 0 show nothing.
    """
    kept = after != 0
    return Draws(before != 0, kept, _equal(after[kept], before[kept] / (1 - rate)))


def _by_channel(before: FloatArray, after: FloatArray, rate: float) -> Draws:
    """The same with one draw for all of a channel, the third axis (Tompson et al., 2015)."""
    before, after = (array.reshape(*array.shape[:3], -1) for array in (before, after))
    kept = (after != 0).any(axis=-1)
    return Draws((before != 0).any(axis=-1), kept, _equal(after, before * kept[..., np.newaxis] / (1 - rate)))


def _alpha(before: FloatArray, after: FloatArray, rate: float) -> Draws:
    """Dropout of Klambauer et al. (2017, section 3): dropped are set to α' = -λα, then all become a·x + b.

    a and b keep mean 0 and variance 1: a = ((1 - rate)·(1 + rate·α'²))^-½, b = -a·rate·α'.
    """
    a = 1 / math.sqrt((1 - rate) * (1 + rate * ALPHA**2))
    b = -a * rate * ALPHA
    kept = ~np.isclose(after, a * ALPHA + b, rtol=4 * float(np.finfo(after.dtype).eps), atol=0)
    return Draws(np.ones_like(kept), kept, _equal(after[kept], a * before[kept] + b, largest_term=abs(b)))


def _equal(actual: FloatArray, expected: FloatArray, *, largest_term: float = 0.0) -> bool:
    two_units = 4 * float(np.finfo(actual.dtype).eps)
    return np.allclose(actual, expected, rtol=two_units, atol=two_units * largest_term)


DRAWS: Mapping[Kind, Callable[[FloatArray, FloatArray, float], Draws]] = {
    "dropout": _by_element,
    "channel dropout": _by_channel,
    "alpha dropout": _alpha,
}
