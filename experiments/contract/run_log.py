"""What a training writes its record to: a run in MLflow, or the process that will write it there."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from experiments.contract.backend import Model
from experiments.data.dataset import Dataset, Images, Split

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Point = tuple[str, float, int]


class RunLog(Protocol):
    """The record of one run, while it is open."""

    run_id: str

    def metrics(self, points: Iterable[Point]) -> None:
        """Log (name, value, step) without waiting; a step that the run has already is left as it is."""

    def flush(self) -> None:
        """Wait until every metric is safe."""

    def params(self, values: Mapping[str, object]) -> None:
        """Log parameters."""

    def tags(self, values: Mapping[str, str]) -> None:
        """Set tags."""

    def file(self, path: Path) -> None:
        """Keep a copy of a file."""

    def text(self, content: str, name: str) -> None:
        """Keep a text as a file of that name."""

    def plot(self, figure: "Figure", name: str) -> None:
        """Keep a plot as a file of that name."""

    def dataset(self, dataset: Dataset, split: Split) -> None:
        """Record the images and labels that the run trains on as its input."""

    def model(self, backend: str, model: Model, *, images: Images) -> None:
        """Keep a model, with a signature from example images."""
