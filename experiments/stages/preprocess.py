"""Stage `preprocess`: the raw dataset → checked, split, counted NumPy arrays."""

from pathlib import Path

import numpy as np

from experiments.data.dataset import SPLITS, Images, Split, SplitName
from experiments.data.holding_out import hold_out
from experiments.data.raw import read_raw
from experiments.settings.params import Preprocess
from experiments.system.errors import TandemError
from experiments.system.files import digest, replace_folder, write_json


def preprocess(settings: Preprocess, data: Path, target: Path) -> None:
    """Read the dataset in `data`, hold out the validation split, and fill the folder `target`.

    `target` gets `{train,validation,test}_images.npy` (uint8 or uint16; n, height, width, channels),
    `…_labels.npy` (uint16; n) and dataset.json.

    Raises:
        TandemError: a file is missing or damaged, the files don't fit each other, or all pixels are the same.
    """
    raw = read_raw(data)
    train, fraction, seed = raw.train, settings.validation_fraction, settings.seed
    where = f"{data}: preprocess.validation_fraction"
    kept, held_out = hold_out(train.labels, fraction=fraction, seed=seed, option=where)
    splits: dict[SplitName, Split] = {
        "train": Split(train.images[kept], train.labels[kept]),
        "validation": Split(train.images[held_out], train.labels[held_out]),
        "test": raw.test,
    }
    # Never of images that are held out from the training that uses them.
    statistics = {
        "train": _statistics(splits["train"].images, data),
        "train+validation": _statistics(train.images, data),
    }
    counts = {name: np.bincount(split.labels, minlength=raw.classes).tolist() for name, split in splits.items()}
    arrays = {f"{name}_images": splits[name].images for name in SPLITS}
    arrays |= {f"{name}_labels": splits[name].labels for name in SPLITS}
    info = {
        "name": raw.name,
        "fingerprint": digest(arrays),
        "image_shape": list(train.images.shape[1:]),
        "pixel_type": train.images.dtype.name,
        "classes": raw.classes,
        "class_names": raw.class_names,
        "images": {name: sum(count) for name, count in counts.items()},
        "images_per_class": counts,
        "statistics": statistics,
    }
    with replace_folder(target) as folder:
        for key, array in arrays.items():
            np.save(folder / f"{key}.npy", array)
        write_json(folder / "dataset.json", info)


def _statistics(images: Images, data: Path) -> dict[str, float]:
    """Return mean and standard deviation of the pixels, scaled to 0..1; exact, from the counts of the 256 values."""
    counts = np.bincount(images.reshape(-1), minlength=256) / images.size
    if counts.max() == 1:  # standardising would divide by 0
        raise TandemError(f"{data}: expected training images that differ; got every pixel {counts.argmax()}")
    values = np.arange(256) / 255
    mean = float(counts @ values)
    return {"mean": mean, "std": float(np.sqrt(counts @ (values - mean) ** 2))}
