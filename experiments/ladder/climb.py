"""The job of `tandem ladder`: one rung on one problem, in the process of its framework."""

import pkgutil
import time
from dataclasses import dataclass

import numpy as np

from experiments.contract.ladder import Trained
from experiments.contract.weights import FloatArray
from experiments.ladder.problems import Problem
from experiments.parity.sides import Side, load_side


@dataclass(frozen=True)
class Climbed:
    """What a rung has come to: its parameters, and of each step its own loss and the seconds that it took.

    The first step's seconds have all that comes before it: tensors, layers, loaders, tracing and compiling.
    """

    trained: Trained
    losses: FloatArray
    seconds: FloatArray

    @property
    def first_step_seconds(self) -> float:
        """How long it took to the end of the first step."""
        return float(self.seconds[0])

    @property
    def steps_per_second(self) -> float:
        """The median over all steps but the first."""
        return float(1 / np.median(self.seconds[1:]))


def set_up(side: Side) -> None:
    """Set up a framework for this process; what isn't set up is NumPy."""
    load_side(side)


def climb(target: str, problem: Problem) -> Climbed:
    """Train by the rung `target`, module:function."""
    train = pkgutil.resolve_name(target)
    losses: list[float] = []
    times = [time.perf_counter()]

    def after_step(loss: float) -> None:
        times.append(time.perf_counter())
        losses.append(loss)

    times[0] = time.perf_counter()
    trained = [np.asarray(value) for value in train(problem, after_step)]
    return Climbed(trained, np.array(losses, np.float64), np.diff(times))
