"""Predicts with a model in Keras's own format.

    python predict_keras.py model.keras IMAGES.npy LOGITS.npy

IMAGES.npy has raw pixels, (images, height, width, channels), of the type that the model takes; LOGITS.npy gets float32
(images, classes). With the model alone, a line of JSON says what it takes. Needs: pip install keras tensorflow numpy
"""

import json
import sys

import keras
import numpy as np

BATCH = 100

path, *files = sys.argv[1:]
model = keras.models.load_model(path, compile=False)
(taken,) = model.inputs
shape, dtype = [*taken.shape[1:]], taken.dtype

if not files:
    print(json.dumps({"image_shape": shape, "dtype": dtype}))
    sys.exit()

images = np.load(files[0], mmap_mode="r")
if [*images.shape[1:]] != shape or images.dtype != dtype:
    sys.exit(f"expected images (n, {', '.join(map(str, shape))}), {dtype}; got {images.shape}, {images.dtype}")

np.save(files[1], model.predict(images, batch_size=BATCH, verbose=0))
