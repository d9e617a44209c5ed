"""Dtypes: of numbers from Python, of what two dtypes give together, of casts."""

from experiments.operations.operation import Operation

DTYPE = (
    Operation(
        "array-floats",
        "np.array([0.5, 2.0])",
        "torch.tensor([0.5, 2.0])",
        "tf.constant([0.5, 2.0])",
        "ops.array([0.5, 2.0])",
    ),
    Operation("array-integers", "np.array([1, 2])", "torch.tensor([1, 2])", "tf.constant([1, 2])", "ops.array([1, 2])"),
    Operation("arange", "np.arange(3)", "torch.arange(3)", "tf.range(3)", "ops.arange(3)"),
    Operation(
        "arange-step",
        "np.arange(1, 1.3, 0.1)",
        "torch.arange(1, 1.3, 0.1)",
        "tf.range(1, 1.3, 0.1)",
        "ops.arange(1, 1.3, 0.1)",
    ),
    Operation(
        "linspace", "np.linspace(0, 1, 3)", "torch.linspace(0, 1, 3)", "tf.linspace(0, 1, 3)", "ops.linspace(0, 1, 3)"
    ),
    Operation("add-int32-float32", "np.add(few, row)", "torch.add(few, row)", "tf.add(few, row)", "ops.add(few, row)"),
    Operation("add-int32-fraction", "few + 0.5", "few + 0.5", "few + 0.5", "ops.add(few, 0.5)"),
    Operation("add-uint8-300", "u + 300", "u + 300", "u + 300", "ops.add(u, 300)"),
    Operation("add-uint8-int8", "np.add(u, tiny)", "torch.add(u, tiny)", "tf.add(u, tiny)", "ops.add(u, tiny)"),
    Operation(
        "add-float32-float64",
        "np.add(row, double)",
        "torch.add(row, double)",
        "tf.add(row, double)",
        "ops.add(row, double)",
    ),
    Operation(
        "where-dtypes",
        "np.where(b, few, row)",
        "torch.where(b, few, row)",
        "tf.where(b, few, row)",
        "ops.where(b, few, row)",
    ),
    Operation("add-bool", "np.add(b, c)", "torch.add(b, c)", "tf.add(b, c)", "ops.add(b, c)"),
    Operation(
        "cast-fraction",
        "halves.astype(np.int32)",
        "halves.to(torch.int32)",
        "tf.cast(halves, tf.int32)",
        "ops.cast(halves, 'int32')",
    ),
    Operation(
        "cast-int32",
        "wild.astype(np.int32)",
        "wild.to(torch.int32)",
        "tf.cast(wild, tf.int32)",
        "ops.cast(wild, 'int32')",
        undefined=True,
    ),
    Operation(
        "cast-uint8",
        "wild.astype(np.uint8)",
        "wild.to(torch.uint8)",
        "tf.cast(wild, tf.uint8)",
        "ops.cast(wild, 'uint8')",
        undefined=True,
    ),
    Operation(
        "cast-integers", "i.astype(np.uint8)", "i.to(torch.uint8)", "tf.cast(i, tf.uint8)", "ops.cast(i, 'uint8')"
    ),
    Operation(
        "cast-bool",
        "special.astype(np.bool)",
        "special.to(torch.bool)",
        "tf.cast(special, tf.bool)",
        "ops.cast(special, 'bool')",
    ),
)
