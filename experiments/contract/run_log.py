"""What a training writes its record to: a run in MLflow, or the process that will write it there."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from experiments.contract.model import Model
from experiments.data.dataset import Dataset, Images, Split
from experiments.settings.project import Project, RunKey

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Point = tuple[str, float, int]
# A tag of a run: the folder of its outputs. Two runs that have the same are one training, done twice.
OUTPUTS = "outputs"


def outputs_tag(project: Project, key: RunKey) -> dict[str, str]:
    """Return the tag of a training's outputs; none for an experiment of DVC in a copy of the project."""
    return {OUTPUTS: str(project.run(key).relative_to(project.root))} if project.root == project.home else {}


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

    def note(self, text: str) -> None:
        """Describe the run, in Markdown, in place of what was said before."""

    def images(self, name: str, images: Images, columns: Mapping[str, Sequence[object]]) -> None:
        """Keep images as a table of that name, with what is to be said of each."""

    def dataset(self, dataset: Dataset, split: Split) -> None:
        """Record the images and labels that the run trains on as its input."""

    def model(self, backend: str, model: Model, *, images: Images) -> None:
        """Keep a model, with a signature from example images."""
