"""One framework's side of parity, a process of its own: reads jobs as lines of JSON, leaves arrays in files.

`python -m experiments.parity.probe BACKEND DEVICE THREADS`. Each job is answered by a line: `done`, `failed`
(the framework raised) or `refused` (what was asked can't be done), and why.
"""

import contextlib
import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from experiments.contract.backend import Backend, Model
from experiments.contract.inspection import Inspection
from experiments.contract.weights import draw_weights
from experiments.frameworks import backend_name, load_backend, load_inspection
from experiments.parity.protocol import BATCH_SIZE, DROPOUT_STEPS, SEED, Job
from experiments.system.errors import TandemError
from experiments.system.files import write_json

# TensorFlow's messages begin with a traceback; the reason is at their end.
MESSAGE = 300


class EveryStep:
    """A listener that keeps the loss after each step, and appends all parameters, in order of name, to a file."""

    def __init__(self, model: Model, file: BinaryIO) -> None:
        self.model, self.file = model, file
        self.losses: list[float] = []

    def steps_done(
        self, epoch: int, step: int, losses: npt.NDArray[np.floating[Any]], correct: npt.NDArray[np.int64]
    ) -> None:
        """Keep the step."""
        self.losses.extend(losses.tolist())
        for _, value in sorted(self.model.get_weights().items()):
            self.file.write(value.tobytes())

    def epoch_done(self, epoch: int, seconds: float, model: Model) -> None:
        """Nothing: every step was kept."""


class Probe:
    """Does jobs in one framework."""

    def __init__(self, backend: Backend[Model], inspection: Inspection[Model]) -> None:
        self.backend, self.inspection = backend, inspection
        self.jobs: dict[str, Callable[[Job, Path], None]] = {
            "describe": self.describe,
            "start": self.start,
            "steps": self.steps,
            "dropout": self.dropout,
        }

    def describe(self, job: Job, folder: Path) -> None:
        """Write the layers and the parameters."""
        model = self.backend.build(job.model_settings)
        layers = [asdict(layer) for layer in self.inspection.layers(model)]
        parameters = [asdict(parameter) for parameter in model.parameters()]
        write_json(folder / "description.json", {"layers": layers, "parameters": parameters})

    def start(self, job: Job, folder: Path) -> None:
        """Write the initial weights as the model gives them back, and what becomes of the first batch."""
        model, images, labels = self._started(job)
        _save(folder / "weights.npz", model.get_weights())
        _save(folder / "activations.npz", self.inspection.activations(model, images[:BATCH_SIZE]))
        loss, gradients = self.inspection.loss_and_gradients(model, images[:BATCH_SIZE], labels[:BATCH_SIZE])
        _save(folder / "loss.npz", {"loss": np.array(loss)})
        _save(folder / "gradients.npz", gradients)

    def steps(self, job: Job, folder: Path) -> None:
        """Train, through the same function as every run, and write the losses and parameters of all steps."""
        model, images, labels = self._started(job)
        self.inspection.layers(model)  # as the train stage does, which must leave no trace
        # Written as they come: the steps of a large network would take gigabytes of memory.
        with (folder / "steps.bin").open("wb") as file:
            heard = EveryStep(model, file)
            self.backend.train(model, images, labels, job.training_settings, checkpoint=None, listener=heard)
        np.save(folder / "losses.npy", np.array(heard.losses))

    def dropout(self, job: Job, folder: Path) -> None:
        """Write what goes into and comes out of each dropout layer, in training and in evaluation."""
        model, images, _ = self._started(job)
        passes = [("evaluation", False), *((f"step {step + 1}", True) for step in range(DROPOUT_STEPS))]
        for name, training in passes:
            found = self.inspection.dropouts(model, images, training=training)
            for path, (before, after) in found.items():
                (folder / name).mkdir(parents=True, exist_ok=True)
                np.savez(folder / name / f"{path.replace('/', '.')}.npz", before=before, after=after)

    def _started(self, job: Job) -> tuple[Model, npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
        model, recipe = self.backend.build(job.model_settings), job.training_settings.recipe
        weights = draw_weights(
            model.parameters(),
            initialiser=recipe.initialiser,
            seed=SEED,
            exceptions=recipe.initialiser_exceptions,
        )
        model.set_weights(weights)
        with np.load(job.images) as data:
            return model, data["images"], data["labels"]


def _save(path: Path, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    np.savez(path, **dict(arrays))  # type: ignore[arg-type]


def answer(probe: Probe, line: str) -> str:
    """Do the job on a line, and return the line to answer it with."""
    job = Job(**json.loads(line))
    Path(job.folder).mkdir(parents=True, exist_ok=True)
    try:
        probe.jobs[job.kind](job, Path(job.folder))
    except (TandemError, OSError) as error:
        return f"refused {error}"
    except Exception as error:  # whatever a network of the user's own raises: the report says it
        return f"failed {type(error).__name__}: {' '.join(str(error).split())[-MESSAGE:]}"
    return "done"


def main(backend: str, device: str, threads: str) -> None:
    """Answer jobs until there are no more."""
    # The answers have a way of their own; whatever else prints goes to stderr.
    with os.fdopen(os.dup(1), "w", buffering=1) as answers, contextlib.redirect_stdout(sys.stderr):
        name = backend_name(backend)
        try:
            probe = Probe(load_backend(name, device=device, threads=int(threads)), load_inspection(name))  # type: ignore[arg-type]
        except TandemError as error:
            answers.write(f"refused {error}\n")
            return
        for line in sys.stdin:
            answers.write(answer(probe, line) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
