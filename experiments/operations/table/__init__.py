"""The operations, by group: each file is a literal table."""

from experiments.operations.operation import Operation
from experiments.operations.table.activations import ACTIVATIONS
from experiments.operations.table.arithmetic import ARITHMETIC
from experiments.operations.table.dtype import DTYPE
from experiments.operations.table.indexing import INDEXING
from experiments.operations.table.linear_algebra import LINEAR_ALGEBRA
from experiments.operations.table.non_finite import NON_FINITE
from experiments.operations.table.reductions import REDUCTIONS
from experiments.operations.table.rounding import ROUNDING
from experiments.operations.table.shape import SHAPE
from experiments.operations.table.sorting import SORTING

GROUPS: dict[str, tuple[Operation, ...]] = {
    "arithmetic": ARITHMETIC,
    "rounding": ROUNDING,
    "reductions": REDUCTIONS,
    "sorting": SORTING,
    "indexing": INDEXING,
    "shape": SHAPE,
    "linear-algebra": LINEAR_ALGEBRA,
    "activations": ACTIVATIONS,
    "dtype": DTYPE,
    "non-finite": NON_FINITE,
}
