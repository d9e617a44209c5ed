"""The pairs as a table, each seed of them, and what differs between their runs."""

from collections.abc import Iterator, Mapping
from typing import Any

from experiments.reports.intervals import interval
from experiments.reports.page.names import name_of, percent, points
from experiments.reports.page.section import Part, Section, Table, Text
from experiments.reports.page.source import Pairs, Source
from experiments.training.outputs import Outputs

HEAD = ("recipe", "seeds", "framework", "test accuracy", "best epoch", "test loss", "seconds per epoch")
SEEDS = ("seed", "framework", "test accuracy", "test loss", "seconds per epoch", "MLflow run")


def pairs_section(source: Source) -> Section:
    """Return the table of the pairs."""
    rows = [row for pairs in source.pairs for row in _rows(pairs)]
    parts: list[Part] = [
        Table(HEAD, rows),
        Text("Mean over the seeds, ± half of its 95 % interval (Student's t). Every seed is shown, none is left out."),
    ]
    parts += [Table(SEEDS, list(_seeds(pairs)), f"Each seed of {pairs.recipe}", folded=True) for pairs in source.pairs]
    data = {
        pairs.recipe: {
            seed: {backend: dict(run.metrics) for backend, run in runs.items()} for seed, runs in pairs.by_seed.items()
        }
        for pairs in source.pairs
    }
    return Section("pairs", "Pairs", parts, data=data)


def _rows(pairs: Pairs) -> Iterator[list[str]]:
    count = str(len(pairs.by_seed))
    for backend in pairs.backends:
        accuracy, loss = (pairs.values(backend, f"test/{name}") for name in ("accuracy", "loss"))
        cells = [_spread(accuracy, percentage=True), _best(pairs, backend), _spread(loss)]
        seconds = f"{pairs.mean(backend, 'median_epoch_seconds'):.2f}"
        yield [pairs.recipe, count, name_of(backend), *cells, seconds]
    if differences := pairs.differences("test/accuracy"):
        first, second = map(name_of, pairs.backends)
        spread = interval(differences) if len(differences) > 1 else None
        accuracy_text = points(sum(differences) / len(differences)) + (f" ± {100 * spread.half:.2f}" if spread else "")
        losses, seconds_apart = pairs.differences("test/loss"), pairs.differences("median_epoch_seconds")
        loss_text = f"{sum(losses) / len(losses):+.1e}"
        apart = f"{sum(seconds_apart) / len(seconds_apart):+.2f}"
        yield [pairs.recipe, count, f"{second} minus {first}", accuracy_text, "", loss_text, apart]


def _spread(values: list[float], *, percentage: bool = False) -> str:
    scale, digits = (100, 2) if percentage else (1, 4)
    mean = f"{scale * sum(values) / len(values):.{digits}f}"
    half = f" ± {scale * interval(values).half:.{digits}f}" if len(values) > 1 else ""
    return f"{mean}{half}{' %' if percentage else ''}"


def _best(pairs: Pairs, backend: str) -> str:
    """Return the best test accuracy of any epoch, where each was scored."""
    best = [
        max(scored)
        for runs in pairs.by_seed.values()
        if len(scored := [row["test/accuracy"] for row in runs[backend].history if "test/accuracy" in row]) > 1
    ]
    return _spread(best, percentage=True) if best else "scored once"


def _seeds(pairs: Pairs) -> Iterator[list[str]]:
    for seed, runs in pairs.by_seed.items():
        for backend, run in runs.items():
            accuracy, loss = percent(run.metrics["test/accuracy"]), f"{run.metrics['test/loss']:.4f}"
            seconds = f"{run.metrics['median_epoch_seconds']:.2f}"
            yield [str(seed), name_of(backend), accuracy, loss, seconds, str(run.record["mlflow_run_id"])]


def settings_section(source: Source) -> Section:
    """Return what differs between the runs of each pair, and, folded, what doesn't."""
    parts: list[Part] = []
    for pairs in source.pairs:
        seed, runs = next(iter(pairs.by_seed.items()))
        flat = {backend: dict(_flatten(_settings(run))) for backend, run in runs.items()}
        keys = sorted({key for values in flat.values() for key in values})
        rows = {key: [str(values.get(key, "")) for values in flat.values()] for key in keys}
        differ = {key: row for key, row in rows.items() if len(set(row)) > 1}
        head, where = ("key", *map(name_of, runs)), f"{pairs.recipe}, seed {seed}"
        parts.append(Table(head, [[key, *row] for key, row in differ.items()], f"{where}: {len(differ)} keys differ"))
        same = [[key, *row] for key, row in rows.items() if key not in differ]
        parts.append(Table(head, same, f"{where}: {len(same)} keys are the same", folded=True))
    return Section("settings", "What differs between the runs", parts)


def _settings(run: Outputs) -> dict[str, Any]:
    # What a run took is none of its settings: the page has a section on it.
    return {name: value for name, value in run.record.items() if name != "resources"}


def _flatten(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, object]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flatten(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value
