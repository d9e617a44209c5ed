"""Stage `preprocess`: raw images → checked, split, counted NumPy arrays."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import train_test_split

from experiments.data.dataset import Labels
from experiments.data.prepare import write_description, write_split
from experiments.data.raw import read_raw
from experiments.settings.params import Preprocess
from experiments.system.errors import TandemError
from experiments.system.files import replace_folder


def preprocess(settings: Preprocess, data: Path, target: Path) -> None:
    """Read the raw dataset in `data`, hold out the validation split, and fill the folder `target`.

    `target` gets `{training,test}_images.npy` (uint8 or uint16; n, height, width, channels), `…_labels.npy` (uint16;
    n) and dataset.json; the validation images are the last of the training images.

    Raises:
        TandemError: a file is missing or damaged, the files don't fit each other, or all pixels are the same.
    """
    raw = read_raw(data)
    kept, held_out = _split(raw.train.labels, settings, data)
    about = {"name": raw.name, "classes": raw.classes, "class_names": raw.class_names}
    with replace_folder(target) as folder:
        training = write_split(folder, "training", raw.train, np.concatenate([kept, held_out]))
        test = write_split(folder, "test", raw.test, np.arange(len(raw.test.labels)))
        write_description(folder, about, training, test, len(kept))


def _split(labels: Labels, settings: Preprocess, data: Path) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the indices of the images to train on and of those held out, both ascending, stratified by class."""
    try:
        kept, held_out = train_test_split(
            np.arange(len(labels)), test_size=settings.validation_fraction, stratify=labels, random_state=settings.seed
        )
    except ValueError as error:
        raise TandemError(f"{data}: can't split with preprocess.validation_fraction: {error}") from None
    return np.sort(kept), np.sort(held_out)
