"""What every contender trains: the same recipe on the same images, in batches of 64."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from experiments.data.dataset import Labels, batch_order
from experiments.data.idx import to_idx
from experiments.settings.params import Params, Preprocess, load_params
from experiments.stages.preprocess import preprocess

ROOT = Path(__file__).parents[1]
BATCH, EPOCHS = 64, 3
# An epoch takes 2 to 4 seconds on two cores.
IMAGES = {
    "lenet": 20_000,
    "mlp": 60_000,
    "conv5x5": 20_000,
    "cnn2": 12_000,
    "cnn3": 6_000,
    "basic_cnn": 4_000,
    "inception": 10_000,
    "lstm": 10_000,
    "vit": 6_000,
    "resnet20": 2_000,
}
# Of standardised MNIST; the speed of a step depends on no value.
MEAN, STD = 0.1307, 0.3081


def images_and_labels(count: int) -> tuple[npt.NDArray[np.uint8], Labels]:
    """Return noise of the shape of MNIST: uint8 (count, 28, 28, 1) and uint16 (count,)."""
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (count, 28, 28, 1), np.uint8)
    return images, generator.integers(0, 10, count).astype(np.uint16)


def order(count: int, epoch: int) -> npt.NDArray[np.int64]:
    """Return the order of an epoch's images."""
    return batch_order(count, seed=1, epoch=epoch, batch_size=BATCH, drop_last=False)


def prepare(folder: Path, count: int) -> None:
    """Write as many images as a prepared dataset, in its training and validation splits together."""
    images, labels = images_and_labels(count)
    data = folder / "data"
    data.mkdir()
    for prefix, size in (("train", count), ("t10k", 1000)):
        (data / f"{prefix}-images-idx3-ubyte").write_bytes(to_idx(images[:size, ..., 0]))
        (data / f"{prefix}-labels-idx1-ubyte").write_bytes(to_idx(labels[:size].astype(np.uint8)))
    preprocess(Preprocess(validation_fraction=0.1, seed=1), data, folder / "prepared")


def params(architecture: str, threads: int) -> Params:
    """Return the repository's settings with one recipe: that of the architecture, on the workload's batches."""
    base = load_params(ROOT / "params.yaml")
    changes: dict[str, Any] = {
        "train_on": "train+validation",
        "test_every_epoch": False,
        "scaling": "standardised",
        "batch_size": BATCH,
        "drop_last": False,
        "epochs": EPOCHS,
    }
    recipe = base.recipe(architecture).model_copy(update=changes)
    train = base.train.model_copy(update={"device": "cpu", "threads": threads})
    return base.model_copy(update={"recipes": {architecture: recipe}, "train": train})
