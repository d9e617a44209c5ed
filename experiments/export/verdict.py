"""Whether a file answers as its run's model does, by all test images.

A logit of the file may be as far from the run's as `experiments.parity.bounds` allows two frameworks to be: MULTIPLE
times what float32 rounds off in this very model, at these very images, which is how far its logits are from those that
the same weights give in float64. A fault that isn't rounding (a scaling left out, axes swapped) is thousands of times
larger. It follows that an answer can be another one only where the run's own leads by less than twice the bound: a tie,
up to rounding. No label is read: nothing is scored.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from experiments.contract.model import Logits
from experiments.contract.model_settings import ModelSettings
from experiments.convert import jobs
from experiments.convert.proof import compare_answers, compare_recorded
from experiments.convert.source import Source
from experiments.data.dataset import Dataset, Images
from experiments.parity.bounds import MULTIPLE, UNIT_ROUNDOFF
from experiments.parity.sides import Side
from experiments.system.errors import TandemError
from experiments.system.isolated import IsolatedProcess

ADVICE = "choose another format"


@dataclass(frozen=True)
class Reference:
    """The logits of a run's own model, float32 (n, classes), for all test images, and how far float64's are."""

    images: Images
    logits: Logits
    rounding: float

    @property
    def bound(self) -> float:
        """How far the logits of a file may be."""
        return MULTIPLE * max(self.rounding, UNIT_ROUNDOFF["float32"] * float(np.abs(self.logits).max()))


def reference_of(
    side: Side, process: IsolatedProcess, settings: ModelSettings, saved: Path, dataset: Dataset
) -> Reference:
    """Return what a run's saved model answers, in its own framework.

    Raises:
        JobFailed, TandemError: it can't answer.
    """
    double = replace(settings, precision="float64")
    exact, logits = (
        process.call(jobs.answer, side, each, {side.backend: saved}, dataset) for each in (double, settings)
    )
    return Reference(dataset.split("test").images, logits, float(np.abs(logits - exact).max()))


def judge(reference: Reference, logits: Logits, source: Source) -> dict[str, Any]:
    """Return what is to be said of the logits of a file.

    Raises:
        TandemError: they are another model's.
    """
    own = reference.logits
    if logits.shape != own.shape or logits.dtype != np.float32:
        expected = f"expected logits {own.shape}, float32, from the file"
        raise TandemError(f"{expected}; got {logits.shape}, {logits.dtype}; nothing was written; {ADVICE}")
    found = compare_answers(own, logits)
    if not found["largest_logit_difference"] <= reference.bound:
        raise TandemError(
            f"expected the file to answer as {source.run.where} does; {found['alike']:,} of {found['images']:,} "
            f"answers are the same, and a logit is {found['largest_logit_difference']:.1e} apart, where "
            f"{reference.bound:.1e} is rounding; nothing was written; {ADVICE}"
        )
    recorded = source.run.answers
    as_recorded = compare_recorded(logits, recorded) if recorded else None
    return {**found, "rounding": reference.rounding, "bound": reference.bound, "as_recorded": as_recorded}
