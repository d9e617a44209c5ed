"""How fast each layer trains, against the machine's rate of float32 matrix products.

`python -m benchmarks.layers ARCHITECTURE BACKEND` times forward and backward of each convolution and dense layer on its
own, on a batch of 64, and prints GFLOP/s and their share of a matrix product's: 2 operations a multiply-add, three
products a step (the output, and the gradients of the input and of the weight; the first layer needs none of its input).
"""

import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from benchmarks.workload import BATCH, ROOT
from experiments.contract.layers import Layer
from experiments.contract.model_settings import ModelSettings
from experiments.data.dataset import IMAGE_SHAPE
from experiments.frameworks import backend_name, load_backend, load_inspection
from experiments.parity.protocol import base_recipe
from experiments.settings.params import load_params
from experiments.system.processes import threads_for

SIDE, REPEATS, SECONDS = 2048, 5, 0.3

# A layer of weights alone, on images or features.
MULTIPLYING = ("convolution", "dense")


def rate(work: Callable[[], Any], operations: float) -> float:
    """Return GFLOP/s: the median over REPEATS of about SECONDS each."""
    work()
    start = time.perf_counter()
    work()
    times = max(1, int(SECONDS / (time.perf_counter() - start)))
    rates = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        for _ in range(times):
            work()
        rates.append(operations * times / (time.perf_counter() - start) / 1e9)
    return statistics.median(rates)


def torch_work(layer: Layer, native: Any, first: bool) -> Callable[[], Any]:
    """Return a forward and backward pass of a PyTorch layer, channels-last."""
    import torch

    inputs = torch.rand(BATCH, *layer.input)
    if inputs.ndim == 4:
        inputs = inputs.to(memory_format=torch.channels_last)
    inputs.requires_grad_(not first)
    output = native(inputs)
    gradient = torch.rand_like(output)
    wanted = [*native.parameters(), *([] if first else [inputs])]
    return lambda: torch.autograd.grad(native(inputs), wanted, gradient)


def keras_work(layer: Layer, native: Any, first: bool) -> Callable[[], Any]:
    """Return a forward and backward pass of a Keras layer, in a graph."""
    import tensorflow as tf

    channels, *sizes = layer.input
    inputs = tf.random.uniform((BATCH, *sizes, channels))
    wanted = [*(variable.value for variable in native.trainable_weights), *([] if first else [inputs])]

    @tf.function  # type: ignore[untyped-decorator]
    def run() -> Any:
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            output = native(inputs)
        # All of it has to be used: what isn't, TensorFlow leaves out of the graph.
        return tf.add_n([tf.reduce_max(value) for value in (output, *tape.gradient(output, wanted))])

    return lambda: run().numpy()


def product(backend: str) -> float:
    """Return the rate of a product of two square float32 matrices."""
    operations = 2.0 * SIDE**3
    if backend == "lightning":
        import torch

        a = torch.rand(SIDE, SIDE)
        return rate(lambda: a @ a, operations)
    import tensorflow as tf

    b = tf.random.uniform((SIDE, SIDE))
    return rate(lambda: tf.linalg.matmul(b, b), operations)


def main(architecture: str, name: str) -> None:
    """Print a line for each layer that multiplies."""
    backend = load_backend(backend_name(name), device="cpu", threads=threads_for("auto"))
    recipe = base_recipe(load_params(ROOT / "params.yaml"), architecture)
    settings = ModelSettings(architecture, IMAGE_SHAPE, 10, recipe.dropout, scale=1 / 255, offset=0.0)
    model: Any = backend.build(replace(settings, options=recipe.option_pairs))
    layers = [layer for layer in load_inspection(backend_name(name)).layers(model) if layer.kind in MULTIPLYING]
    best = product(name)
    print(f"{architecture}, {name}: a product of {SIDE}×{SIDE} matrices: {best:.0f} GFLOP/s")
    print("| layer | output | GFLOP/s | of a product |\n| --- | --- | --: | --: |")
    work = torch_work if name == "lightning" else keras_work
    for index, layer in enumerate(layers):
        first = index == 0
        operations = 2.0 * layer.multiply_adds * BATCH * (2 if first else 3)
        reached = rate(work(layer, native(model, layer.path, name), first), operations)
        print(f"| {layer.path} | {'×'.join(map(str, layer.output))} | {reached:.0f} | {100 * reached / best:.0f} % |")


def native(model: Any, path: str, name: str) -> Any:
    """Return the framework's own layer at a path."""
    if name == "lightning":
        return model.module.network.get_submodule(path.replace("/", "."))
    return model.layer(path)


if __name__ == "__main__":
    main(*sys.argv[1:])
