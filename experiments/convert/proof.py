"""The proof that a model and the one that was made of it are the same, both as their files have them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import softmax

from experiments.contract.backend import TrainingSettings
from experiments.contract.model import Logits
from experiments.contract.model_settings import Precision, model_settings
from experiments.contract.weights import Weights
from experiments.data.dataset import Dataset
from experiments.parity import protocol
from experiments.parity.check import Quantity, check_weights, first_beyond, largest
from experiments.parity.jobs import Job
from experiments.parity.sides import Processes
from experiments.parity.starts import best_quantities, run_starts
from experiments.settings.recipe import BackendName, Recipe
from experiments.system.errors import TandemError
from experiments.training.outputs import Answers


def compare_files(
    processes: Processes, recipe: Recipe, dataset: Dataset, saved: Mapping[BackendName, Path], weights: Weights
) -> dict[Precision, list[Quantity]]:
    """Return what the two saved models compute from a batch of training images, and how far apart it is.

    Every activation in evaluation mode, the loss and every gradient, in both precisions, as parity does it; dropout is
    off. Both models have exactly these weights.

    Raises:
        TandemError: not so, or something is further apart than its bound; the message names the first.
        JobFailed: a framework can't do it.
    """
    split = dataset.split("train")
    count = protocol.FULL.batch_size * protocol.BATCHES
    images, labels = np.array(split.images[:count]), np.array(split.labels[:count])
    recipe = recipe.model_copy(
        update={"dropout": None if recipe.dropout is None else 0.0, "batch_size": protocol.FULL.batch_size}
    )

    def make_job(precision: Precision) -> Job:
        training = TrainingSettings(recipe, protocol.SEED, log_every_steps=1)
        return Job(model_settings(recipe, dataset, precision), training, images, labels, saved)

    starts = run_starts(processes, make_job, 0)
    if problem := check_weights(starts, weights, "weights"):
        raise _refusal(recipe, problem)
    quantities = best_quantities(starts, lambda batch: run_starts(processes, make_job, batch))
    for precision in protocol.PRECISIONS:
        if beyond := first_beyond(quantities[precision]):
            raise _refusal(recipe, f"{precision}: {beyond.apart}")
    return quantities


def _refusal(recipe: Recipe, problem: str) -> TandemError:
    advice = f"nothing was written; `tandem parity {recipe.architecture}` compares the twins"
    return TandemError(f"RUN: expected a model that computes the same in both frameworks; got {problem}", advice=advice)


def summary(quantities: Sequence[Quantity]) -> dict[str, Any]:
    """Return how many quantities there are, and the one closest to its bound."""
    closest = largest(quantities)
    row = {"quantities": len(quantities), "closest": closest.where}
    return {**row, "difference": closest.difference, "bound": closest.bound}


def compare_answers(first: Logits, second: Logits) -> dict[str, Any]:
    """Set what two models answer to the same images side by side, (n, classes) each: without labels, nothing is scored.

    `largest_margin` is how far, in the first model, an answer that differs is ahead of the one that the second gives.
    """
    here, there = first.argmax(axis=1), second.argmax(axis=1)
    apart = np.flatnonzero(here != there)
    margins = first[apart, here[apart]] - first[apart, there[apart]]
    return {
        "images": len(first),
        "alike": len(first) - len(apart),
        "largest_logit_difference": float(np.abs(first - second).max()),
        "largest_margin": float(margins.max()) if len(apart) else None,
    }


def compare_recorded(logits: Logits, answers: Answers) -> dict[str, Any]:
    """Set what a model answers, (n, classes), beside what its run has recorded."""
    predicted = logits.argmax(axis=1)
    probability = softmax(logits.astype(np.float64), axis=1)[np.arange(len(logits)), answers.predicted]
    return {
        "images": len(logits),
        "alike": int((predicted == answers.predicted).sum()),
        "largest_probability_difference": float(np.abs(probability - answers.probability).max()),
    }
