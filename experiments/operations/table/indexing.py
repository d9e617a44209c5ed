"""Indexing: conditions, and indices that are negative or out of range."""

from experiments.operations.operation import Operation

INDEXING = (
    Operation(
        "where", "np.where(x > 0, x, y)", "torch.where(x > 0, x, y)", "tf.where(x > 0, x, y)", "ops.where(x > 0, x, y)"
    ),
    Operation("where-one", "np.where(m > 3)", "torch.where(m > 3)", "tf.where(m > 3)", "ops.where(m > 3)"),
    Operation("nonzero", "np.nonzero(m > 3)", "torch.nonzero(m > 3)", None, "ops.nonzero(m > 3)"),
    Operation("mask", "m[m > 3]", "m[m > 3]", "m[m > 3]", None),
    Operation(
        "gather",
        "np.take_along_axis(m, index, 1)",
        "torch.gather(m, 1, index)",
        "tf.gather(m, index, axis=1, batch_dims=1)",
        "ops.take_along_axis(m, index, 1)",
    ),
    Operation("gather-lists", "m[[0, 1], [0, 1]]", "m[[0, 1], [0, 1]]", "tf.gather_nd(m, [[0, 0], [1, 1]])", None),
    Operation("take", "np.take(m, labels)", "torch.take(m, labels)", "tf.gather(m, labels)", "ops.take(m, labels)"),
    Operation(
        "take-negative",
        "np.take(x, [-1])",
        "torch.take(x, torch.tensor([-1]))",
        "tf.gather(x, [-1])",
        "ops.take(x, [-1])",
    ),
    Operation(
        "take-beyond", "np.take(x, [5])", "torch.take(x, torch.tensor([5]))", "tf.gather(x, [5])", "ops.take(x, [5])"
    ),
    Operation("slice-backwards", "x[::-1]", "x[::-1]", "x[::-1]", "x[::-1]"),
    Operation(
        "one-hot",
        "np.eye(3)[labels]",
        "torch.nn.functional.one_hot(labels, 3)",
        "tf.one_hot(labels, 3)",
        "ops.one_hot(labels, 3)",
    ),
    Operation(
        "one-hot-beyond",
        "np.eye(3)[beyond]",
        "torch.nn.functional.one_hot(beyond, 3)",
        "tf.one_hot(beyond, 3)",
        "ops.one_hot(beyond, 3)",
    ),
)
