"""Functions compiled without a code generator: the graphs that PyTorch makes of them, as it reports them."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from experiments.contract.graphs import Function, Report, counted, times
from models_torch.graphs.process import Log


class Captured:
    """torch.compile with a backend that keeps each graph it is given, and runs it as it is: no code is generated."""

    def __init__(self, function: Function, example: Sequence[Any], *, sources: str = "", **options: Any) -> None:
        torch.compiler.reset()
        self.graphs: list[torch.fx.GraphModule] = []
        self._log = Log()
        self._compiled = torch.compile(function, backend=self._keep, **options)
        config: Any = torch.compiler.config
        self._set = partial(config.patch, dynamic_sources=sources) if sources else nullcontext

    def _keep(self, graph: torch.fx.GraphModule, example: list[Tensor]) -> Callable[..., Any]:
        self.graphs.append(graph)
        return graph.forward

    def run(self, *arguments: Any) -> Tensor:
        """Call it; where there is no graph for these arguments, it is compiled."""
        with self._set():
            return self._compiled(*arguments)

    def report(self) -> Report:
        """Return the number of graphs, where they were broken, and how often the function was compiled again."""
        breaks, recompiled = self._log.breaks(), self._log.recompiled()
        words = counted(len(self.graphs), "graph")
        if breaks:
            words += f", {counted(len(breaks), 'break')} at {', '.join(f'`{line}`' for line in breaks)}"
        if recompiled:
            words += f", recompiled {times(recompiled)}"
        return Report(words, {"graphs": len(self.graphs), "breaks": len(breaks), "recompiled": recompiled})


class Exported:
    """torch.export: one whole graph, ahead of time, from the arguments of the first call."""

    def __init__(self, function: Function, example: Sequence[Any], *, dynamic: bool = False) -> None:
        # A size that may change, of every argument: tensors of one dimension.
        shapes = (({0: torch.export.Dim.DYNAMIC},) * len(example),) if dynamic else None
        self.program = torch.export.export(_AsModule(function), tuple(example), dynamic_shapes=shapes)
        self.run = self.program.module()

    def report(self) -> Report:
        """Return how many operations the graph has."""
        operations = operations_in(self.program.graph)
        return Report(f"1 graph of {counted(operations, 'operation')}", {"graphs": 1, "operations": operations})


class _AsModule(nn.Module):
    """A function as torch.export takes it."""

    def __init__(self, function: Function) -> None:
        super().__init__()
        self._function = function

    def forward(self, *arguments: Any) -> Tensor:
        return self._function(*arguments)


def operations_in(graph: torch.fx.Graph) -> int:
    """Return how many nodes of a graph compute something."""
    return sum(node.op.startswith("call_") for node in graph.nodes)
