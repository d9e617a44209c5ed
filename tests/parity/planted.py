"""Bugs to plant in a framework's process, for one job at a time."""

import pkgutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from functools import partial
from types import SimpleNamespace
from typing import Any, ParamSpec, TypeVar
from unittest.mock import patch

from experiments.system.isolated import IsolatedProcess
from tests import normed
from tests.parity.planted_layers import LAYER_BUGS

P = ParamSpec("P")
R = TypeVar("R")
Bug = Callable[[], AbstractContextManager[Any]]


class BuggyProcess(IsolatedProcess):
    """A process, named after its framework, that does its jobs with the bug `bug` if that is one of this framework.

    `bugs` is where the known ones are, module:dict.
    """

    bug, bugs = "", f"{__name__}:BUGS"

    def submit(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        return super().submit(run_with_bug, self.bugs, self.bug, self.name, partial(function, *args, **kwargs))


def run_with_bug(bugs: str, bug: str, here: str, job: Callable[[], R]) -> R:
    known: dict[str, tuple[str, Bug]] = pkgutil.resolve_name(bugs)
    backend, plant = known.get(bug, ("", nullcontext))
    with normed.registered(), plant() if backend == here else nullcontext():
        return job()


def adam_epsilon() -> Any:
    """Keras's own value of epsilon, in PyTorch's formula."""
    from models_tf.backend import optimizers

    return patch("models_tf.backend.backend.make_optimizer", lambda recipe, _: optimizers.Adam(recipe.lr, epsilon=1e-7))


def adam_of_keras() -> Any:
    """Keras's own formula, with PyTorch's value of epsilon."""
    import keras

    return patch(
        "models_tf.backend.backend.make_optimizer", lambda recipe, _: keras.optimizers.Adam(recipe.lr, epsilon=1e-8)
    )


def nesterov() -> Any:
    import keras

    def make(recipe: Any, rates: Any) -> Any:
        return keras.optimizers.SGD(recipe.lr, momentum=recipe.momentum, nesterov=True)

    return patch("models_tf.backend.backend.make_optimizer", make)


def flatten_order() -> Any:
    """The dense layer after the flatten gets its weights as if images were channels first."""
    return patch("models_tf.backend.model.flattened", lambda calls: {})


def weight_decay() -> Any:
    import torch

    def make(network: Any, recipe: Any) -> Any:
        return torch.optim.SGD(network.parameters(), lr=recipe.lr, momentum=recipe.momentum, weight_decay=1e-4)

    return patch("models_torch.backend.training.make_optimizer", make)


def floor_pooling() -> Any:
    from keras import layers

    def pool(size: int, *, padding: str, name: str) -> Any:
        return layers.MaxPooling2D(size, name=name)

    return patch("models_tf.cnn3.layers", SimpleNamespace(**{**vars(layers), "MaxPooling2D": pool}))


def large_pooling_in_torch() -> Any:
    from torch import nn

    def pool(size: int, *, ceil_mode: bool) -> Any:
        return nn.MaxPool2d(10 * size)

    return patch("models_torch.cnn3.nn", SimpleNamespace(**{**vars(nn), "MaxPool2d": pool}))


def zero_bias() -> Any:
    from models_torch.backend.model import TorchModel

    original = TorchModel.set_weights

    def set_weights(model: TorchModel, weights: Any) -> None:
        original(model, {**weights, "conv1/bias": 0 * weights["conv1/bias"]})

    return patch.object(TorchModel, "set_weights", set_weights)


def last_batch_dropped() -> Any:
    from experiments.data.dataset import batch_order

    def order(images: int, **options: Any) -> Any:
        return batch_order(images, **{**options, "drop_last": True})

    def steps(recipe: Any, images: int) -> int:
        return images // int(recipe.batch_size)

    users = {"batches.batch_order": order, "training.steps_of_epoch": steps}
    return all_of([patch(f"models_tf.backend.{name}", planted) for name, planted in users.items()])


def sum_for_mean() -> Any:
    from torch.nn.functional import cross_entropy

    def batch_loss(logits: Any, labels: Any, smoothing: float = 0.0) -> Any:
        return cross_entropy(logits, labels, reduction="sum")

    users = ("models_torch.backend.training", "models_torch.backend.inspection")
    return all_of([patch(f"{module}.batch_loss", batch_loss) for module in users])


def low_precision() -> Any:
    """A framework whose float32 is bfloat16 in one layer, as TensorFloat-32 is on some GPUs."""
    import torch
    from torch import nn

    original = nn.Linear.forward

    def forward(layer: nn.Linear, inputs: Any) -> Any:
        output = original(layer, inputs)
        return output.to(torch.bfloat16).to(output.dtype) if output.dtype == torch.float32 else output

    return patch.object(nn.Linear, "forward", forward)


def dropout_keeps_the_rate() -> Any:
    """The rate taken for the probability of keeping."""
    from torch import nn

    dropout = SimpleNamespace(**{**vars(nn), "Dropout": lambda rate: nn.Dropout(1 - rate if rate else 0.0)})
    return patch("models_torch.cnn3.nn", dropout)


def dropout_off_in_training() -> Any:
    from models_torch.backend.training import LitRecipe

    original = LitRecipe.on_train_epoch_start

    def start(module: LitRecipe) -> None:
        original(module)
        module.network.eval()

    return patch.object(LitRecipe, "on_train_epoch_start", start)


def dropout_in_evaluation() -> Any:
    from keras import layers

    original = layers.Dropout.call

    def call(layer: Any, inputs: Any, training: bool = False) -> Any:
        return original(layer, inputs, training=True)

    return patch.object(layers.Dropout, "call", call)


def the_same_mask() -> Any:
    """The generator is seeded again before each step."""
    import torch
    from torch import nn

    original = nn.Dropout.forward

    def forward(layer: nn.Dropout, inputs: Any) -> Any:
        torch.manual_seed(1)
        return original(layer, inputs)

    return patch.object(nn.Dropout, "forward", forward)


def bfloat16_ignored_by_keras() -> Any:
    return patch("models_tf.backend.backend.tracing_in", lambda precision, model: nullcontext())


def bfloat16_ignored_by_torch() -> Any:
    return patch("models_torch.backend.training.logits_in", lambda classifier, images, precision: classifier(images))


def float16_for_bfloat16() -> Any:
    return patch("models_tf.backend.precision.MIXED", "mixed_float16")


def float16_in_torch() -> Any:
    import torch

    autocast = torch.autocast
    return patch("torch.autocast", lambda device, kind, enabled: autocast(device, torch.float16, enabled=enabled))


def weights_in_bfloat16() -> Any:
    import torch

    from models_torch.backend.optimizers import update as original

    def update(optimizer: torch.optim.Optimizer, *arguments: Any) -> None:
        original(optimizer, *arguments)
        with torch.no_grad():
            for weight in optimizer.param_groups[0]["params"]:
                weight.copy_(weight.to(torch.bfloat16))

    return patch("models_torch.backend.training.update", update)


def option_ignored() -> Any:
    """A factory that takes an option, and builds what it builds without."""
    from models_torch import cnn3

    build = cnn3.build
    return patch.object(cnn3, "build", lambda classes, dropout, **options: build(classes, dropout))


def frozen_statistics_updated() -> Any:
    """The normalisation of a frozen layer is put into training mode with the others."""
    return patch("models_torch.backend.freezing.NORMALISATIONS", ())


@contextmanager
def all_of(patches: Sequence[Any]) -> Iterator[None]:
    with ExitStack() as stack:
        for planted in patches:
            stack.enter_context(planted)
        yield


BUGS: dict[str, tuple[str, Bug]] = {
    "adam epsilon": ("keras", adam_epsilon),
    "adam of keras": ("keras", adam_of_keras),
    "nesterov": ("keras", nesterov),
    "flatten order": ("keras", flatten_order),
    "weight decay": ("lightning", weight_decay),
    "floor pooling": ("keras", floor_pooling),
    "large pooling in torch": ("lightning", large_pooling_in_torch),
    "zero bias": ("lightning", zero_bias),
    "last batch dropped": ("keras", last_batch_dropped),
    "sum for mean": ("lightning", sum_for_mean),
    "low precision": ("lightning", low_precision),
    "dropout keeps the rate": ("lightning", dropout_keeps_the_rate),
    "dropout off in training": ("lightning", dropout_off_in_training),
    "dropout in evaluation": ("keras", dropout_in_evaluation),
    "bfloat16 ignored by Keras": ("keras", bfloat16_ignored_by_keras),
    "bfloat16 ignored by PyTorch": ("lightning", bfloat16_ignored_by_torch),
    "float16 for bfloat16": ("keras", float16_for_bfloat16),
    "float16 in PyTorch": ("lightning", float16_in_torch),
    "weights in bfloat16": ("lightning", weights_in_bfloat16),
    "option ignored": ("lightning", option_ignored),
    "the same mask": ("lightning", the_same_mask),
    "momentum the other way round": ("keras", partial(normed.other_normalisation, momentum=0.1)),
    "momentum of Keras": ("keras", partial(normed.other_normalisation, momentum=0.99)),
    "epsilon of Keras": ("keras", partial(normed.other_normalisation, epsilon=1e-3)),
    "biased variance": ("keras", normed.biased_variance),
    "statistics not updated": ("lightning", normed.statistics_not_updated),
    "frozen statistics updated": ("lightning", frozen_statistics_updated),
    "updated in evaluation": ("lightning", normed.updated_in_evaluation),
    **LAYER_BUGS,
}
