"""Sorting and searching: ties, default axes, the order of what is unique."""

from experiments.operations.operation import Operation

SORTING = (
    Operation("argmax", "np.argmax(ties)", "torch.argmax(ties)", "tf.argmax(ties)", "ops.argmax(ties)"),
    Operation("argmax-axis", "np.argmax(m)", "torch.argmax(m)", "tf.argmax(m)", "ops.argmax(m)"),
    Operation("argmax-empty", "np.argmax(empty)", "torch.argmax(empty)", "tf.argmax(empty)", "ops.argmax(empty)"),
    Operation("sort", "np.sort(m)", "torch.sort(m).values", "tf.sort(m)", "ops.sort(m)"),
    Operation(
        "argsort", "np.argsort(ties)", "torch.argsort(ties)", "tf.argsort(ties)", "ops.argsort(ties)", undefined=True
    ),
    Operation(
        "top-k", "np.sort(ties)[::-1][:3]", "torch.topk(ties, 3)", "tf.math.top_k(ties, 3)", "ops.top_k(ties, 3)"
    ),
    Operation("unique", "np.unique(ties)", "torch.unique(ties)", "tf.unique(ties).y", "ops.unique(ties)"),
)
