"""Stage `sources`: which code stands behind a training, so that a change elsewhere reruns nothing.

DVC can't name a dependency by a setting of the recipe, and a training that depended on whole folders would run again
whenever another architecture changed. So this stage, which takes no time, follows the imports of each training and
writes digests of the files that it uses; the train stage depends on that.
"""

import ast
import hashlib
import json
from collections.abc import Iterator
from importlib.util import resolve_name
from pathlib import Path

from experiments.architectures import ARCHITECTURES, PACKAGES
from experiments.files import write_json
from experiments.params import BackendName, Recipe

OURS = ("experiments", *PACKAGES.values())
FOR_PARITY = {"architecture", "train_on", "scaling", "initialiser", "initialiser_exceptions"}


def write_sources(root: Path, recipe: Recipe, target: Path) -> None:
    """Write `target`/<backend>.json for each backend: the digests of the files that train the recipe there.

    And `target`/parity.json: what parity takes from the recipe.
    """
    for backend in PACKAGES:
        write_json(target / f"{backend}.json", source_digests(root, backend, recipe.architecture))
    write_json(target / "parity.json", recipe.model_dump(include=FOR_PARITY))


def source_digests(root: Path, backend: BackendName, architecture: str) -> dict[str, str]:
    """Return file → SHA-256 of the code of a training, and which function builds its architecture."""
    build = ARCHITECTURES[backend][architecture]
    files = imported(root, ["experiments.stages.train", f"{PACKAGES[backend]}.backend", build.split(":")[0]])
    digests = {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    return {"architecture": build, **dict(sorted(digests.items()))}


def code_digest(root: Path, backend: BackendName, architecture: str) -> str:
    """Return one digest of the code of a training."""
    digests = json.dumps(source_digests(root, backend, architecture), sort_keys=True)
    return hashlib.sha256(digests.encode()).hexdigest()[:16]


def imported(root: Path, modules: list[str]) -> set[Path]:
    """Return the files of the project that these modules import, directly or not, and their own."""
    found: set[Path] = set()
    waiting = list(modules)
    while waiting:
        for path in _files(root, waiting.pop()):
            if path not in found:
                found.add(path)
                waiting.extend(_imports(path, ".".join(path.relative_to(root).parent.parts)))
    return found


def _files(root: Path, module: str) -> Iterator[Path]:
    """Yield the file of a module and those of the packages around it; nothing if the project has no such module."""
    parts = module.split(".")
    # These list every architecture; the one that is used counts, and its own file is among the digests.
    registries = [root / package / "__init__.py" for package in PACKAGES.values()]
    for length in range(1, len(parts) + 1):
        base = root.joinpath(*parts[:length])
        for path in (base / "__init__.py", base.with_suffix(".py")):
            if path.is_file() and path not in registries:
                yield path


def _imports(path: Path, package: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            module = resolve_name("." * node.level + (node.module or ""), package) if node.level else node.module or ""
            # `from package import module` and `from module import name` look the same: try both.
            names = [module, *(f"{module}.{alias.name}" for alias in node.names)]
        else:
            continue
        yield from (name for name in names if name.split(".")[0] in OURS)
