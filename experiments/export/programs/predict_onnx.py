"""Predicts with a model in ONNX.

    python predict_onnx.py model.onnx IMAGES.npy LOGITS.npy

IMAGES.npy has raw pixels, (images, height, width, channels), of the type that the model takes; LOGITS.npy gets float32
(images, classes). With the model alone, a line of JSON says what it takes. Needs: pip install onnxruntime numpy
"""

import json
import sys

import numpy as np
import onnxruntime

BATCH = 100

model, *files = sys.argv[1:]
session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
(taken,) = session.get_inputs()
shape, dtype = taken.shape[1:], taken.type.removeprefix("tensor(").removesuffix(")")

if not files:
    print(json.dumps({"image_shape": shape, "dtype": dtype}))
    sys.exit()

images = np.load(files[0], mmap_mode="r")
if [*images.shape[1:]] != shape or images.dtype != dtype:
    sys.exit(f"expected images (n, {', '.join(map(str, shape))}), {dtype}; got {images.shape}, {images.dtype}")

batches = [np.ascontiguousarray(images[start : start + BATCH]) for start in range(0, len(images), BATCH)]
logits = [session.run(None, {taken.name: batch})[0] for batch in batches]
np.save(files[1], np.concatenate(logits))
