"""The jobs of parity, each run in one framework, in a process of its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from experiments.contract.backend import Backend, TrainingSettings
from experiments.contract.layers import Inspection, Layer
from experiments.contract.model import Model
from experiments.contract.model_settings import ModelSettings
from experiments.contract.weights import FloatArray, Parameter, Weights, draw_weights
from experiments.data.dataset import Images, Labels
from experiments.parity.protocol import SEED
from experiments.parity.sides import Side, load_side
from experiments.settings.recipe import BackendName
from experiments.training.buildable import check_logits, explained


@dataclass(frozen=True)
class Job:
    """A model to build, and its training on images (n, height, width, channels) with labels, uint16 (n,).

    `saved`: the folders that backends load their models from; without one, the weights are drawn.
    """

    model: ModelSettings
    training: TrainingSettings
    images: Images
    labels: Labels
    saved: Mapping[BackendName, Path] = field(default_factory=dict)


@dataclass(frozen=True)
class Description:
    """A model as one framework describes it."""

    layers: list[Layer]
    parameters: list[Parameter]


@dataclass(frozen=True)
class Start:
    """The weights as a model returns them, and what it computes from a batch, in that order."""

    weights: Weights
    computed: Weights


@dataclass(frozen=True)
class Steps:
    """A training: the loss of each step, and a file with parameters, state and outputs after each step.

    `outputs` is how many numbers the last are: the logits of the first batch, in evaluation mode.
    """

    losses: FloatArray
    file: Path
    outputs: int


def describe(side: Side, settings: ModelSettings) -> Description:
    """Return the layers and the parameters of a model.

    Raises:
        TandemError: it can't be built.
    """
    backend, inspection = load_side(side)
    with explained(side.backend, settings, backend):
        model = backend.build(settings)
        check_logits(model, settings)
        return Description(inspection.layers(model), model.parameters())


def start(side: Side, job: Job, batch: int, perturbation: float = 0.0) -> Start:
    """Return the weights, and the activations, loss and gradients (from the output on) of a batch, counted from 0."""
    _, inspection, model = _built(side, job)
    _perturb(model, perturbation)
    size = job.training.recipe.batch_size
    # Of fewer images, the last batch goes on with the first.
    chosen = np.arange(batch * size, (batch + 1) * size) % len(job.labels)
    images, labels = job.images[chosen], job.labels[chosen]
    weights, activations = model.get_weights(), inspection.activations(model, images)
    loss, gradients = inspection.loss_and_gradients(model, images, labels)
    computed = {f"activation of {path}": value for path, value in activations.items()} | {"loss": np.array(loss)}
    return Start(weights, computed | {f"gradient of {name}": value for name, value in reversed(gradients.items())})


def steps(side: Side, job: Job, folder: Path, names: Sequence[str], perturbation: float) -> Steps:
    """Train through the same function as every run; a file in `folder` gets what `Steps` says after each step.

    Every weight starts perturbed by up to `perturbation` of itself.
    """
    backend, inspection, model = _built(side, job)
    _perturb(model, perturbation)
    inspection.layers(model)  # as the train stage does; it must not change the training
    # Written step by step: all parameters of all steps can be gigabytes.
    start = "perturbed" if perturbation else "drawn"
    recipe, precision = job.training.recipe, job.model.precision
    name = (job.model.architecture, recipe.optimiser, precision, recipe.precision, start, side.backend)
    path = folder / "-".join(name)
    with path.open("wb") as file:
        listener = EveryStep(model, names, job.images[: job.training.recipe.batch_size], file)
        backend.train(model, job.images, job.labels, job.training, checkpoint=None, listener=listener)
    return Steps(np.array(listener.losses), path, listener.outputs)


def dropout(side: Side, job: Job) -> dict[str, list[tuple[FloatArray, ...]]]:
    """Return the input and output of each dropout layer, by path: in evaluation, and in two training steps."""
    _, inspection, model = _built(side, job)
    passes = [inspection.dropouts(model, job.images, training=training) for training in (False, True, True)]
    return {path: [arrays[path] for arrays in passes] for path in sorted(passes[0])}


class EveryStep:
    """A listener that keeps the loss of each step.

    After it, it writes the parameters and the state `names` to a file, and the logits of `images` in evaluation mode.
    """

    def __init__(self, model: Model, names: Sequence[str], images: Images, file: BinaryIO) -> None:
        self.model, self.names, self.images, self.file = model, names, images, file
        self.losses: list[float] = []
        self.outputs = 0

    def steps_done(self, epoch: int, step: int, losses: FloatArray, correct: npt.NDArray[np.int64]) -> None:
        """Keep the step."""
        self.losses.extend(losses.tolist())
        weights = self.model.get_weights()
        for name in self.names:
            self.file.write(weights[name].tobytes())
        logits = self.model.predict(self.images)
        self.outputs = logits.size
        self.file.write(logits.tobytes())

    def epoch_done(self, epoch: int, seconds: float, model: Model) -> bool:
        """Go on: every step was kept."""
        return True


def _built(side: Side, job: Job) -> tuple[Backend[Model], Inspection[Model], Model]:
    backend, inspection = load_side(side)
    model = backend.build(job.model)
    if folder := job.saved.get(side.backend):
        model.load(folder)
    else:
        model.set_weights(draw_weights(model.parameters(), job.training.recipe, seed=SEED))
    return backend, inspection, model


def _perturb(model: Model, perturbation: float) -> None:
    """Multiply every weight by 1 ± up to `perturbation`, drawn anew for each."""
    if perturbation:
        random = np.random.default_rng(SEED)
        weights = {name: value.astype(np.float64) for name, value in model.get_weights().items()}
        model.set_weights({n: v * (1 + perturbation * random.uniform(-1, 1, v.shape)) for n, v in weights.items()})
