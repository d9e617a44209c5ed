"""The contract of `experiments.contract`, implemented with Keras on TensorFlow."""
