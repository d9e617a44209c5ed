"""The contract of `experiments.contract`, implemented with Keras on TensorFlow."""

import os

# Both are read when TensorFlow and Keras are imported. 2: errors only.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ["KERAS_BACKEND"] = "tensorflow"
