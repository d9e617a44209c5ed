"""Shapes: which axis is meant by default, and whether a number is that of the parts or their size."""

from experiments.operations.operation import Operation

SHAPE = (
    Operation(
        "reshape",
        "np.reshape(m, (3, -1))",
        "torch.reshape(m, (3, -1))",
        "tf.reshape(m, (3, -1))",
        "ops.reshape(m, (3, -1))",
    ),
    Operation("transpose", "np.transpose(m)", "torch.transpose(m, 0, 1)", "tf.transpose(m)", "ops.transpose(m)"),
    Operation(
        "transpose-axes",
        "np.transpose(stack, (1, 2, 0))",
        "torch.permute(stack, (1, 2, 0))",
        "tf.transpose(stack, (1, 2, 0))",
        "ops.transpose(stack, (1, 2, 0))",
    ),
    Operation(
        "concatenate", "np.concatenate([m, m])", "torch.cat([m, m])", "tf.concat([m, m])", "ops.concatenate([m, m])"
    ),
    Operation("stack", "np.stack([x, y])", "torch.stack([x, y])", "tf.stack([x, y])", "ops.stack([x, y])"),
    Operation("split", "np.split(halves, 3)", "torch.split(halves, 3)", "tf.split(halves, 3)", "ops.split(halves, 3)"),
    Operation("split-uneven", "np.split(x, 2)", "torch.split(x, 2)", "tf.split(x, 2)", "ops.split(x, 2)"),
    Operation(
        "split-list", "np.split(x, [1, 4])", "torch.split(x, [1, 4])", "tf.split(x, [1, 4])", "ops.split(x, [1, 4])"
    ),
    Operation(
        "expand-dims", "np.expand_dims(x, 0)", "torch.unsqueeze(x, 0)", "tf.expand_dims(x, 0)", "ops.expand_dims(x, 0)"
    ),
    Operation("squeeze", "np.squeeze(one)", "torch.squeeze(one)", "tf.squeeze(one)", "ops.squeeze(one)"),
    Operation("squeeze-axis", "np.squeeze(m, 0)", "torch.squeeze(m, 0)", "tf.squeeze(m, 0)", "ops.squeeze(m, 0)"),
    Operation(
        "repeat", "np.repeat(row, 2)", "torch.repeat_interleave(row, 2)", "tf.repeat(row, 2)", "ops.repeat(row, 2)"
    ),
    Operation("repeat-method", "row.repeat(2)", "row.repeat(2)", None, None),
    Operation(
        "tile", "np.tile(row, (2, 2))", "torch.tile(row, (2, 2))", "tf.tile(row, (2, 2))", "ops.tile(row, (2, 2))"
    ),
    Operation("flip", "np.flip(m)", "torch.flip(m)", "tf.reverse(m)", "ops.flip(m)"),
    Operation("roll", "np.roll(m, 1)", "torch.roll(m, 1)", "tf.roll(m, 1)", "ops.roll(m, 1)"),
    Operation("broadcast", "row + even[:, None]", "row + even[:, None]", "row + even[:, None]", "row + even[:, None]"),
    Operation(
        "pad",
        "np.pad(m, ((1, 0), (0, 2)))",
        "torch.nn.functional.pad(m, (0, 2, 1, 0))",
        "tf.pad(m, ((1, 0), (0, 2)))",
        "ops.pad(m, ((1, 0), (0, 2)))",
    ),
    Operation(
        "pad-pair", "np.pad(m, (1, 2))", "torch.nn.functional.pad(m, (1, 2))", "tf.pad(m, (1, 2))", "ops.pad(m, (1, 2))"
    ),
    Operation(
        "meshgrid",
        "np.meshgrid(row, even[:2])",
        "torch.meshgrid(row, even[:2])",
        "tf.meshgrid(row, even[:2])",
        "ops.meshgrid(row, even[:2])",
    ),
    Operation("diff", "np.diff(u)", "torch.diff(u)", "tf.experimental.numpy.diff(u)", "ops.diff(u)"),
)
