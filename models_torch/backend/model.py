"""A PyTorch model, as the rest of the project sees it."""

import copy
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from experiments.contract.examples import factory_of
from experiments.contract.model import Logits
from experiments.contract.model_settings import ModelSettings
from experiments.contract.weights import Parameter, Weights
from experiments.data.dataset import Images
from models_torch import ARCHITECTURES
from models_torch.backend import saved
from models_torch.backend.arrays import Array, arrays_of
from models_torch.backend.enlarging import enlarging
from models_torch.backend.freezing import freeze
from models_torch.backend.lazy import give_sizes, lazy_layers


class Classifier(nn.Module):
    """An architecture behind the scaling of its pixels: images (n, channels, height, width) → logits (n, classes)."""

    scale: float | Tensor
    offset: float | Tensor

    def __init__(self, settings: ModelSettings) -> None:
        super().__init__()
        build = factory_of(ARCHITECTURES, settings.architecture)
        with lazy_layers():
            self.network: nn.Module = build(**settings.arguments_of(build))
        give_sizes(self.network, settings.network_shape)
        self._stay_in_evaluation = freeze(self.network, settings.freeze)
        self.enlarge = enlarging(settings)
        self._per_channel("scale", settings.scale)
        self._per_channel("offset", settings.offset)
        self.dtype = torch.float64 if settings.precision == "float64" else torch.float32
        self.to(self.dtype)

    def _per_channel(self, name: str, value: float | tuple[float, ...]) -> None:
        if not isinstance(value, float):  # not persistent: a saved model has the network's arrays alone
            tensor = torch.tensor(value, dtype=torch.float64).view(-1, 1, 1)
            self.register_buffer(name, tensor, persistent=False)
        else:
            setattr(self, name, value)

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits."""
        logits: Tensor = self.network(self.inputs(images))
        return logits

    def inputs(self, images: Tensor) -> Tensor:
        """Return what the network gets: the pixels scaled, in the model's precision, and the images enlarged."""
        inputs: Tensor = self.enlarge(images.to(self.dtype) * self.scale + self.offset)
        return inputs

    def train(self, mode: bool = True) -> Self:
        """Turn training on or off; the normalisations of frozen layers stay in evaluation mode."""
        super().train(mode)
        for layer in self._stay_in_evaluation:
            layer.eval()
        return self


class TorchModel:
    """Implements `experiments.contract.model.Model`; channels-last in memory, which is faster on a CPU."""

    def __init__(self, settings: ModelSettings, device: torch.device) -> None:
        self.module = Classifier(settings).to(device)
        self.module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.device, self._settings = device, settings
        self._arrays()  # refuses an unknown layer before it runs

    def _arrays(self) -> dict[str, Array]:
        return arrays_of(self.module.network)

    def parameters(self) -> list[Parameter]:
        """Return parameters and state, in the order of the layers.

        Raises:
            TandemError: a layer has an array that isn't known.
        """
        return [array.parameter() for array in self._arrays().values()]

    def get_weights(self) -> Weights:
        """Return a copy of parameters and state."""
        return {name: _to_numpy(array.tensor) for name, array in self._arrays().items()}

    def get_gradients(self) -> Weights:
        """Return a copy of the gradients of the last backward pass."""
        arrays = self._arrays().items()
        return {name: _to_numpy(array.tensor.grad) for name, array in arrays if array.tensor.grad is not None}

    def set_weights(self, weights: Weights) -> None:
        """Load parameters and state, keeping their layout in memory."""
        with torch.no_grad():
            for name, array in self._arrays().items():
                array.tensor.copy_(torch.from_numpy(weights[name]))

    def predict(self, images: Images) -> Logits:
        """Return the logits, float32 of shape (n, classes)."""
        was_training = self.module.training
        self.module.eval()
        size = self._settings.predict_batch
        with torch.inference_mode():
            parts = [
                self.module(self.as_input(images[start : start + size])).cpu().numpy()
                for start in range(0, len(images), size)
            ]
        self.module.train(was_training)
        return np.concatenate(parts)

    def as_input(self, images: Images) -> Tensor:
        """Return images (n, height, width, channels) as `channels_second` has them, on the model's device."""
        return channels_second(torch.from_numpy(np.array(images)).to(self.device))

    def native_input(self, images: Images) -> Images:
        """Return images (n, height, width, channels) as (n, channels, height, width), copied."""
        return np.ascontiguousarray(np.moveaxis(np.array(images), -1, 1))

    def blank(self) -> Images:
        """Return one black image, (1, height, width, channels), for tracing shapes."""
        return np.zeros((1, *self._settings.image_shape), self._settings.pixel_type)

    def native(self) -> nn.Module:
        """Return a copy of the module, on the CPU, in evaluation mode, in the plain memory layout."""
        module = copy.deepcopy(self.module).to("cpu")
        module.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
        return module.eval()

    def save(self, folder: Path) -> None:
        """Write the model with its scaling to model.pt2, for `torch.export.load`: it predicts without these sources."""
        example = self.native_input(np.repeat(self.blank(), 2, axis=0))
        saved.save(self.native(), torch.from_numpy(example), folder)

    def load(self, folder: Path) -> None:
        """Load the arrays of model.pt2, in the precision of this model.

        In float32, which is the file's, the network in the file is compared with this one, up to rounding.
        """
        program = saved.load(folder)
        self.module.load_state_dict(program.state_dict)
        if self.module.dtype == torch.float32:
            generator = np.random.default_rng(0)
            kind = np.dtype(self._settings.pixel_type)
            images = generator.integers(0, np.iinfo(kind).max, (8, *self._settings.image_shape), kind, endpoint=True)
            with torch.inference_mode():
                there = program.module()(torch.from_numpy(self.native_input(images))).numpy()
            if not np.allclose(there, self.predict(images), rtol=1e-3, atol=1e-3, equal_nan=True):
                raise ValueError("the network in model.pt2 gives other outputs than the one that is built today")


def channels_second(images: Tensor) -> Tensor:
    """Return images (n, height, width, channels) as a view (n, channels, height, width), channels-last in memory.

    That of one channel counts as contiguous, for which PyTorch has other kernels.
    """
    count, height, width, channels = images.shape
    return images.view(count, 1, height, width) if channels == 1 else images.permute(0, 3, 1, 2)


def _to_numpy(tensor: Tensor) -> npt.NDArray[np.float32]:
    return tensor.detach().cpu().numpy().copy(order="C")
