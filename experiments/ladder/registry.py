"""Which rungs there are in which framework, in order, and their files."""

import ast
import io
import tokenize
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import models_tf.ladder
import models_torch.ladder
from experiments.ladder import rungs


@dataclass(frozen=True)
class Framework:
    """Its name, where its rungs are (module:function), and the packages whose versions they depend on."""

    title: str
    rungs: Mapping[str, str]
    packages: tuple[str, ...]

    @property
    def versions(self) -> dict[str, str]:
        """The installed version of each of its packages."""
        return {package: version(package) for package in self.packages}


NUMPY = "numpy"
FRAMEWORKS: dict[str, Framework] = {
    NUMPY: Framework("NumPy", rungs.RUNGS, ("numpy",)),
    "lightning": Framework("PyTorch", models_torch.ladder.RUNGS, ("torch", "lightning")),
    "keras": Framework("TensorFlow", models_tf.ladder.RUNGS, ("tensorflow", "keras")),
}
# TensorFlow has them all.
ORDER = tuple(models_tf.ladder.RUNGS)
LACKING = {
    ("graph_session", "lightning"): "none, since each operation always ran at once; the nearest is compiled",
}


def reference_of(rung: str) -> str:
    """Return the rung of NumPy that computes the same."""
    return rung if rung in rungs.RUNGS else "manual"


def source_of(target: str) -> Path:
    """Return the file of a rung, module:function."""
    spec = find_spec(target.partition(":")[0])
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"{target}: no such file")
    return Path(spec.origin)


def lines_of_code(source: str) -> int:
    """Return how many lines of a file hold code: no blank ones, no comments, no docstrings."""
    passed_over = {
        tokenize.COMMENT,
        tokenize.NL,
        tokenize.NEWLINE,
        tokenize.INDENT,
        tokenize.DEDENT,
        tokenize.ENDMARKER,
    }
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in passed_over:
            lines.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(source)):
        # A text that stands alone does nothing.
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            lines.difference_update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return len(lines)
