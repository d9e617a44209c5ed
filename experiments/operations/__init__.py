"""Single operations in NumPy, PyTorch, TensorFlow and Keras, run on the same input."""
