"""How an array of a model starts: the distributions that the frameworks document, drawn by NumPy."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Drawn = npt.NDArray[np.float32]
Rule = Literal["uniform", "glorot uniform", "normal", "orthogonal", "constant"]


@dataclass(frozen=True)
class Distribution:
    """How the elements of an array are drawn.

    `scale` is the bound of a uniform distribution, ±scale, or the deviation of a normal one. `values` are what a
    constant array is filled with: equal parts along its first axis, one value each. `orthogonal` is a matrix of
    orthonormal columns, or rows if there are fewer (Saxe et al., 2014).
    """

    rule: Rule
    scale: float = 0.0
    values: tuple[float, ...] = ()

    def draw(self, shape: tuple[int, ...], generator: np.random.Generator) -> Drawn:
        """Return a float32 array of the shape."""
        if self.rule == "constant":
            parts = [np.full(shape[0] // len(self.values), value, np.float32) for value in self.values]
            return np.broadcast_to(np.concatenate(parts).reshape(-1, *(1 for _ in shape[1:])), shape).copy()
        if self.rule == "normal":
            return generator.normal(0, self.scale, shape).astype(np.float32)
        if self.rule == "orthogonal":
            return _orthogonal(shape, generator).astype(np.float32)
        return generator.uniform(-self.scale, self.scale, shape).astype(np.float32)


def constant(*values: float) -> Distribution:
    """Return the distribution of a constant array."""
    return Distribution("constant", values=values)


def glorot_uniform(fan_in: int, fan_out: int) -> Distribution:
    """Return the uniform distribution within ±√(6 / (fan_in + fan_out)) (Glorot and Bengio, 2010)."""
    return Distribution("glorot uniform", math.sqrt(6 / (fan_in + fan_out)))


def uniform_by(fan_in: int) -> Distribution:
    """Return the uniform distribution within ±1/√fan_in."""
    return Distribution("uniform", 1 / math.sqrt(fan_in))


def _orthogonal(shape: tuple[int, ...], generator: np.random.Generator) -> npt.NDArray[np.float64]:
    rows, columns = shape
    q, r = np.linalg.qr(generator.normal(size=(max(shape), min(shape))))
    # With this sign, every orthogonal matrix is equally probable (Mezzadri, 2007).
    q *= np.sign(np.diag(r))
    return q if rows >= columns else q.T
