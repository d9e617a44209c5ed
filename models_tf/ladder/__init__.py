"""The ladder in TensorFlow: one small computation at every level of its API, a file each, in order.

`models_torch.ladder` has the same files, but for `graph_session`. Importing this package imports no framework.
"""

RUNGS: dict[str, str] = {
    "linear_regression": "models_tf.ladder.linear_regression:train",
    "manual": "models_tf.ladder.manual:train",
    "autograd": "models_tf.ladder.autograd:train",
    "custom_gradient": "models_tf.ladder.custom_gradient:train",
    "sequential": "models_tf.ladder.sequential:train",
    "module": "models_tf.ladder.module:train",
    "fit": "models_tf.ladder.fit:train",
    "compiled": "models_tf.ladder.compiled:train",
    "graph_session": "models_tf.ladder.graph_session:train",
}
