"""`tandem.compare`: two runs side by side, as tables."""

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from experiments.api.run import Run, only_run
from experiments.system.errors import TandemError

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Comparison:
    """What `tandem compare` shows of two runs. The columns `first` and `second` are of `labels`, in this order.

    `settings` are those that differ; `metrics` those of either, with `difference`, second minus first; `images` are the
    test images that the two answer differently, by their number. `summary` says how many, and `p` is that of McNemar's
    exact test; None: the two can't be compared on the same images.
    """

    labels: tuple[str, str]
    settings: "pd.DataFrame"
    metrics: "pd.DataFrame"
    images: "pd.DataFrame"
    summary: str
    p: float | None

    def _parts(self) -> "Iterator[tuple[str, pd.DataFrame]]":
        yield "Settings that differ", self.settings.fillna("not set")
        yield "Metrics", self.metrics.dropna()
        yield self.summary, self.images

    def __repr__(self) -> str:
        first, second = self.labels
        tables = (f"{title}:\n{table.to_string(max_rows=20)}" for title, table in self._parts() if len(table))
        return "\n\n".join(
            [f"first: {first}, second: {second}", *tables, *([] if len(self.images) else [self.summary])]
        )

    def _repr_html_(self) -> str:
        first, second = map(escape, self.labels)
        tables = (f"<p>{escape(title)}</p>{table.to_html(max_rows=20)}" for title, table in self._parts() if len(table))
        end = "" if len(self.images) else f"<p>{escape(self.summary)}</p>"
        return f"<p>first: {first}, second: {second}</p>{''.join(tables)}{end}"


def compare(run: Run, other: Run) -> Comparison:
    """Set two runs of any kind side by side: settings, metrics, and the test images that they answer differently.

    Raises:
        TandemError: they are one and the same, or no runs.
    """
    import pandas as pd

    from experiments.reports.two_runs import compare_two

    first, second = only_run(run, "run"), only_run(other, "other")
    if first.mlflow_run_id == second.mlflow_run_id:
        raise TandemError(f"other: expected another run than {first!r}; got the same")
    found = compare_two(first.measured, second.measured)
    images = found["images"]
    return Comparison(
        (first.label, second.label),
        pd.DataFrame(found["settings"], columns=["setting", "first", "second"]).set_index("setting"),
        pd.DataFrame(found["metrics"], columns=["metric", "first", "second", "difference"]).set_index("metric"),
        pd.DataFrame(images.get("differently", []), columns=_IMAGES).set_index("image"),
        _summary(images),
        images.get("p"),
    )


_IMAGES = ["image", "label", "first", "first_probability", "second", "second_probability"]


def _summary(images: dict[str, object]) -> str:
    if "not_compared" in images:
        return f"Test images: not compared, since {images['not_compared']}"
    return (
        f"Test images: {images['told_differently']} of {images['images']} are answered differently; "
        f"{images['only_first_right']} are right in the first run alone, {images['only_second_right']} in the second "
        f"alone (exact McNemar test, p {images['p']:.2g})"
    )
