"""A model in a file of its own: network, weights and scaling as one program, which needs no source of the project."""

import warnings
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.export import Dim, ExportedProgram

from experiments.contract.model import SAVED_BATCH, Logits

SUFFIX = ".pt2"
FILE = f"model{SUFFIX}"


def exported(module: nn.Module, example: torch.Tensor) -> ExportedProgram:
    """Return a module on the CPU, in evaluation mode, as a program; any batch size will do.

    `example` are at least 2 images as the module takes them.

    Raises:
        Exception: torch's own: the network can't be exported, such as one that decides by what is in its images.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of PyTorch's own modules, while it looks at them
        program = torch.export.export(module, (example,), dynamic_shapes=({0: Dim.DYNAMIC},))
    for node in program.graph.nodes:
        node.meta.pop("stack_trace", None)  # paths of this machine, which are nobody else's business
    return program


def save(module: nn.Module, example: torch.Tensor, folder: Path) -> None:
    """Write a module to model.pt2, for `torch.export.load`; see `exported`."""
    torch.export.save(exported(module, example), folder / FILE)


def load(folder: Path) -> ExportedProgram:
    """Return the program in model.pt2."""
    return torch.export.load(folder / FILE)


class SavedModel:
    """Implements `experiments.contract.model.SavedModel`, on the CPU."""

    def __init__(self, folder: Path) -> None:
        program = load(folder)
        (example,), _ = program.example_inputs
        _, channels, height, width = example.shape
        self.image_shape = (height, width, channels)
        self.dtype: np.dtype[np.generic] = example.numpy().dtype
        self._run = program.module()

    def predict(self, images: npt.NDArray[np.generic]) -> Logits:
        """Return the logits, float32 of shape (n, classes), for images (n, height, width, channels)."""
        starts = range(0, len(images), SAVED_BATCH)
        with torch.inference_mode():
            return np.concatenate([self._part(images[start : start + SAVED_BATCH]) for start in starts])

    def _part(self, images: npt.NDArray[np.generic]) -> Logits:
        logits: Logits = self._run(torch.from_numpy(np.array(images.transpose(0, 3, 1, 2), order="C"))).numpy()
        return logits
