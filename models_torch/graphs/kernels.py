"""How many kernels a function takes, eager and compiled, as PyTorch's profiler sees them."""

import re
from collections.abc import Sequence
from typing import Any

import torch
from torch.profiler import ProfilerActivity, profile

from experiments.contract.graphs import Function, Report, fused
from experiments.system.errors import TandemError
from models_torch.graphs.compiled import Captured, Exported, operations_in

NEEDS = "torch.compile needs a C++ compiler on a CPU, and finds none; install g++"


class Eager:
    """No compilation: each operation is a kernel of its own."""

    def __init__(self, function: Function, example: Sequence[Any]) -> None:
        self.run, self._example = function, example

    def report(self) -> Report:
        """Return the kernels."""
        kernels = kernels_of(self.run, self._example)
        return fused(len(kernels), kernels)


class ExportedKernels(Exported):
    """torch.export: the program runs its operations one after another."""

    def __init__(self, function: Function, example: Sequence[Any]) -> None:
        super().__init__(function, example)
        self._example = example

    def report(self) -> Report:
        """Return the operations of the graph, and the kernels."""
        return fused(operations_in(self.program.graph), kernels_of(self.run, self._example))


class Inductor:
    """torch.compile with its own backend, which generates code and fuses.

    Raises:
        TandemError: there is no C++ compiler.
    """

    def __init__(self, function: Function, example: Sequence[Any]) -> None:
        captured = Captured(function, example)
        captured.run(*example)
        self._operations, self._example = operations_in(captured.graphs[0].graph), example
        torch.compiler.reset()
        # Without it, the profiler sees the graph alone, not its kernels.
        self.run = torch.compile(function, options={"cpp.enable_kernel_profile": True})
        try:
            self.run(*example)
        except RuntimeError as error:
            if "InvalidCxxCompiler" in str(error):
                raise TandemError(NEEDS) from None
            raise

    def report(self) -> Report:
        """Return the operations of the graph, and the kernels that are left of them."""
        return fused(self._operations, kernels_of(self.run, self._example))


def kernels_of(function: Function, example: Sequence[Any]) -> list[str]:
    """Return the kernels of a call: what is called by Python, or by a compiled graph."""
    function(*example)
    with profile(activities=[ProfilerActivity.CPU]) as profiled:
        function(*example)
    events = profiled.events() or []
    outermost = [each for each in events if each.cpu_parent is None or "CompiledFxGraph" in each.cpu_parent.name]
    # A kernel of inductor's is called graph_0_cpp_fused_sin_tanh_0: the graph, what is in it, its number.
    named = [re.sub(r"^graph_\d+_(cpp_fused_\w+?)_\d+$", r"\1", each.name) for each in outermost]
    return [name.removeprefix("aten::") for name in named if name.startswith(("aten::", "cpp_fused"))]
