"""What a training step computes in: `precision` of a recipe. `models_tf.backend.precision` does the same."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from experiments.settings.recipe import Arithmetic
from models_torch.backend.model import Classifier


def logits_in(classifier: Classifier, images: Tensor, precision: Arithmetic) -> Tensor:
    """Return the logits (n, classes) of uint8 images, in the precision of the weights.

    With `bfloat16`, the network runs under autocast: PyTorch casts what goes into convolutions, dense and recurrent
    layers and attention; the rest takes what it is given. Scaling and enlarging come before.
    """
    inputs = classifier.inputs(images)
    with torch.autocast(images.device.type, torch.bfloat16, enabled=precision == "bfloat16"):
        logits: Tensor = classifier.network(inputs)
    return logits.to(inputs.dtype)


@contextmanager
def tensor_float_32(precision: Arithmetic) -> Iterator[None]:
    """Let matrix products and convolutions on a GPU round to TensorFloat-32 inside, if that is the precision."""
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = precision == "tf32"
    try:
        yield
    finally:
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
