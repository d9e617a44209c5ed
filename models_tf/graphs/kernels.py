"""How many kernels a function takes, eager and compiled, as TensorFlow and XLA report them."""

import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf

from experiments.contract.graphs import Function, Report, fused
from models_tf.graphs.compiled import IDLE, Traced, operations_in

# An instruction of HLO: its name, its type and its operation.
INSTRUCTION = re.compile(r"^\s+(?:ROOT )?%(\S+) = (?:\(.*?\)|\S+) ([\w-]+)\(")
# HLO for arguments, results and constants.
VIEWS = ("parameter", "constant", "tuple", "get-tuple-element", "bitcast")


class Eager:
    """No compilation: each operation is a kernel of its own."""

    def __init__(self, function: Function, example: Sequence[Any]) -> None:
        self.run, self._example = function, example

    def report(self) -> Report:
        """Return the operations, read from a graph, since TensorFlow reports none of a call without one."""
        operations = operations_in(self.run, self._example)
        return fused(len(operations), operations)


class TracedKernels(Traced):
    """tf.function: TensorFlow rewrites the graph before it runs."""

    def __init__(self, function: Function, example: Sequence[Any]) -> None:
        super().__init__(function, example)
        self._function, self._example = function, example

    def report(self) -> Report:
        """Return the operations of the graph as traced, and those that run."""
        operations = operations_in(self._function, self._example)
        return fused(len(operations), rewritten(self._function, self._example, operations))


class Xla(Traced):
    """tf.function with XLA, which generates code and fuses."""

    def __init__(self, function: Function, example: Sequence[Any]) -> None:
        super().__init__(function, example, jit_compile=True)
        self._function, self._example = function, example

    def report(self) -> Report:
        """Return the operations of the graph as traced, and the instructions that XLA makes of it."""
        program = self.run.experimental_get_compiler_ir(*self._example)(stage="optimized_hlo")
        operations = operations_in(self._function, self._example)
        return fused(len(operations), instructions(program))


def rewritten(function: Function, example: Sequence[Any], operations: Sequence[str]) -> list[str]:
    """Return the operations of a function's graph after TensorFlow's own optimisation, from the record of a call."""
    with tempfile.TemporaryDirectory() as folder:
        writer = tf.summary.create_file_writer(folder)
        with writer.as_default():
            tf.summary.trace_on(graph=True)
            tf.function(function)(*example)
            tf.summary.trace_export("call", step=0)
        writer.close()
        (file,) = Path(folder).iterdir()
        records = [record.numpy() for record in tf.data.TFRecordDataset(str(file))]
    (value,) = [value for record in records for value in tf.compat.v1.Event.FromString(record).summary.value]
    call = tf.compat.v1.RunMetadata.FromString(value.tensor.string_val[0])
    # Of all that TensorFlow ran meanwhile, the graph of these operations.
    graph = next(each for each in call.function_graphs if _operations(each.pre_optimization_graph) == operations)
    return _operations(graph.post_optimization_graph)


def _operations(graph: Any) -> list[str]:
    return [node.op for node in graph.node if node.op not in IDLE]


def instructions(program: str) -> list[str]:
    """Return what the entry of an optimised HLO program calls: fusions, and what was left alone."""
    entry = program[program.index("\nENTRY ") :].splitlines()
    found = [match for line in entry if (match := INSTRUCTION.match(line))]
    return [match[1] if match[2] == "fusion" else match[2] for match in found if match[2] not in VIEWS]
