"""Every architecture in PyTorch, trained by Lightning; `models_tf` mirrors it file by file.

Importing this package imports no framework: the dict names each factory as module:function.
"""

ARCHITECTURES: dict[str, str] = {
    "cnn3": "models_torch.cnn3:build",
    "lenet": "models_torch.lenet:build",
    "mlp": "models_torch.mlp:build",
}
