"""Writes a model of PyTorch for others, with its scaling: raw pixels (n, height, width, channels) in, logits out."""

import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.export import ExportedProgram

from models_torch.backend.model import TorchModel
from models_torch.backend.saved import exported


class ChannelsLast(nn.Module):
    """A model that takes images (n, height, width, channels), as those of the other formats do."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits."""
        logits: Tensor = self.model(images.permute(0, 3, 1, 2))
        return logits


def _program(model: TorchModel) -> ExportedProgram:
    return exported(ChannelsLast(model.native()).eval(), torch.from_numpy(np.repeat(model.blank(), 2, axis=0)))


def write_program(model: TorchModel, file: Path) -> None:
    """Write a program for `torch.export.load`."""
    torch.export.save(_program(model), file)


def write_onnx(model: TorchModel, file: Path) -> None:
    """Write a graph of ONNX, `images` → `logits`, weights included."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            _program(model),
            f=file,
            input_names=["images"],
            output_names=["logits"],
            dynamic_shapes=({0: "n"},),
            dynamo=True,
            external_data=False,
            verbose=False,
        )


WRITERS: dict[str, Callable[[TorchModel, Path], None]] = {"onnx": write_onnx, "torch-export": write_program}
