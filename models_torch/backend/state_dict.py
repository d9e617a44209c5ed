"""A file of a PyTorch state dict as NumPy's arrays: what `weights` of a recipe names. For both frameworks."""

from pathlib import Path

import numpy as np
import torch

# Counts batches, and decides nothing.
_COUNTER = "num_batches_tracked"


def to_npz(file: Path, target: Path) -> None:
    """Write the arrays of a state dict, float32, to an .npz file, under the project's names (`layer1/0/conv1/weight`).

    Raises:
        ValueError: the file has something else; torch.load raises others.
    """
    content = torch.load(file, map_location="cpu", weights_only=True)
    if not isinstance(content, dict) or not all(isinstance(value, torch.Tensor) for value in content.values()):
        raise ValueError("no mapping of names to tensors")
    named = {name: tensor.float().numpy() for name, tensor in content.items() if not name.endswith(_COUNTER)}
    np.savez(target, **{name.replace(".", "/"): array for name, array in named.items()})
