"""Arithmetic: overflow, division of integers, zero, negative numbers."""

from experiments.operations.operation import Operation

ARITHMETIC = (
    Operation("add", "np.add(x, y)", "torch.add(x, y)", "tf.add(x, y)", "ops.add(x, y)"),
    Operation("subtract", "np.subtract(v, u)", "torch.subtract(v, u)", "tf.subtract(v, u)", "ops.subtract(v, u)"),
    Operation("multiply", "np.multiply(u, v)", "torch.multiply(u, v)", "tf.multiply(u, v)", "ops.multiply(u, v)"),
    Operation("divide", "np.divide(x, 0 * x)", "torch.divide(x, 0 * x)", "tf.divide(x, 0 * x)", "ops.divide(x, 0 * x)"),
    Operation("divide-integers", "np.divide(i, j)", "torch.divide(i, j)", "tf.divide(i, j)", "ops.divide(i, j)"),
    Operation(
        "divide-floor",
        "np.floor_divide(i, j)",
        "torch.floor_divide(i, j)",
        "tf.math.floordiv(i, j)",
        "ops.floor_divide(i, j)",
    ),
    Operation(
        "divide-floor-zero",
        "np.floor_divide(i, zero)",
        "torch.floor_divide(i, zero)",
        "tf.math.floordiv(i, zero)",
        "ops.floor_divide(i, zero)",
    ),
    Operation(
        "divide-truncate",
        "np.trunc(i / j).astype(i.dtype)",
        "torch.div(i, j, rounding_mode='trunc')",
        "tf.truncatediv(i, j)",
        "ops.cast(ops.trunc(i / j), i.dtype)",
    ),
    Operation("remainder", "np.remainder(i, j)", "torch.remainder(i, j)", "tf.math.mod(i, j)", "ops.mod(i, j)"),
    Operation("remainder-fmod", "np.fmod(i, j)", "torch.fmod(i, j)", "tf.truncatemod(i, j)", "ops.fmod(i, j)"),
    Operation("pow", "np.power(x, 0.5)", "torch.pow(x, 0.5)", "tf.pow(x, 0.5)", "ops.power(x, 0.5)"),
    Operation("pow-negative", "np.power(few, -1)", "torch.pow(few, -1)", "tf.pow(few, -1)", "ops.power(few, -1)"),
    Operation("negative", "np.negative(x)", "torch.negative(x)", "tf.negative(x)", "ops.negative(x)"),
    Operation("negative-uint8", "np.negative(u)", "torch.negative(u)", "tf.negative(u)", "ops.negative(u)"),
    Operation("abs", "np.abs(tiny)", "torch.abs(tiny)", "tf.abs(tiny)", "ops.abs(tiny)"),
    Operation("square", "np.square(u)", "torch.square(u)", "tf.square(u)", "ops.square(u)"),
    Operation("sqrt", "np.sqrt(x)", "torch.sqrt(x)", "tf.sqrt(x)", "ops.sqrt(x)"),
    Operation("sqrt-integers", "np.sqrt(few)", "torch.sqrt(few)", "tf.sqrt(few)", "ops.sqrt(few)"),
    Operation("exp", "np.exp(large)", "torch.exp(large)", "tf.exp(large)", "ops.exp(large)"),
    Operation("log", "np.log(x)", "torch.log(x)", "tf.math.log(x)", "ops.log(x)"),
    Operation("maximum", "np.maximum(x, y)", "torch.maximum(x, y)", "tf.maximum(x, y)", "ops.maximum(x, y)"),
    Operation("minimum", "np.minimum(x, y)", "torch.minimum(x, y)", "tf.minimum(x, y)", "ops.minimum(x, y)"),
    Operation("clip", "np.clip(x, -1, 2)", "torch.clip(x, -1, 2)", "tf.clip_by_value(x, -1, 2)", "ops.clip(x, -1, 2)"),
    Operation(
        "clip-crossed", "np.clip(x, 2, -1)", "torch.clip(x, 2, -1)", "tf.clip_by_value(x, 2, -1)", "ops.clip(x, 2, -1)"
    ),
)
