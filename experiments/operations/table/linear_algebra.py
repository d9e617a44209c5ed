"""Linear algebra: stacked matrices, and matrices without an answer."""

from experiments.operations.operation import Operation

LINEAR_ALGEBRA = (
    Operation(
        "matmul",
        "np.matmul(stack, stack)",
        "torch.matmul(stack, stack)",
        "tf.matmul(stack, stack)",
        "ops.matmul(stack, stack)",
    ),
    Operation("matmul-vector", "np.matmul(m, row)", "torch.matmul(m, row)", "tf.matmul(m, row)", "ops.matmul(m, row)"),
    Operation(
        "dot",
        "np.dot(stack, stack[0])",
        "torch.dot(stack, stack[0])",
        "tf.tensordot(stack, stack[0], 1)",
        "ops.dot(stack, stack[0])",
    ),
    Operation(
        "einsum",
        "np.einsum('bij,bjk->ik', stack, stack)",
        "torch.einsum('bij,bjk->ik', stack, stack)",
        "tf.einsum('bij,bjk->ik', stack, stack)",
        "ops.einsum('bij,bjk->ik', stack, stack)",
    ),
    Operation("trace", "np.trace(stack)", "torch.trace(stack)", "tf.linalg.trace(stack)", "ops.trace(stack)"),
    Operation(
        "inverse", "np.linalg.inv(stack)", "torch.linalg.inv(stack)", "tf.linalg.inv(stack)", "ops.linalg.inv(stack)"
    ),
    Operation(
        "inverse-singular",
        "np.linalg.inv(singular)",
        "torch.linalg.inv(singular)",
        "tf.linalg.inv(singular)",
        "ops.linalg.inv(singular)",
    ),
    # One element, since TensorFlow leaves the others as they were in memory.
    Operation(
        "cholesky",
        "np.linalg.cholesky(indefinite)[1, 1]",
        "torch.linalg.cholesky(indefinite)[1, 1]",
        "tf.linalg.cholesky(indefinite)[1, 1]",
        "ops.linalg.cholesky(indefinite)[1, 1]",
    ),
    # The first of what is returned is U, or the singular values; the signs of U are anybody's choice.
    Operation(
        "svd-first",
        "abs(np.linalg.svd(np.diag(row))[0])",
        "abs(torch.linalg.svd(torch.diag(row))[0])",
        "abs(tf.linalg.svd(tf.linalg.diag(row))[0])",
        "abs(ops.linalg.svd(ops.diag(row))[0])",
    ),
)
