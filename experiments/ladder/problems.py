"""The two problems, the same for every rung: drawn by NumPy with a fixed seed."""

import numpy as np

from experiments.contract.ladder import Line, Net, Trained
from experiments.contract.model_settings import Precision
from experiments.system.errors import TandemError
from experiments.system.processes import threads_for

Problem = Line | Net
SEED = 0
PRECISIONS: tuple[Precision, ...] = ("float64", "float32")
OUTPUTS = (10, 1000)
EXAMPLES, INPUTS, HIDDEN, STEPS = 64, 1000, 100, 100
LINE_RATE, NET_RATE = 0.1, 7e-5
# The names of a problem's parameters, in order.
PARAMETERS: dict[type[Problem], tuple[str, ...]] = {Line: ("w", "b"), Net: ("w1", "w2")}


def check_settings(*, outputs: int, threads: int) -> None:
    """Refuse what the ladder isn't made for.

    Raises:
        TandemError: naming the option, what was expected, and what was got.
    """
    if outputs not in OUTPUTS:
        raise TandemError(f"--outputs: expected {' or '.join(map(str, OUTPUTS))}; got {outputs}; give one of these")
    if not 1 <= threads <= threads_for("auto"):
        raise TandemError(
            f"--threads: expected 1 to {threads_for('auto')}, the cores for this process; got {threads}; leave it out"
        )


def problem_of(rung: str, precision: Precision, outputs: int) -> Problem:
    """Return the problem of a rung; float32's numbers are float64's, rounded."""
    return line(precision) if rung == "linear_regression" else net(precision, outputs=outputs)


def line(precision: Precision) -> Line:
    """Return points around 2·x - 1, and the line 2.9·x to start from."""
    random = np.random.default_rng(SEED)
    x = random.standard_normal(EXAMPLES)
    y = 2 * x - 1 + 0.1 * random.standard_normal(EXAMPLES)
    x, y, w, b = (np.asarray(value, precision) for value in (x, y, 2.9, 0.0))
    return Line(x, y, w, b, LINE_RATE, STEPS)


def net(precision: Precision, *, outputs: int, inputs: int = INPUTS, hidden: int = HIDDEN) -> Net:
    """Return noise to fit, and weights whose variance is 2 / (their inputs + their outputs).

    With it (Glorot and Bengio, 2010), one learning rate suits any number of outputs.
    """
    random = np.random.default_rng(SEED)
    x, y = random.standard_normal((EXAMPLES, inputs)), random.standard_normal((EXAMPLES, outputs))
    w1, w2 = (
        random.standard_normal(shape) * np.sqrt(2 / sum(shape)) for shape in ((inputs, hidden), (hidden, outputs))
    )
    x, y, w1, w2 = (value.astype(precision) for value in (x, y, w1, w2))
    return Net(x, y, w1, w2, NET_RATE, STEPS)


def loss_after(problem: Problem, trained: Trained) -> float:
    """Return the loss of parameters, whatever a rung says of it."""
    first, second = (value.astype(np.float64) for value in trained)
    if isinstance(problem, Line):
        return float(np.mean((first * problem.x + second - problem.y) ** 2))
    return float(np.sum((np.maximum(problem.x @ first, 0) @ second - problem.y) ** 2))
