"""What came of a repetition: the same bits, within the recorded spread of seeds, or what parted first."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum

# Metrics of the trained model, those that the training is judged by first.
JUDGED = (("test/loss", "test/accuracy"), ("val/loss", "val/accuracy"), ("train/loss", "train/accuracy"))
# So many runs with other seeds are a spread.
LEAST_OTHERS = 2
START = ("code", "data", "initial weights", "batch order")


@dataclass(frozen=True)
class Trace:
    """What a run keeps of its bits, in the order in which they come about; empty: it doesn't know.

    Digests; `losses` has the mean loss of the last steps by step, `metrics` name → epoch → value.
    """

    code: str
    data: str
    initial_weights: str
    batch_order: str
    first_batch_loss: str = ""
    losses: Mapping[int, float] = field(default_factory=dict)
    metrics: Mapping[str, Mapping[int, float]] = field(default_factory=dict)
    final_weights: str = ""

    @property
    def epochs(self) -> int:
        """How many epochs were scored."""
        return max((epoch for values in self.metrics.values() for epoch in values), default=0)

    def final(self) -> dict[str, float]:
        """Return the metrics of the trained model by which it is judged: on test or else validation images."""
        last = {name: values[max(values)] for name, values in self.metrics.items() if values}
        names = next((names for names in JUDGED if names[0] in last), ())
        return {name: last[name] for name in names if name in last}


class Grade(Enum):
    """How far a repetition is its original."""

    SAME = "same bits"
    WITHIN = "within the recorded spread of seeds"
    DIFFERS = "differs"


@dataclass(frozen=True)
class Parting:
    """Something that is not what the record says."""

    what: str
    recorded: object
    now: object

    def __str__(self) -> str:
        """Return it with both values."""
        return f"{self.what}: {self.recorded} in the record, {self.now} now"


@dataclass(frozen=True)
class Verdict:
    """A grade, all that parted in its order, and the final metrics: name → (recorded, now, range over seeds).

    `seeds` are those of the range, without the run's own.
    """

    grade: Grade
    parted: tuple[Parting, ...]
    compared: int
    weights_known: bool
    finals: Mapping[str, tuple[float, float, float]]
    seeds: tuple[int, ...]

    @property
    def first(self) -> Parting | None:
        """What parted first."""
        return next(iter(self.parted), None)


def judge(recorded: Trace, now: Trace, others: Mapping[int, Mapping[str, float]]) -> Verdict:
    """Grade a repetition; `others` has the final metrics of runs of the same training with other seeds.

    Within the spread is a repetition that started alike, and whose final metrics are each no further from the recorded
    ones than two recorded seeds are from each other.
    """
    items = list(_items(recorded, now))
    parted = tuple(Parting(*item) for item in items if not _same(*item[1:]))
    finals = _finals(recorded, now, others)
    # Other code with the same bits is the same training.
    different = [each.what for each in parted if each.what != "code"]
    if not different:
        grade = Grade.SAME
    elif any(each.what in START for each in parted) or len(others) < LEAST_OTHERS:
        grade = Grade.DIFFERS
    else:
        within = finals and all(abs(new - old) <= width for old, new, width in finals.values())
        grade = Grade.WITHIN if within else Grade.DIFFERS
    return Verdict(grade, parted, len(items), bool(recorded.final_weights), finals, tuple(sorted(others)))


def _items(recorded: Trace, now: Trace) -> Iterator[tuple[str, object, object]]:
    """Yield what is compared: a name, the recorded value, and that of the repetition."""
    pairs: list[tuple[str, object, object]] = [
        (name, getattr(recorded, name.replace(" ", "_")), getattr(now, name.replace(" ", "_"))) for name in START
    ]
    pairs.append(("loss of the first batch", recorded.first_batch_loss, now.first_batch_loss))
    before = 0
    for step, value in sorted(recorded.losses.items()):
        steps = f"steps {before + 1} to {step}" if step > before + 1 else f"step {step}"
        pairs.append((f"loss of {steps}", value, now.losses.get(step)))
        before = step
    for epoch in range(1, recorded.epochs + 1):
        for name, values in recorded.metrics.items():
            pairs.append((f"{name} after epoch {epoch}", values.get(epoch), now.metrics.get(name, {}).get(epoch)))
    pairs.append(("final weights", recorded.final_weights, now.final_weights))
    yield from (pair for pair in pairs if pair[1] not in ("", None))


def _same(recorded: object, now: object) -> bool:
    nan = isinstance(recorded, float) and isinstance(now, float) and math.isnan(recorded) and math.isnan(now)
    return recorded == now or nan


def _finals(
    recorded: Trace, now: Trace, others: Mapping[int, Mapping[str, float]]
) -> dict[str, tuple[float, float, float]]:
    finals, new = recorded.final(), now.final()
    found = {}
    for name, value in finals.items():
        values = [value, *(metrics[name] for metrics in others.values())]
        found[name] = value, new.get(name, math.nan), max(values) - min(values)
    return found
