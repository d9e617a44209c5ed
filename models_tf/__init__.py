"""Every architecture in Keras on TensorFlow; `models_torch` mirrors it file by file.

Importing this package imports no framework: the dict names each factory as module:function.
"""

ARCHITECTURES: dict[str, str] = {
    "cnn3": "models_tf.cnn3:build",
    "lenet": "models_tf.lenet:build",
    "mlp": "models_tf.mlp:build",
}
