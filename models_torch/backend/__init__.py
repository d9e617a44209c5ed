"""The contract of `experiments.contract`, implemented with PyTorch Lightning."""
