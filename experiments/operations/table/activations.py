"""Activations and losses: default axes, slopes, approximations and reductions; large numbers."""

from experiments.operations.operation import Operation

ACTIVATIONS = (
    Operation(
        "softmax", "scipy.special.softmax(m)", "torch.nn.functional.softmax(m)", "tf.nn.softmax(m)", "ops.softmax(m)"
    ),
    Operation(
        "softmax-3-axes",
        "scipy.special.softmax(stack, -1)",
        "torch.nn.functional.softmax(stack)",
        "tf.nn.softmax(stack)",
        "ops.softmax(stack)",
    ),
    Operation(
        "softmax-infinite",
        "scipy.special.softmax(edge)",
        "torch.softmax(edge, 0)",
        "tf.nn.softmax(edge)",
        "ops.softmax(edge)",
    ),
    Operation(
        "log-softmax",
        "scipy.special.log_softmax(large)",
        "torch.log_softmax(large, 0)",
        "tf.nn.log_softmax(large)",
        "ops.log_softmax(large)",
    ),
    Operation(
        "sigmoid", "scipy.special.expit(large)", "torch.sigmoid(large)", "tf.sigmoid(large)", "ops.sigmoid(large)"
    ),
    Operation("relu", "np.maximum(nans, 2) - 2", "torch.relu(nans - 2)", "tf.nn.relu(nans - 2)", "ops.relu(nans - 2)"),
    Operation("leaky-relu", None, "torch.nn.functional.leaky_relu(x)", "tf.nn.leaky_relu(x)", "ops.leaky_relu(x)"),
    Operation("gelu", "x * scipy.special.ndtr(x)", "torch.nn.functional.gelu(x)", "tf.nn.gelu(x)", "ops.gelu(x)"),
    Operation(
        "softplus",
        "np.logaddexp(large, 0)",
        "torch.nn.functional.softplus(large)",
        "tf.nn.softplus(large)",
        "ops.softplus(large)",
    ),
    Operation(
        "cross-entropy",
        None,
        "torch.nn.functional.cross_entropy(m, labels)",
        "tf.nn.sparse_softmax_cross_entropy_with_logits(labels, m)",
        "ops.sparse_categorical_crossentropy(labels, m, from_logits=True)",
    ),
    Operation(
        "binary-crossentropy",
        None,
        "torch.nn.functional.binary_cross_entropy(even / 4, 0 * even, reduction='none')",
        None,
        "ops.binary_crossentropy(0 * even, even / 4)",
    ),
    Operation("normalize", None, "torch.nn.functional.normalize(m)", "tf.math.l2_normalize(m)", "ops.normalize(m)"),
)
