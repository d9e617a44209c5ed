"""The pairs as a table: a row a recipe, and below it each of its seeds."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from experiments.reports.intervals import interval
from experiments.reports.page.judge import judge, judge_images
from experiments.reports.page.names import name_of
from experiments.reports.page.section import Row, Section, Table
from experiments.reports.page.source import SECONDS, Pairs, Source
from experiments.training.outputs import Outputs

ANSWER = (
    "How far apart are they? Mean over the seeds ± half of its 95 % interval (Student's t); differences are taken "
    "seed by seed. A row opens to its seeds: every one is there, none is sampled. "
    "Best epoch: on the test images where each epoch was scored on them, else in validation (val)."
)
# Of each group of columns: its metric, the scale of its numbers, their format, and that of their differences.
METRICS = {
    "test accuracy (%)": ("test/accuracy", 100.0, ".2f", "+.2f"),
    "test loss (nats)": ("test/loss", 1.0, ".4f", "+.1e"),
    "seconds per epoch": (SECONDS, 1.0, ".2f", "+.2f"),
}
BEST = "best epoch (%)"


def pairs_section(source: Source) -> Section:
    """Return the table of the pairs."""
    backends = source.pairs[0].backends
    names, paired = [name_of(backend) for backend in backends], len(backends) == 2
    of_metric = [*names, "difference"] if paired else names
    groups = [(name, len(of_metric)) for name in METRICS]
    groups.insert(1, (BEST, len(names)))
    head = ["recipe", "seeds", *of_metric, *names, *of_metric, *of_metric]
    ends = ["answers that differ", "told apart"] if paired else []
    table = Table(
        [*head, *ends],
        [_row(pairs) for pairs in source.pairs],
        groups=[("", 2), *groups, *[("", 1) for _ in ends]],
    )
    return Section("pairs", "Pairs", [table], data=_data(source), answer=ANSWER)


def _data(source: Source) -> dict[str, object]:
    return {
        pairs.recipe: {
            seed: {backend: {**run.metrics, "history": run.history} for backend, run in runs.items()}
            for seed, runs in pairs.by_seed.items()
        }
        for pairs in source.pairs
    }


def _row(pairs: Pairs) -> Row:
    below = [
        [f"seed {seed}", "", *_cells(Pairs(pairs.recipe, {seed: runs})), *_ends(runs)]
        for seed, runs in pairs.by_seed.items()
    ]
    ends = []
    if judged := judge(pairs):
        apart = [_apart(runs) for runs in pairs.by_seed.values()]
        ends = [f"{np.mean(apart):.1f}" if len(apart) > 1 else str(apart[0]), judged.short]
    return Row([pairs.recipe, str(len(pairs.by_seed)), *_cells(pairs), *ends], below)


def _ends(runs: Mapping[str, Outputs]) -> list[str]:
    return [str(_apart(runs)), judge_images(runs).short] if len(runs) == 2 else []


def _apart(runs: Mapping[str, Outputs]) -> int:
    """Return how many images the two answer differently."""
    first, second = runs.values()
    return int(np.sum(first.predicted != second.predicted))


def _cells(pairs: Pairs) -> Iterator[str]:
    for place, (metric, scale, digits, signed) in enumerate(METRICS.values()):
        for backend in pairs.backends:
            yield _spread(pairs.values(backend, metric), scale, digits)
        if differences := pairs.differences(metric):
            yield _spread(differences, scale, signed)
        if place == 0:
            yield from (_best(pairs, backend) for backend in pairs.backends)


def _spread(values: Sequence[float], scale: float, digits: str) -> str:
    mean = f"{scale * sum(values) / len(values):{digits}}"
    return f"{mean} ±\u00a0{scale * interval(values).half:{digits.lstrip('+')}}" if len(values) > 1 else mean


def _best(pairs: Pairs, backend: str) -> str:
    """Return the best accuracy of any epoch: on the test images where each epoch was scored, else in validation."""
    histories = [runs[backend].history for runs in pairs.by_seed.values()]
    for split, name in (("test", ""), ("val", " val")):
        scored = [[row[f"{split}/accuracy"] for row in rows if f"{split}/accuracy" in row] for rows in histories]
        if all(len(values) == len(rows) for values, rows in zip(scored, histories, strict=True)):
            return _spread([max(values) for values in scored], 100, ".2f") + name
    return "–"
