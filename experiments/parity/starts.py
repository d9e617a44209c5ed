"""What both frameworks compute from a batch before any step, and how far apart that may be."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from experiments.contract.model_settings import Precision
from experiments.parity import jobs, protocol
from experiments.parity.bounds import Key
from experiments.parity.check import Quantity, first_beyond, start_quantities
from experiments.parity.jobs import Job, Start
from experiments.parity.protocol import PRECISIONS
from experiments.parity.sides import Processes, run_on_all

R = TypeVar("R")


def run_starts(processes: Processes, make_job: Callable[[Precision], Job], batch: int) -> dict[Key, Start]:
    """Compute a batch, counted from 0, in both frameworks and precisions.

    Raises:
        JobFailed, TandemError: as `run_on_all`.
    """
    variants = [make_job(precision) for precision in PRECISIONS]
    return by_key([run_on_all(processes, job.model.architecture, jobs.start, job, batch) for job in variants])


def best_quantities(
    first: Mapping[Key, Start], others: Callable[[int], Mapping[Key, Start]]
) -> dict[Precision, list[Quantity]]:
    """Return the quantities of the first batch; of those beyond their bounds in float32, the best of some batches.

    `others` computes a batch. A ReLU that rounding flips is an accident of a batch; less precision than float32 isn't.
    """
    quantities = start_quantities(first)
    for batch in range(1, protocol.BATCHES):
        if first_beyond(quantities["float32"]) is None:
            break
        pairs = zip(quantities["float32"], start_quantities(others(batch))["float32"], strict=True)
        quantities["float32"] = [min(pair, key=lambda quantity: quantity.ratio) for pair in pairs]
    return quantities


def by_key(results: Sequence[Mapping[str, R]]) -> dict[Key, R]:
    """Return the results of each precision, in their order, by backend and precision."""
    pairs = zip(PRECISIONS, results, strict=True)
    return {(backend, precision): result for precision, sides in pairs for backend, result in sides.items()}
