"""Functions compiled with tf.function: how often TensorFlow traces them, as it reports it."""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from experiments.contract.graphs import Function, Report, times


class Traced:
    """tf.function, which runs the Python code only to trace it into a graph; `jit_compile=True` hands that to XLA."""

    def __init__(self, function: Function, example: Sequence[Any], **options: Any) -> None:
        if options.pop("any_length", False):
            # A size that may change, of every dimension of every argument.
            options["input_signature"] = [tf.TensorSpec([None] * each.ndim, each.dtype) for each in example]
        self.run = tf.function(function, **options)

    def report(self) -> Report:
        """Return how often it was traced."""
        traces = self.run.experimental_get_tracing_count()
        return Report(f"traced {times(traces)}", {"traces": traces})


def operations_in(function: Function, example: Sequence[Any]) -> list[str]:
    """Return the operations of the graph that tf.function traces: those that compute something."""
    operations = tf.function(function).get_concrete_function(*example).graph.get_operations()
    return [each.type for each in operations if each.type not in IDLE]


# Nodes that compute nothing: arguments, results, constants.
IDLE = ("Placeholder", "Const", "Identity", "NoOp", "_Arg", "_Retval")
