"""Predicts with a SavedModel of TensorFlow.

    python predict_saved_model.py saved_model/ IMAGES.npy LOGITS.npy

IMAGES.npy has raw pixels, (images, height, width, channels), of the type that the model takes; LOGITS.npy gets float32
(images, classes). With the model alone, a line of JSON says what it takes. Needs: pip install tensorflow numpy
"""

import json
import sys

import numpy as np
import tensorflow as tf

BATCH = 100

model, *files = sys.argv[1:]
loaded = tf.saved_model.load(model)
serve = loaded.signatures["serving_default"]
((name, taken),) = serve.structured_input_signature[1].items()
shape, dtype = taken.shape[1:].as_list(), taken.dtype.name

if not files:
    print(json.dumps({"image_shape": shape, "dtype": dtype}))
    sys.exit()

images = np.load(files[0], mmap_mode="r")
if [*images.shape[1:]] != shape or images.dtype != dtype:
    sys.exit(f"expected images (n, {', '.join(map(str, shape))}), {dtype}; got {images.shape}, {images.dtype}")

batches = [tf.constant(images[start : start + BATCH]) for start in range(0, len(images), BATCH)]
logits = [next(iter(serve(**{name: batch}).values())).numpy() for batch in batches]
np.save(files[1], np.concatenate(logits))
