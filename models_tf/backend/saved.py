"""Import this before `keras.models.load_model`: it registers the layers of Tandem's own that a saved model may have."""

from models_tf.backend.activations import GELU, LeakyReLU
from models_tf.backend.enlarging import Enlarge
from models_tf.backend.normalisation import BatchNormalization
from models_tf.backend.padding import Conv2D, MaxPooling2D
from models_tf.backend.positions import Positions

__all__ = ["GELU", "BatchNormalization", "Conv2D", "Enlarge", "LeakyReLU", "MaxPooling2D", "Positions"]
