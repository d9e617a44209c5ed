"""What decides the bits of a training: the code that it runs through, and the versions of its packages.

Plots, progress bars, Git and MLflow are no part of it: changing them must retrain nothing. Neither are comments and
docstrings. `grimp` follows the imports.
"""

import ast
import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import grimp

from experiments.contract.inputs import input_of
from experiments.frameworks import ARCHITECTURES, DISTRIBUTIONS, PACKAGES
from experiments.settings.recipe import BackendName
from experiments.system.errors import TandemError

# Besides backend and architecture: initial weights, batch order, scaling, and how logits become metrics.
SHARED_ROOTS = ("experiments.training.initial", "experiments.training.scoring")
# These list every architecture; `code_of` has what they say of the one that counts.
REGISTRIES = {*PACKAGES.values(), "experiments.contract.inputs"}


def code_of(backend: BackendName, architecture: str, *others: str) -> dict[str, Any]:
    """Return what trains an architecture: the function that builds it, module → SHA-256, and package → version.

    `others` are further modules to include, with what they import.

    Raises:
        TandemError: a file is no Python, or the architecture is in another package.
    """
    build = ARCHITECTURES[backend][architecture]
    roots = (build.split(":")[0], f"{PACKAGES[backend]}.backend.backend", *SHARED_ROOTS, *others)
    return {
        "architecture": build,
        "input": asdict(input_of(architecture)),
        "modules": {module: _module_digest(module) for module in sorted(imported_by(roots))},
        "versions": {package: version(package) for package in DISTRIBUTIONS[backend]},
    }


def code_digest(backend: BackendName, architecture: str) -> str:
    """Return one digest (16 hexadecimal digits) of `code_of`."""
    return digest_of(code_of(backend, architecture))


def digest_of(code: Mapping[str, Any]) -> str:
    """Return the digest of what `code_of` returns."""
    return hashlib.sha256(json.dumps(code, sort_keys=True).encode()).hexdigest()[:16]


def digest_with(code: Mapping[str, Any], versions: Mapping[str, str]) -> str:
    """Return the digest of what `code_of` returns, as it were with these versions of the packages."""
    return digest_of({**code, "versions": {name: versions.get(name, now) for name, now in code["versions"].items()}})


def imported_by(roots: tuple[str, ...]) -> set[str]:
    """Return the project's modules that these import, directly or not, themselves and the packages around them."""
    graph = _imports()
    if outside := set(roots) - graph.modules:
        expected = f"expected modules of {', '.join(PACKAGES.values())}"
        problem = f"ARCHITECTURES: {expected}; got {', '.join(sorted(outside))}"
        raise TandemError(problem, advice="move its file there, so that a change of it trains again")
    modules = set(roots).union(*(graph.find_upstream_modules(root) for root in roots))
    packages = {module.rsplit(".", up)[0] for module in modules for up in range(1, module.count(".") + 1)}
    return (modules | packages) - REGISTRIES


@cache
def _imports() -> grimp.ImportGraph:
    packages = ("experiments", *PACKAGES.values())
    try:
        return grimp.build_graph(*packages, exclude_type_checking_imports=True, cache_dir=None)
    except grimp.exceptions.SourceSyntaxError as error:
        where = f"{error.filename}, line {error.lineno}"
        raise TandemError(f"{where}: expected Python; got {(error.text or '').strip()!r}; fix it") from None
    except UnicodeError as error:
        raise TandemError(f"expected Python in UTF-8; got an error: {error}; fix it") from None


@cache
def _module_digest(module: str) -> str:
    spec = find_spec(module)
    if spec is None or spec.origin is None:
        raise RuntimeError(f"{module}: no source file")
    tree = ast.parse(Path(spec.origin).read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            node.body[0] = ast.Pass()
    return hashlib.sha256(ast.unparse(tree).encode()).hexdigest()
