"""The arrays of a PyTorch file as NumPy's: what `weights` of a recipe names. For both frameworks."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from models_torch.backend import saved

# Counts batches, and decides nothing.
_COUNTER = "num_batches_tracked"
# Of a saved model, in front of the names of the network.
_PREFIX = "network."


def to_npz(file: Path, target: Path) -> None:
    """Write the arrays of a file, float32, to an .npz file, under the project's names (`layer1/0/conv1/weight`).

    The file is a state dict, or a model that Tandem has saved (.pt2).

    Raises:
        ValueError: the file has something else; torch.load raises others.
    """
    content = _of_model(file) if file.suffix == saved.SUFFIX else _of_state_dict(file)
    named: dict[str, Any] = {
        name: tensor.detach().float().numpy() for name, tensor in content.items() if not name.endswith(_COUNTER)
    }
    np.savez(target, **{name.replace(".", "/"): array for name, array in named.items()})


def _of_model(file: Path) -> dict[str, torch.Tensor]:
    state = torch.export.load(file).state_dict
    return {name.removeprefix(_PREFIX): tensor for name, tensor in state.items()}


def _of_state_dict(file: Path) -> Mapping[str, torch.Tensor]:
    content = torch.load(file, map_location="cpu", weights_only=True)
    if not isinstance(content, dict) or not all(isinstance(value, torch.Tensor) for value in content.values()):
        raise ValueError("no mapping of names to tensors")
    return content
