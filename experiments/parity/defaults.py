"""The hidden defaults of both frameworks, as installed, and what Tandem does about them: `tandem defaults`."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version

from experiments.frameworks import PACKAGES
from experiments.system.errors import TandemError

FRAMEWORKS = {"lightning": "torch", "keras": "keras"}
NOT_USED = "no architecture uses it"
NUMPY = "NumPy draws every initial weight, as the recipe says; both load the same"
# What is the same in both frameworks needs no words; what differs must be here, and a test sees to it.
TANDEM: Mapping[str, str] = {
    "axes of images": "each its own; weights are turned on their way in and out, behind a flatten too",
    "dense weight": NUMPY,
    "dense bias": NUMPY,
    "convolution weight": NUMPY,
    "convolution bias": NUMPY,
    "SGD settings": "every setting comes from the recipe",
    "SGD formula": "PyTorch's, in both (models_tf/backend/optimizers.py)",
    "Adam settings": "lr from the recipe; betas 0.9, 0.999 and epsilon 1e-8 in both",
    "Adam epsilon": "PyTorch's place, in both (models_tf/backend/optimizers.py)",
    "weight decay": "none in either",
    "weight decay, if any": "none in either",
    "cross-entropy reduction": "the mean over the batch, in both",
    "cross-entropy takes": "logits, in both (from_logits=True)",
    "last short batch": "kept, or left out by `drop_last` of the recipe, in both",
    "shuffling": "one order for both, drawn by NumPy for each epoch",
    "convolution, same padding": "used with stride 1 only, where both agree",
    "max pooling by 2": "whole windows alone, in both",
    "max pooling that rounds up": "`ceil_mode=True` in PyTorch where Keras pads (cnn3)",
    "average pooling, padded": "padded with zeros first, which count, in both",
    "dropout": "each framework's own draws; the distribution is tested (tandem parity)",
    "batch norm epsilon": NOT_USED,
    "batch norm momentum": NOT_USED,
    "batch norm variance kept": NOT_USED,
    "TensorFloat-32 convolutions on a GPU": "off in both",
}


def read_defaults() -> list[tuple[str, str, str, str]]:
    """Return (what, PyTorch, Keras, Tandem) for each default; each framework is asked in a process of its own.

    Raises:
        TandemError: a framework can't be asked.
    """
    with ThreadPoolExecutor() as pool:
        first, second = pool.map(_ask, PACKAGES.values())
    return [(name, first[name], second[name], TANDEM[name]) for name in first]


def versions() -> dict[str, str]:
    """Return the installed version of each framework."""
    return {package: version(package) for package in FRAMEWORKS.values()}


def _ask(package: str) -> dict[str, str]:
    # Both are read when Keras and TensorFlow are imported.
    environment = {**os.environ, "KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "-m", f"{package}.backend.defaults"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or ["without a word"]
        raise TandemError(f"{package}.defaults: expected the framework's defaults; got {last[0]}")
    found: dict[str, str] = json.loads(done.stdout)
    return found
