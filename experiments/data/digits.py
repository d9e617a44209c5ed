"""The stand-in for MNIST on a machine without a network: scikit-learn's digits."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from experiments.data.idx import to_idx
from experiments.system.files import write_atomically

TEST_IMAGES = 297


def write_digits(folder: Path) -> None:
    """Write scikit-learn's 1,797 digits as the four IDX files of MNIST: 1,500 to train, 297 to test.

    The 8×8 images of 17 grey levels (0 to 16) are enlarged to 28×28 with bilinear interpolation and scaled to
    0..255. They are the test part of the UCI set "Optical Recognition of Handwritten Digits".
    """
    digits = load_digits()
    images = np.stack([_enlarged(image) for image in digits.images])
    labels = digits.target.astype(np.uint8)
    train, test = train_test_split(np.arange(len(labels)), test_size=TEST_IMAGES, stratify=labels, random_state=0)
    for prefix, part in (("train", train), ("t10k", test)):
        write_atomically(folder / f"{prefix}-images-idx3-ubyte", to_idx(images[part]))
        write_atomically(folder / f"{prefix}-labels-idx1-ubyte", to_idx(labels[part]))


def _enlarged(image: npt.NDArray[np.float64]) -> npt.NDArray[np.uint8]:
    grey = Image.fromarray(np.round(image * (255 / 16)).astype(np.uint8))
    return np.asarray(grey.resize((28, 28), Image.Resampling.BILINEAR))
