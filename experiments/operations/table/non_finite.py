"""NaN, infinity and the sign of zero."""

from experiments.operations.operation import Operation

NON_FINITE = (
    Operation("sign", "np.sign(special)", "torch.sign(special)", "tf.sign(special)", "ops.sign(special)"),
    Operation("max-nan", "np.max(nans)", "torch.max(nans)", "tf.reduce_max(nans)", "ops.max(nans)"),
    Operation("min-nan", "np.min(nans)", "torch.min(nans)", "tf.reduce_min(nans)", "ops.min(nans)"),
    Operation(
        "maximum-nan",
        "np.maximum(even, nans)",
        "torch.maximum(even, nans)",
        "tf.maximum(even, nans)",
        "ops.maximum(even, nans)",
    ),
    Operation(
        "clip-nan",
        "np.clip(nans, 0, 2)",
        "torch.clip(nans, 0, 2)",
        "tf.clip_by_value(nans, 0, 2)",
        "ops.clip(nans, 0, 2)",
    ),
    Operation("argmax-nan", "np.argmax(nans)", "torch.argmax(nans)", "tf.argmax(nans)", "ops.argmax(nans)"),
    Operation("sort-nan", "np.sort(nans)", "torch.sort(nans).values", "tf.sort(nans)", "ops.sort(nans)"),
    Operation("unique-nan", "np.unique(twice)", "torch.unique(twice)", "tf.unique(twice).y", "ops.unique(twice)"),
    Operation(
        "nansum", "np.nansum(nans)", "torch.nansum(nans)", "tf.experimental.numpy.nansum(nans)", "ops.nansum(nans)"
    ),
    Operation(
        "equal-nan", "np.equal(nans, nans)", "torch.eq(nans, nans)", "tf.equal(nans, nans)", "ops.equal(nans, nans)"
    ),
    Operation(
        "isclose",
        "np.isclose(y, y + 1.5e-5)",
        "torch.isclose(y, y + 1.5e-5)",
        "tf.experimental.numpy.isclose(y, y + 1.5e-5)",
        "ops.isclose(y, y + 1.5e-5)",
    ),
    Operation("nan-to-num", "np.nan_to_num(special)", "torch.nan_to_num(special)", None, "ops.nan_to_num(special)"),
    Operation(
        "pow-zero", "np.power(special, 0)", "torch.pow(special, 0)", "tf.pow(special, 0)", "ops.power(special, 0)"
    ),
)
