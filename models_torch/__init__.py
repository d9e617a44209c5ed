"""Every architecture in PyTorch, trained by Lightning; `models_tf` mirrors it file by file.

Importing this package imports no framework: the dict names each factory as module:function. A factory with
several names is the twin of one architecture that Keras has in several styles.
"""

ARCHITECTURES: dict[str, str] = {
    "mlp": "models_torch.mlp:build",
    "conv5x5": "models_torch.conv5x5:build",
    "lenet": "models_torch.lenet:build",
    "cnn2": "models_torch.cnn2:build",
    "cnn3": "models_torch.cnn3:build",
    "cnn3-functional": "models_torch.cnn3:build",
    "cnn3-subclassed": "models_torch.cnn3:build",
    "basic_cnn": "models_torch.basic_cnn:build",
    "inception": "models_torch.inception:build",
    "lstm": "models_torch.lstm:build",
    "vit": "models_torch.vit:build",
    "resnet20": "models_torch.resnet20:build",
    "resnet101": "models_torch.resnet101:build",
}
