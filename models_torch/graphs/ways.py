"""The ways to run a function in PyTorch: each question's, named as a reader writes them."""

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from experiments.contract.graphs import Way
from models_torch.graphs.compiled import Captured, Exported
from models_torch.graphs.kernels import Eager, ExportedKernels, Inductor

NAME = "PyTorch"
COMPILE = Way("torch.compile(f)", Captured)
WHOLE = Way("torch.compile(f, fullgraph=True)", partial(Captured, fullgraph=True))
EXPORT = Way("torch.export.export(f)", Exported)
FLOW = (COMPILE, WHOLE, EXPORT)
WAYS: Mapping[str, Sequence[Way]] = {
    "fusion": (
        Way("PyTorch, eager", Eager),
        Way("torch.compile(f)", Inductor),
        Way("torch.export.export(f)", ExportedKernels),
    ),
    "data_dependent_if": FLOW,
    "data_dependent_loop": FLOW,
    "breaks": FLOW,
    "shapes": (
        COMPILE,
        Way("torch.compile(f, dynamic=False)", partial(Captured, dynamic=False)),
        Way("torch.compile(f, dynamic=True)", partial(Captured, dynamic=True)),
        Way("torch.compiler.config.dynamic_sources", partial(Captured, sources="L['x']")),
        EXPORT,
        Way("torch.export.export(f, dynamic_shapes=…)", partial(Exported, dynamic=True)),
    ),
}


def to_tensor(array: npt.NDArray[np.float32]) -> Tensor:
    """Return an array as a tensor."""
    return torch.from_numpy(array)


def to_array(tensor: Tensor) -> npt.NDArray[np.float32]:
    """Return a tensor as an array."""
    return tensor.detach().numpy()


def reason(error: Exception) -> str:
    """Return the first line of the message."""
    return (str(error).strip() or "no message").splitlines()[0]
