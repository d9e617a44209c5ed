"""Import this before `keras.models.load_model`: it registers the layers of Tandem's own that a saved model may have."""

from models_tf.backend.enlarging import Enlarge
from models_tf.backend.normalisation import BatchNormalization
from models_tf.backend.padding import Conv2D, MaxPooling2D

__all__ = ["BatchNormalization", "Conv2D", "Enlarge", "MaxPooling2D"]
