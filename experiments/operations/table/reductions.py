"""Reductions: default axes, the dtype of the result, nothing to reduce."""

from experiments.operations.operation import Operation

REDUCTIONS = (
    Operation("sum", "np.sum(m)", "torch.sum(m)", "tf.reduce_sum(m)", "ops.sum(m)"),
    Operation("sum-int32", "np.sum(few)", "torch.sum(few)", "tf.reduce_sum(few)", "ops.sum(few)"),
    Operation("sum-uint8", "np.sum(u)", "torch.sum(u)", "tf.reduce_sum(u)", "ops.sum(u)"),
    Operation("sum-bool", "np.sum(b)", "torch.sum(b)", "tf.reduce_sum(b)", "ops.sum(b)"),
    Operation("sum-empty", "np.sum(empty)", "torch.sum(empty)", "tf.reduce_sum(empty)", "ops.sum(empty)"),
    Operation("mean-int32", "np.mean(few)", "torch.mean(few)", "tf.reduce_mean(few)", "ops.mean(few)"),
    Operation("mean-empty", "np.mean(empty)", "torch.mean(empty)", "tf.reduce_mean(empty)", "ops.mean(empty)"),
    Operation("max", "np.max(m)", "torch.max(m)", "tf.reduce_max(m)", "ops.max(m)"),
    Operation("max-axis", "np.max(m, 1)", "torch.max(m, 1)", "tf.reduce_max(m, 1)", "ops.max(m, 1)"),
    Operation("max-empty", "np.max(empty)", "torch.max(empty)", "tf.reduce_max(empty)", "ops.max(empty)"),
    Operation("var", "np.var(x)", "torch.var(x)", "tf.math.reduce_variance(x)", "ops.var(x)"),
    Operation("std", "np.std(x)", "torch.std(x)", "tf.math.reduce_std(x)", "ops.std(x)"),
    Operation("std-one", "np.std(one)", "torch.std(one)", "tf.math.reduce_std(one)", "ops.std(one)"),
    Operation("median", "np.median(even)", "torch.median(even)", None, "ops.median(even)"),
    Operation("cumsum", "np.cumsum(m)", "torch.cumsum(m)", "tf.cumsum(m)", "ops.cumsum(m)"),
    Operation("cumsum-uint8", "np.cumsum(u)", "torch.cumsum(u, 0)", "tf.cumsum(u)", "ops.cumsum(u)"),
    Operation("cumprod", "np.cumprod(row)", "torch.cumprod(row, 0)", "tf.math.cumprod(row)", "ops.cumprod(row)"),
    Operation(
        "logsumexp",
        "scipy.special.logsumexp(large)",
        "torch.logsumexp(large, 0)",
        "tf.reduce_logsumexp(large)",
        "ops.logsumexp(large)",
    ),
    Operation(
        "count-nonzero",
        "np.count_nonzero(x)",
        "torch.count_nonzero(x)",
        "tf.math.count_nonzero(x)",
        "ops.count_nonzero(x)",
    ),
)
