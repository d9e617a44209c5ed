"""The layers of a PyTorch model, their outputs, and gradients: `experiments.contract.layers.Inspection`."""

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from experiments.contract.layers import Layer, with_blocks
from experiments.contract.weights import FloatArray, Weights
from experiments.data.dataset import Images, Labels
from models_torch.backend.arrays import specs_of
from models_torch.backend.dropout import SpatialDropout1d
from models_torch.backend.kinds import DROPOUTS, kind_of
from models_torch.backend.model import TorchModel
from models_torch.backend.recurrent import GRU, LSTM
from models_torch.backend.trace import Call, trace
from models_torch.backend.training import batch_loss
from models_torch.backend.windows import window_of


def layers(model: TorchModel) -> list[Layer]:
    """Return the layers in the order in which they run, with the shapes of one image."""
    seen: set[int] = set()
    described = []
    for call in _trace(model, model.blank(), training=False):
        own = [one for one in _own_parameters(call.layer) if id(one) not in seen]
        seen |= {id(one) for one in own}
        described.append(replace(_describe(call), parameters=sum(one.numel() for one in own if one.requires_grad)))
    return with_blocks(described)


def activations(model: TorchModel, images: Images) -> Weights:
    """Return the scaled images as `input`, and the output of every layer by its path, with dropout off."""
    calls = _trace(model, images, training=False)
    return {"input": _array(calls[0].input)} | {call.path: _array(call.output) for call in calls}


def dropouts(model: TorchModel, images: Images, *, training: bool) -> dict[str, tuple[FloatArray, ...]]:
    """Return the input and the output of every dropout layer, by its path; channels come second."""
    calls = [call for call in _trace(model, images, training=training) if kind_of(call.layer) in DROPOUTS]
    return {call.path: (_channels_second(call, call.input), _channels_second(call, call.output)) for call in calls}


def loss_and_gradients(model: TorchModel, images: Images, labels: Labels) -> tuple[float, Weights]:
    """Return the mean loss of a batch, and its gradient by the names and in the shapes of the parameters."""
    model.module.train()
    model.module.zero_grad()
    targets = torch.from_numpy(labels.astype(np.int64)).to(model.device)
    loss = batch_loss(model.module(model.as_input(images)), targets)
    loss.backward()
    return loss.item(), model.get_gradients()


def _trace(model: TorchModel, images: Images, *, training: bool) -> list[Call]:
    return trace(model.module, model.module.network, model.as_input(images), training=training)


def _channels_second(call: Call, tensor: Tensor) -> FloatArray:
    return _array(tensor.transpose(1, 2) if isinstance(call.layer, SpatialDropout1d) else tensor)


def _array(tensor: Tensor) -> FloatArray:
    return np.ascontiguousarray(tensor.cpu().numpy())


def _own_parameters(layer: nn.Module) -> list[nn.Parameter]:
    """Return the parameters of a layer itself; of a known kind, those inside of it too."""
    return list(layer.parameters(recurse=specs_of(layer) is not None))


def _describe(call: Call) -> Layer:
    layer, form = call.layer, window_of(call.layer)
    if isinstance(layer, nn.Linear):
        form["features"] = layer.out_features
    if isinstance(layer, nn.Dropout1d | nn.Dropout2d):
        form["features"] = _channels_second(call, call.input).shape[1]
    if isinstance(layer, nn.Embedding):
        form["features"] = layer.embedding_dim
    if isinstance(layer, LSTM | GRU):
        form["features"] = layer.hidden_size
    if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear | LSTM | GRU | nn.MultiheadAttention):
        form["weights"] = sum(one.numel() for one in _own_parameters(layer) if one.dim() > 1)
    return Layer(call.path, kind_of(layer), tuple(call.input.shape[1:]), tuple(call.output.shape[1:]), **form)
