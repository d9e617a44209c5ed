"""Predicts with a program of torch.export.

    python predict_torch_export.py model.pt2 IMAGES.npy LOGITS.npy

IMAGES.npy has raw pixels, (images, height, width, channels), of the type that the model takes; LOGITS.npy gets float32
(images, classes). With the model alone, a line of JSON says what it takes. Needs: pip install torch numpy
"""

import json
import sys

import numpy as np
import torch

BATCH = 100

model, *files = sys.argv[1:]
program = torch.export.load(model)
(example,), _ = program.example_inputs
shape, dtype = [*example.shape[1:]], str(example.numpy().dtype)

if not files:
    print(json.dumps({"image_shape": shape, "dtype": dtype}))
    sys.exit()

images = np.load(files[0], mmap_mode="r")
if [*images.shape[1:]] != shape or images.dtype != dtype:
    sys.exit(f"expected images (n, {', '.join(map(str, shape))}), {dtype}; got {images.shape}, {images.dtype}")

module = program.module()
batches = [torch.from_numpy(np.array(images[start : start + BATCH])) for start in range(0, len(images), BATCH)]
with torch.inference_mode():
    logits = [module(batch).numpy() for batch in batches]
np.save(files[1], np.concatenate(logits))
