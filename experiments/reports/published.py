"""Published results beside ours, over several seeds: `tandem published`."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tabulate import tabulate

from experiments.data.dataset import load_dataset
from experiments.frameworks import PACKAGES
from experiments.reports.batch import Place, train_missing
from experiments.reports.intervals import format_interval, format_metric, interval
from experiments.reports.made_from import of_outputs
from experiments.settings.params import Params
from experiments.settings.project import Project, RunKey
from experiments.system.files import write_atomically, write_json
from experiments.training.outputs import Outputs


@dataclass(frozen=True)
class PublishedResult:
    """A metric after an epoch (counted from 1), in the units of history.csv."""

    metric: str
    epoch: int
    value: float


def _rows(metric: str, values: Sequence[float]) -> list[PublishedResult]:
    return [PublishedResult(metric, epoch, value) for epoch, value in enumerate(values, 1)]


# A PyTorch run of unknown seed for `lenet`, a TensorFlow run of unknown seed for `basic_cnn`.
PUBLISHED: dict[str, list[PublishedResult]] = {
    "lenet": [
        *_rows("test/accuracy", (0.8651, 0.9128, 0.9320, 0.9482, 0.9581)),
        *_rows("test/loss", (0.4822, 0.2956, 0.2279, 0.1808, 0.1533)),
    ],
    "basic_cnn": [
        PublishedResult("train/accuracy", 1, 0.8767),
        PublishedResult("train/loss", 1, 0.3794),
        PublishedResult("test/accuracy", 1, 0.9776),
        PublishedResult("test/loss", 1, 0.0676),
    ],
}


def reproduce(
    project: Project, params: Params, recipes: Sequence[str], seeds: Sequence[int], place: Place | None = None
) -> str:
    """Train what is missing, write published.json and published.md to reports/, and return the latter.

    Raises:
        TandemError: there is no such recipe or no prepared dataset, or a training failed.
    """
    for name in recipes:
        params.recipe(name, asked_by="RECIPE")
    dataset = load_dataset(project.prepared).name
    keys = [RunKey(recipe, backend, seed) for recipe in recipes for seed in seeds for backend in PACKAGES]
    runs = train_missing(project.for_published(), params, keys, place)
    entries = [_entry(recipe, seeds, runs) for recipe in recipes]
    origin = asdict(of_outputs("tandem published", runs.values()))
    content = {"dataset": dataset, "seeds": list(seeds), "recipes": entries, "made_from": origin}
    write_json(project.reports / "published.json", content)
    text = to_markdown(dataset, seeds, entries)
    write_atomically(project.reports / "published.md", text)
    return text


def _entry(recipe: str, seeds: Sequence[int], runs: Mapping[RunKey, Outputs]) -> dict[str, Any]:
    history = runs[RunKey(recipe, "lightning", seeds[0])].history
    shortest = min(len(runs[RunKey(recipe, backend, seed)].history) for backend in PACKAGES for seed in seeds)
    rows = []
    last = [PublishedResult(metric, shortest, 0.0) for metric in ("train/loss", "test/accuracy", "test/loss")]
    for result in PUBLISHED.get(recipe, last):
        # Without a published result, each training's last epoch counts, and some may have stopped early.
        row = result.epoch - 1 if recipe in PUBLISHED else -1
        # A recipe that was changed may end before a published epoch, or not score the test set after each.
        if result.epoch > shortest or result.metric not in history[row]:
            continue
        ours = {
            backend: [runs[RunKey(recipe, backend, seed)].history[row][result.metric] for seed in seeds]
            for backend in PACKAGES
        }
        published = result.value if recipe in PUBLISHED else None
        rows.append({"metric": result.metric, "epoch": result.epoch, "published": published, "ours": ours})
    return {"recipe": recipe, "rows": rows, "paired": _paired(recipe, seeds, runs)}


def _paired(recipe: str, seeds: Sequence[int], runs: Mapping[RunKey, Outputs]) -> list[float]:
    """Return Keras's final test accuracy minus Lightning's, for each seed."""
    keras, lightning = (
        [runs[RunKey(recipe, backend, seed)].metrics["test/accuracy"] for seed in seeds]
        for backend in ("keras", "lightning")
    )
    return [b - a for a, b in zip(lightning, keras, strict=True)]


def to_markdown(dataset: str, seeds: Sequence[int], entries: Sequence[Mapping[str, Any]]) -> str:
    """Return a table for each recipe."""
    lines = [f"# Published results beside ours, on {dataset}", ""]
    lines += [f"Ours: mean ± half of the 95 % interval (Student's t) over the seeds {', '.join(map(str, seeds))}."]
    lines += ["Accuracies in per cent. A published result is that of one run of an unknown seed."]
    for entry in entries:
        table = tabulate([_row(row) for row in entry["rows"]], headers="keys", tablefmt="github", disable_numparse=True)
        difference = interval(entry["paired"])
        contains = "contains" if difference.holds(0) else "does **not** contain"
        points = f"{100 * difference.mean:.3f} ± {100 * difference.half:.3f} points"
        lines += ["", f"## {entry['recipe']}", "", table, ""]
        lines += [f"Final test accuracy, Keras minus Lightning, seed by seed: {points}; the interval {contains} 0."]
    return "\n".join(lines) + "\n"


def _row(row: Mapping[str, Any]) -> dict[str, str]:
    metric, published = row["metric"], row["published"]
    cells = {"metric": metric, "epoch": str(row["epoch"])}
    cells["published"] = "" if published is None else format_metric(metric, published)
    return cells | {backend: format_interval(metric, interval(values)) for backend, values in row["ours"].items()}
