"""Every architecture in Keras on TensorFlow; `models_torch` mirrors it file by file.

Importing this package imports no framework: the dict names each factory as module:function.
"""

ARCHITECTURES: dict[str, str] = {
    "mlp": "models_tf.mlp:build",
    "conv5x5": "models_tf.conv5x5:build",
    "lenet": "models_tf.lenet:build",
    "cnn2": "models_tf.cnn2:build",
    "cnn3": "models_tf.cnn3:build",
    "cnn3-functional": "models_tf.cnn3_functional:build",
    "cnn3-subclassed": "models_tf.cnn3_subclassed:build",
    "basic_cnn": "models_tf.basic_cnn:build",
    "inception": "models_tf.inception:build",
    "lstm": "models_tf.lstm:build",
    "vit": "models_tf.vit:build",
    "resnet20": "models_tf.resnet20:build",
    "resnet101": "models_tf.resnet101:build",
}
