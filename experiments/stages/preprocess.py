"""Stage `preprocess`: the raw dataset → checked, split, counted NumPy arrays."""

from pathlib import Path

import numpy as np

from experiments.data.holding_out import hold_out
from experiments.data.prepare import write_description, write_split
from experiments.data.raw import read_raw
from experiments.settings.params import Preprocess
from experiments.system.files import replace_folder


def preprocess(settings: Preprocess, data: Path, target: Path) -> None:
    """Read the dataset in `data`, hold out the validation split, and fill the folder `target`.

    `target` gets `{training,test}_images.npy` (uint8 or uint16; n, height, width, channels), `…_labels.npy` (uint16;
    n) and dataset.json; the validation images are the last of the training images.

    Raises:
        TandemError: a file is missing or damaged, the files don't fit each other, or all pixels are the same.
    """
    raw = read_raw(data)
    fraction, where = settings.validation_fraction, f"{data}: preprocess.validation_fraction"
    kept, held_out = hold_out(raw.train.labels, fraction=fraction, seed=settings.seed, option=where)
    about = {"name": raw.name, "classes": raw.classes, "class_names": raw.class_names}
    with replace_folder(target) as folder:
        training = write_split(folder, "training", raw.train, np.concatenate([kept, held_out]))
        test = write_split(folder, "test", raw.test, np.arange(len(raw.test.labels)))
        write_description(folder, about, training, test, len(kept))
