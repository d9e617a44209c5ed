"""A source's images written as .npy files, a block at a time."""

import math
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt

from experiments.data.dataset import Images
from experiments.data.holding_out import hold_out
from experiments.data.importing.found import Found, Part, per_block
from experiments.data.raw import PARTS
from experiments.system.errors import TandemError
from experiments.system.progress import tracked

Chosen = npt.NDArray[np.bool_]


def write_found(folder: Path, found: Found, *, test_fraction: float, seed: int) -> None:
    """Write {train,test}_{images,labels}.npy; where there is no test set, of images held out of each class."""
    parts: list[tuple[Part, Mapping[str, Chosen]]]
    if found.test is None:
        _, test = hold_out(found.train.labels, fraction=test_fraction, seed=seed, option="--test-fraction")
        chosen = np.isin(np.arange(len(found.train.labels)), test)
        parts = [(found.train, {"train": ~chosen, "test": chosen})]
    else:
        both = zip(PARTS, (found.train, found.test), strict=True)
        parts = [(part, {name: np.ones(len(part.labels), bool)}) for name, part in both]
    for part, into in parts:
        for name, chosen in into.items():
            np.save(folder / f"{name}_labels.npy", part.labels[chosen])
        _write_images(folder, part, into)


def check_room(folder: Path, found: Found) -> None:
    """Refuse if the disk hasn't room for the files, and for DVC's copy of them.

    Raises:
        TandemError: it hasn't.
    """
    parts = [part for part in (found.train, found.test) if part]
    needed = 2 * sum(len(part.labels) * part.image_bytes for part in parts)
    if (free := shutil.disk_usage(folder).free) < needed:
        raise TandemError(
            f"{folder}: expected {needed / 1e6:,.0f} MB of free disk, for data/ and DVC's cache; "
            f"got {free / 1e6:,.0f} MB; make room"
        )


def _write_images(folder: Path, part: Part, into: Mapping[str, Chosen]) -> None:
    with ExitStack() as stack:
        writes = {
            name: stack.enter_context(_npy_file(folder / f"{name}_images.npy", part, int(chosen.sum())))
            for name, chosen in into.items()
        }
        start, steps = 0, math.ceil(len(part.labels) / per_block(part.image_bytes))
        for block in tracked(part.blocks(), f"writing the images to {' and '.join(into)}", steps):
            for name, chosen in into.items():
                writes[name](block[chosen[start : start + len(block)]])
            start += len(block)


@contextmanager
def _npy_file(path: Path, part: Part, count: int) -> Iterator[Callable[[Images], None]]:
    """Open a file that numpy.load reads, of so many images of a part, and yield what appends images to it.

    Not a memory map: on a full disk, writing to one ends the process.
    """
    descr = np.lib.format.dtype_to_descr(part.dtype)
    header = {"descr": descr, "fortran_order": False, "shape": (count, *part.shape)}
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)

        def write(images: Images) -> None:
            file.write(np.ascontiguousarray(images).data)

        yield write
