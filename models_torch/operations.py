"""What the calls of `tandem ops` see in PyTorch: its names, and the arrays of the table as its tensors."""

from typing import Any

import numpy as np
import numpy.typing as npt
import scipy
import torch

# By library: what stands before the dot in a call.
NAMES: dict[str, dict[str, Any]] = {
    "numpy": {"np": np, "scipy": scipy},
    "torch": {"np": np, "torch": torch},
}

torch.set_num_threads(1)


def tensor(library: str, array: npt.NDArray[Any]) -> Any:
    """Return an array as a call in that library gets it."""
    return array if library == "numpy" else torch.from_numpy(array)
