"""Published figures beside ours, over several seeds: `tandem published`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from experiments.data.dataset import load_dataset
from experiments.frameworks import PACKAGES
from experiments.reports.batch import train_missing
from experiments.reports.intervals import Interval, interval
from experiments.settings.params import Params
from experiments.settings.project import Project, RunKey
from experiments.settings.recipe import BackendName
from experiments.system.files import write_atomically, write_json
from experiments.training.outputs import Outputs


@dataclass(frozen=True)
class Figure:
    """One published number: a metric after an epoch (counted from 1), in the units of history.csv."""

    metric: str
    epoch: int
    value: float


def _rows(metric: str, values: Sequence[float]) -> list[Figure]:
    return [Figure(metric, epoch, value) for epoch, value in enumerate(values, 1)]


# A PyTorch run of unknown seed for `lenet`, a TensorFlow run of unknown seed for `basic_cnn`.
PUBLISHED: dict[str, list[Figure]] = {
    "lenet": [
        *_rows("test/accuracy", (0.8651, 0.9128, 0.9320, 0.9482, 0.9581)),
        *_rows("test/loss", (0.4822, 0.2956, 0.2279, 0.1808, 0.1533)),
    ],
    "basic_cnn": [
        Figure("train/accuracy", 1, 0.8767),
        Figure("train/loss", 1, 0.3794),
        Figure("test/accuracy", 1, 0.9776),
        Figure("test/loss", 1, 0.0676),
    ],
}


def reproduce(project: Project, params: Params, recipes: Sequence[str], seeds: Sequence[int]) -> str:
    """Train what is missing, write published.json and published.md to reports/, and return the latter.

    Raises:
        TandemError: there is no such recipe or no prepared dataset, or a training failed.
    """
    for name in recipes:
        params.recipe(name, asked_by="RECIPE")
    dataset = load_dataset(project.prepared).name
    keys = [RunKey(recipe, backend, seed) for recipe in recipes for seed in seeds for backend in PACKAGES]
    runs = train_missing(project.for_published(), params, keys)
    entries = [_entry(recipe, seeds, runs) for recipe in recipes]
    write_json(project.reports / "published.json", {"dataset": dataset, "seeds": list(seeds), "recipes": entries})
    text = to_markdown(dataset, seeds, entries)
    write_atomically(project.reports / "published.md", text)
    return text


def _entry(recipe: str, seeds: Sequence[int], runs: Mapping[RunKey, Outputs]) -> dict[str, Any]:
    history = runs[RunKey(recipe, "lightning", seeds[0])].history
    rows = []
    for figure in PUBLISHED.get(recipe) or _last(history):
        # A recipe that was changed may end before a published epoch, or not score the test set after each.
        if figure.epoch > len(history) or figure.metric not in history[figure.epoch - 1]:
            continue
        ours = {
            backend: [runs[RunKey(recipe, backend, seed)].history[figure.epoch - 1][figure.metric] for seed in seeds]
            for backend in PACKAGES
        }
        published = figure.value if recipe in PUBLISHED else None
        rows.append({"metric": figure.metric, "epoch": figure.epoch, "published": published, "ours": ours})
    return {"recipe": recipe, "rows": rows, "paired": _paired(recipe, seeds, runs)}


def _last(history: Sequence[Mapping[str, float]]) -> list[Figure]:
    epoch = len(history)
    return [Figure(metric, epoch, 0.0) for metric in ("train/loss", "test/accuracy", "test/loss")]


def _paired(recipe: str, seeds: Sequence[int], runs: Mapping[RunKey, Outputs]) -> list[float]:
    """Return Keras's final test accuracy minus Lightning's, for each seed."""

    def final(backend: BackendName, seed: int) -> float:
        return runs[RunKey(recipe, backend, seed)].metrics["test/accuracy"]

    return [final("keras", seed) - final("lightning", seed) for seed in seeds]


def to_markdown(dataset: str, seeds: Sequence[int], entries: Sequence[Mapping[str, Any]]) -> str:
    """Return a table for each recipe."""
    lines = [f"# Published figures beside ours, on {dataset}", ""]
    lines += [f"Ours: mean ± half of the 95 % interval (Student's t) over the seeds {', '.join(map(str, seeds))}."]
    lines += ["Accuracies in per cent. A published figure is that of one run of an unknown seed."]
    for entry in entries:
        lines += ["", f"## {entry['recipe']}", "", f"| | epoch | published | {' | '.join(PACKAGES)} |"]
        lines += ["| --- | --: | --: | --: | --: |", *(_line(row) for row in entry["rows"])]
        difference = interval(entry["paired"])
        holds = "contains" if difference.holds(0) else "does **not** contain"
        points = f"{100 * difference.mean:.3f} ± {100 * difference.half:.3f} points"
        lines += ["", "Final test accuracy, Keras minus Lightning, seed by seed:"]
        lines += [f"{points}; the interval {holds} 0."]
    return "\n".join(lines) + "\n"


def _line(row: Mapping[str, Any]) -> str:
    published = "" if row["published"] is None else _number(row["metric"], row["published"])
    ours = [_show(row["metric"], interval(values)) for values in row["ours"].values()]
    return f"| {row['metric']} | {row['epoch']} | {published} | {' | '.join(ours)} |"


def _number(metric: str, value: float) -> str:
    return f"{100 * value:.2f}" if metric.endswith("accuracy") else f"{value:.4f}"


def _show(metric: str, one: Interval) -> str:
    return f"{_number(metric, one.mean)} ± {_number(metric, one.half)}"
