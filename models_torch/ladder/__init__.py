"""The ladder in PyTorch: one small computation at every level of its API, a file each, in order.

`models_tf.ladder` has the same files, and `graph_session`, which PyTorch never had. Importing this package imports no
framework.
"""

RUNGS: dict[str, str] = {
    "linear_regression": "models_torch.ladder.linear_regression:train",
    "manual": "models_torch.ladder.manual:train",
    "autograd": "models_torch.ladder.autograd:train",
    "custom_gradient": "models_torch.ladder.custom_gradient:train",
    "sequential": "models_torch.ladder.sequential:train",
    "module": "models_torch.ladder.module:train",
    "fit": "models_torch.ladder.fit:train",
    "compiled": "models_torch.ladder.compiled:train",
}
