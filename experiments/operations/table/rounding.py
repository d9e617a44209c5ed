"""Rounding: halves, decimals, integers."""

from experiments.operations.operation import Operation

ROUNDING = (
    Operation("round", "np.round(halves)", "torch.round(halves)", "tf.round(halves)", "ops.round(halves)"),
    Operation(
        "round-decimals",
        "np.round(tenths, 1)",
        "torch.round(tenths, decimals=1)",
        "tf.round(tenths * 10) / 10",
        "ops.round(tenths, 1)",
    ),
    Operation("ceil", "np.ceil(halves)", "torch.ceil(halves)", "tf.math.ceil(halves)", "ops.ceil(halves)"),
    Operation("floor", "np.floor(halves)", "torch.floor(halves)", "tf.floor(halves)", "ops.floor(halves)"),
    Operation("floor-integers", "np.floor(i)", "torch.floor(i)", "tf.floor(i)", "ops.floor(i)"),
    Operation("trunc", "np.trunc(halves)", "torch.trunc(halves)", None, "ops.trunc(halves)"),
)
