"""`tandem.dataset`: the prepared data as arrays."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from experiments.api.load import Place, find_project

if TYPE_CHECKING:
    from experiments.data.dataset import Split


@dataclass(frozen=True)
class Data:
    """The prepared data set; each split has `images`, raw pixels (n, height, width, channels), and `labels` from 0 on.

    The images are memory-mapped, read-only. `class_names` is None where classes have numbers alone.
    """

    name: str
    fingerprint: str
    classes: int
    class_names: tuple[str, ...] | None
    train: "Split"
    validation: "Split"
    test: "Split"

    def __repr__(self) -> str:
        splits = ("train", "validation", "test")
        sizes = ", ".join(f"{split} {'×'.join(map(str, getattr(self, split).images.shape))}" for split in splits)
        return f"<tandem.Data {self.name}, {self.classes} classes: {sizes}, {self.train.images.dtype}>"


def dataset(*, project: Place | None = None) -> Data:
    """Return the data in prepared/, which the project's runs are trained on.

    Raises:
        TandemError: there is none, or it is damaged.
    """
    from experiments.data.dataset import load_dataset

    found = load_dataset(find_project(project).prepared)
    splits = (found.split(name) for name in ("train", "validation", "test"))
    return Data(found.name, found.fingerprint, found.classes, found.class_names, *splits)
