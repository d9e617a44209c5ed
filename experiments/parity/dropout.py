"""Is a layer's dropout what its definition says? The frameworks draw different masks: what must agree is how."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest

from experiments.contract.weights import FloatArray
from experiments.parity.protocol import DROPOUT_ERROR


@dataclass(frozen=True)
class DropoutCheck:
    """A dropout layer: `kept` and `agree` are fractions, each with the p-value of the exact binomial test."""

    layer: str
    kept: float
    kept_p: float
    agree: float
    agree_p: float
    scaled: bool
    off_in_evaluation: bool

    @property
    def problem(self) -> str | None:
        """What is wrong, or None; by chance alone with a probability of DROPOUT_ERROR for each of the two tests."""
        if self.kept_p < DROPOUT_ERROR:
            return f"keeps {self.kept:.4f} of its inputs (p = {self.kept_p:.1g})"
        if not self.scaled:
            return "does not scale what it keeps by 1 / (1 - rate)"
        if self.agree_p < DROPOUT_ERROR:
            return f"draws masks that agree in {self.agree:.4f} of elements between steps (p = {self.agree_p:.1g})"
        if not self.off_in_evaluation:
            return "changes its input in evaluation"
        return None


def check_dropout(layer: str, *, rate: float, passes: Sequence[Sequence[FloatArray]]) -> DropoutCheck:
    """Compare a dropout layer with its definition (Srivastava et al., 2014, in the inverted form of both frameworks).

    The frameworks draw different masks, so what must agree is the distribution.
    `passes` are the input and output, of one shape, of a pass in evaluation and of two training steps. Elements whose
    input is 0 show nothing and are left out. The number of kept elements is Binomial(n, 1 - rate). The masks of two
    steps are independent, so the number of elements where they agree is Binomial(n, rate² + (1 - rate)²). What is
    kept is multiplied by 1 / (1 - rate), to two units in the last place.
    """
    evaluation, *steps = passes
    before, after = (np.stack(arrays) for arrays in zip(*steps, strict=True))
    alive, mask = before != 0, after != 0
    both = alive.all(axis=0)
    if not both.any():
        return DropoutCheck(layer, 0.0, 0.0, 0.0, 0.0, scaled=False, off_in_evaluation=False)
    kept, count = int((mask & alive).sum()), int(alive.sum())
    agree, pairs = int(((mask[0] == mask[1]) & both).sum()), int(both.sum())
    two_units = 4 * np.finfo(after.dtype).eps
    return DropoutCheck(
        layer,
        kept / count,
        float(binomtest(kept, count, 1 - rate).pvalue),
        agree / pairs,
        float(binomtest(agree, pairs, rate**2 + (1 - rate) ** 2).pvalue),
        np.allclose(after[mask], before[mask] / (1 - rate), rtol=two_units, atol=0),
        bool(np.array_equal(evaluation[0], evaluation[1])),
    )
