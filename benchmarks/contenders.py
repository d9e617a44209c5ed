"""The contenders: Tandem's own train stage, and the loops that one would write by hand around the same networks.

`python -m benchmarks.contenders NAME ARCHITECTURE THREADS` runs one, in a process of its own, and prints images/s
of the median epoch after the first, and the process's peak memory in MB, as JSON.
"""

import contextlib
import csv
import json
import os
import pkgutil
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.workload import (
    BATCH,
    EPOCHS,
    IMAGES,
    MEAN,
    ROOT,
    STD,
    images_and_labels,
    order,
    params,
    prepare,
)
from experiments.contract.model_settings import ModelSettings
from experiments.data.dataset import IMAGE_SHAPE
from experiments.frameworks import ARCHITECTURES
from experiments.settings.recipe import BackendName

LR, MOMENTUM = 0.001, 0.5


def tandem(backend: BackendName, architecture: str, threads: int) -> list[float]:
    """The train stage as `dvc repro` runs it: tracking, checkpoints and evaluation are on."""
    from experiments.settings.project import Project, RunKey
    from experiments.stages.train import train

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder, IMAGES[architecture])
        project = Project(folder, folder)
        (folder / "params.yaml").write_bytes((ROOT / "params.yaml").read_bytes())
        key = RunKey(architecture, backend, 1)
        train(project, params(architecture, threads), key)
        with (project.run(key) / "history.csv").open() as file:
            return [float(row["epoch_seconds"]) for row in csv.DictReader(file)]


def _timed(epoch: Callable[[int], object]) -> list[float]:
    seconds = []
    for number in range(1, EPOCHS + 1):
        start = time.perf_counter()
        epoch(number)
        seconds.append(time.perf_counter() - start)
    return seconds


def _network(backend: BackendName, architecture: str) -> Any:
    """Return the network of an architecture, for images of MNIST."""
    recipe, build = (
        params(architecture, 1).recipe(architecture),
        pkgutil.resolve_name(ARCHITECTURES[backend][architecture]),
    )
    settings = ModelSettings(architecture, IMAGE_SHAPE, 10, recipe.dropout, 1.0, 0.0, options=recipe.option_pairs)
    return build(**settings.arguments_of(build))


def _torch_network(architecture: str) -> Any:
    from models_torch.backend.lazy import give_sizes, lazy_layers

    with lazy_layers():
        network = _network("lightning", architecture)
    give_sizes(network, IMAGE_SHAPE)
    return network


def _torch_optimizer(architecture: str, network: Any) -> Any:
    import torch

    if params(architecture, 1).recipe(architecture).optimiser == "adam":
        return torch.optim.Adam(network.parameters(), lr=LR)
    return torch.optim.SGD(network.parameters(), lr=LR, momentum=MOMENTUM)


def torch_loop(architecture: str, threads: int) -> list[float]:
    """A plain PyTorch loop, channels_last, over tensors in memory."""
    import torch
    from torch.nn.functional import cross_entropy

    torch.set_num_threads(threads)
    count = IMAGES[architecture]
    raw_images, raw_labels = images_and_labels(count)
    images, labels = torch.from_numpy(np.moveaxis(raw_images, -1, 1)), torch.from_numpy(raw_labels.astype(np.int64))
    network = _torch_network(architecture).to(memory_format=torch.channels_last)
    optimizer = _torch_optimizer(architecture, network)

    def epoch(number: int) -> None:
        for places in torch.from_numpy(order(count, number)).split(BATCH):
            batch = (images[places].float() / 255 - MEAN) / STD
            loss = cross_entropy(network(batch), labels[places])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    return _timed(epoch)


def torch_dataloader(architecture: str, threads: int) -> list[float]:
    """A plain PyTorch loop over a DataLoader whose Dataset makes a PIL image and transforms it, image by image."""
    import torch
    from torch.nn.functional import cross_entropy
    from torch.utils.data import DataLoader

    from benchmarks.pil_images import PilImages

    torch.set_num_threads(threads)
    network = _torch_network(architecture)
    optimizer = _torch_optimizer(architecture, network)
    loader = DataLoader(PilImages(*images_and_labels(IMAGES[architecture])), batch_size=BATCH, shuffle=True)

    def epoch(number: int) -> None:
        for images, labels in loader:
            loss = cross_entropy(network(images), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    return _timed(epoch)


def _keras(architecture: str, threads: int) -> Any:
    """Import Keras on TensorFlow with that many threads, and return a compiled model."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import keras
    import tensorflow as tf
    from keras import layers

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    network = _network("keras", architecture)
    adam = params(architecture, threads).recipe(architecture).optimiser == "adam"
    scale = layers.Rescaling(1 / (255 * STD), -MEAN / STD)
    model = keras.Sequential([keras.Input((28, 28, 1)), scale, network])
    model.compile(
        keras.optimizers.Adam(LR) if adam else keras.optimizers.SGD(LR, momentum=MOMENTUM),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    return model


def tf_epoch(architecture: str, threads: int) -> list[float]:
    """A whole epoch compiled into one tf.function, over tensors in memory."""
    model = _keras(architecture, threads)
    import tensorflow as tf

    count = IMAGES[architecture]
    raw_images, raw_labels = images_and_labels(count)
    images, labels = tf.constant(raw_images), tf.constant(raw_labels, tf.int32)
    model.optimizer.build(model.trainable_variables)

    @tf.function  # type: ignore[untyped-decorator]
    def run(places: tf.Tensor) -> tf.Tensor:
        total = tf.constant(0.0)
        for start in tf.range(0, count, BATCH):
            batch = places[start : start + BATCH]
            with tf.GradientTape() as tape:
                loss = model.loss(tf.gather(labels, batch), model(tf.gather(images, batch), training=True))
            model.optimizer.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)
            total += loss
        return total

    return _timed(lambda number: run(tf.constant(order(count, number))).numpy())


def keras_fit(architecture: str, threads: int) -> list[float]:
    """Plain `fit` on NumPy arrays."""
    model = _keras(architecture, threads)
    images, labels = images_and_labels(IMAGES[architecture])
    return _timed(lambda number: model.fit(images, labels, batch_size=BATCH, epochs=1, verbose=0))


CONTENDERS: dict[str, Callable[[str, int], list[float]]] = {
    "tandem lightning": lambda architecture, threads: tandem("lightning", architecture, threads),
    "tandem keras": lambda architecture, threads: tandem("keras", architecture, threads),
    "torch loop": torch_loop,
    "torch DataLoader": torch_dataloader,
    "tf epoch": tf_epoch,
    "keras fit": keras_fit,
}


def main() -> None:
    """Run the contender that the command line names."""
    name, architecture, threads = sys.argv[1], sys.argv[2], int(sys.argv[3])
    with contextlib.redirect_stdout(sys.stderr):
        seconds = CONTENDERS[name](architecture, threads)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"images_per_second": IMAGES[architecture] / statistics.median(seconds[1:]), "peak_mb": peak}))


if __name__ == "__main__":
    main()
