"""The arrays that the calls of the table name: small, and chosen so that differences show."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

NAN, INF = float("nan"), float("inf")


@dataclass(frozen=True)
class Input:
    """An array, as its dtype and its values."""

    dtype: str
    values: Any

    @property
    def array(self) -> npt.NDArray[Any]:
        """The array itself, a new one each time."""
        return np.array(self.values, dtype=self.dtype)


INPUTS: dict[str, Input] = {
    # Signs, halves, ties.
    "x": Input("float32", [-2, -0.5, 0, 0.5, 3]),
    "y": Input("float32", [4, 2, 0.5, -1, 3]),
    "halves": Input("float32", [-2.5, -1.5, -0.5, 0.5, 1.5, 2.5]),
    "tenths": Input("float32", [0.25, 0.35, -1.25, 2.675]),
    "ties": Input("float32", [2, 3, 1, 3, 2]),
    "even": Input("float32", [4, 1, 3, 2]),
    "row": Input("float32", [1, 2, 3]),
    "one": Input("float32", [5]),
    "empty": Input("float32", []),
    # Several axes.
    "m": Input("float32", [[3, 1, 2], [6, 5, 4]]),
    "stack": Input("float32", [[[1, 2], [3, 4]], [[0, 1], [1, 0]]]),
    "singular": Input("float32", [[1, 2], [2, 4]]),
    "indefinite": Input("float32", [[1, 2], [2, 1]]),
    # NaN, infinity, the sign of zero, and what is too large for an integer.
    "nans": Input("float32", [1, NAN, 3, 2]),
    "twice": Input("float32", [NAN, NAN, 1]),
    "special": Input("float32", [NAN, INF, -INF, -0.0, 0]),
    "edge": Input("float32", [INF, -INF]),
    "large": Input("float32", [1000, 0, -1000]),
    "wild": Input("float32", [-1.7, 1.7, 300, 3e9, NAN, INF]),
    # Other dtypes: signs, zero, the ends of a range.
    "double": Input("float64", [0.1, 0.2, 0.3]),
    "i": Input("int32", [7, -7, 7, -7]),
    "j": Input("int32", [2, 2, -2, -2]),
    "zero": Input("int32", [1, 0, 2, 0]),
    "few": Input("int32", [1, 2, 4]),
    "u": Input("uint8", [250, 3, 10]),
    "v": Input("uint8", [10, 5, 10]),
    "tiny": Input("int8", [-128, -1, 5]),
    "index": Input("int64", [[0, 2], [1, 1]]),
    "labels": Input("int64", [2, 0]),
    "beyond": Input("int64", [0, 3, -1]),
    "b": Input("bool", [True, False, True]),
    "c": Input("bool", [True, True, False]),
}
