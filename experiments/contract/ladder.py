"""The two small problems of `tandem ladder`: all that a rung gets.

Every rung has a function `train`. It takes a problem, calls `after_step` with the loss of each step, which is that
before the step's update, and returns the parameters after the last step.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from experiments.contract.weights import FloatArray

# Called with the loss of a step once its update is done.
AfterStep = Callable[[float], None]
# The parameters, in the order in which the problem has them.
Trained = Sequence[FloatArray]


@dataclass(frozen=True)
class Line:
    """Points (x, y), both of shape (n,); the line w·x + b starts at w and b, of shape (); the loss is the mean square.

    The dtype of the arrays, float32 or float64, is what a rung computes in.
    """

    x: FloatArray
    y: FloatArray
    w: FloatArray
    b: FloatArray
    lr: float
    steps: int


@dataclass(frozen=True)
class Net:
    """A net relu(x·w1)·w2 to fit to y: its loss is the sum of the squared errors.

    x is (n, inputs), y (n, outputs); w1 (inputs, hidden) and w2 (hidden, outputs) are the initial weights. The dtype of
    the arrays, float32 or float64, is what a rung computes in.
    """

    x: FloatArray
    y: FloatArray
    w1: FloatArray
    w2: FloatArray
    lr: float
    steps: int
