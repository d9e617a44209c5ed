"""Predicts with a model of TensorFlow Lite.

    python predict_tflite.py model.tflite IMAGES.npy LOGITS.npy

IMAGES.npy has raw pixels, (images, height, width, channels), of the type that the model takes; LOGITS.npy gets float32
(images, classes). With the model alone, a line of JSON says what it takes. Needs: pip install ai-edge-litert numpy (or
tensorflow, which has an older interpreter of the same files)
"""

import json
import sys
import warnings

import numpy as np

try:
    from ai_edge_litert.interpreter import Interpreter
except ImportError:
    import tensorflow as tf

    Interpreter = tf.lite.Interpreter
    warnings.filterwarnings("ignore", r"\s*Warning: tf.lite.Interpreter is deprecated")

BATCH = 100

model, *files = sys.argv[1:]
run = Interpreter(model_path=model).get_signature_runner()
((name, taken),) = run.get_input_details().items()
shape, dtype = taken["shape_signature"][1:].tolist(), np.dtype(taken["dtype"]).name

if not files:
    print(json.dumps({"image_shape": shape, "dtype": dtype}))
    sys.exit()

images = np.load(files[0], mmap_mode="r")
if [*images.shape[1:]] != shape or images.dtype != dtype:
    sys.exit(f"expected images (n, {', '.join(map(str, shape))}), {dtype}; got {images.shape}, {images.dtype}")

batches = [np.ascontiguousarray(images[start : start + BATCH]) for start in range(0, len(images), BATCH)]
logits = [next(iter(run(**{name: batch}).values())) for batch in batches]
np.save(files[1], np.concatenate(logits))
