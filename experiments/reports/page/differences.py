"""What differs between the runs of a pair."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from experiments.reports.page.names import name_of
from experiments.reports.page.section import Part, Section, Table
from experiments.reports.page.source import Pairs, Source

# These differ between any two runs.
OF_THE_RUN = ("mlflow_run_id", "test_scorings", "final_weights", "tags.backend", "tags.dvc_stage")
# Another key says the same, or another section shows it.
ELSEWHERE = ("tags.version.", "resources.")


def settings_section(source: Source) -> Section:
    """Return what differs between the runs of each pair, and, folded, what doesn't."""
    parts: list[Part] = []
    for pairs in source.pairs:
        parts += _of(pairs)
    answer = "What else differs? The framework and its versions should; device, threads and settings should not."
    return Section("settings", "What differs between the runs", parts, answer=answer)


def _of(pairs: Pairs) -> Iterator[Part]:
    names = [name_of(backend) for backend in pairs.backends]
    rows = _rows(pairs)
    differ = {key: row for key, row in rows.items() if key not in OF_THE_RUN and len(set(row)) > 1}
    own = {key: row for key, row in rows.items() if key in OF_THE_RUN and len(set(row)) > 1}
    same = {key: row for key, row in rows.items() if len(set(row)) == 1}
    where = f"{pairs.recipe}, seed {next(iter(pairs.by_seed))}"
    tables = (
        (["key", *names], differ, f"{where}: {_count(differ)} that differ", False),
        (["key", *names], own, f"{where}: {_count(own)} of the run itself, such as its id and its times", True),
        (["key", "both"], same, f"{where}: {_count(same)} that are the same", True),
    )
    for head, chosen, title, folded in tables:
        cells = [[key, *row[: len(head) - 1]] for key, row in chosen.items()]
        yield Table(head, cells, title, folded=folded, made_from=pairs.made_from)


def _count(rows: Mapping[str, object]) -> str:
    return f"{len(rows)} key{'' if len(rows) == 1 else 's'}"


def _rows(pairs: Pairs) -> dict[str, Sequence[str]]:
    """Return every key with the values of the first seed, or of the first seed in which they differ."""
    rows: dict[str, Sequence[str]] = {}
    for runs in pairs.by_seed.values():
        flat = [dict(_flatten(run.record)) for run in runs.values()]
        for key in sorted({key for values in flat for key in values if not key.startswith(ELSEWHERE)}):
            row = [values.get(key, "–") for values in flat]
            if key not in rows or (len(set(rows[key])) == 1 and len(set(row)) > 1):
                rows[key] = row
    return rows


def _flatten(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flatten(value, f"{prefix}{name}.")
        elif isinstance(value, list):
            yield f"{prefix}{name}", "; ".join(map(str, value))
        else:
            yield f"{prefix}{name}", str(value)
