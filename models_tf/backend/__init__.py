"""The contract of `experiments.contract`, implemented with Keras on TensorFlow."""

import os

# All are read when TensorFlow and Keras are imported. 2: errors only.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
# TensorFlow's default on newer processors alone. PyTorch computes with oneDNN on all: with it, both round alike, and on
# a processor without AVX-512 LeNet trains 1.6 times as fast.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
os.environ["KERAS_BACKEND"] = "tensorflow"
