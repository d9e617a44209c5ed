"""Builds the architectures of all recipes in both frameworks, and remembers which are fine: `tandem check`."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path

from experiments.contract.model_settings import ModelSettings
from experiments.data.dataset import ImageShape
from experiments.data.known import MNIST, shape_and_classes
from experiments.frameworks import PACKAGES
from experiments.parity.shapes import settings_of
from experiments.parity.sides import Side, load_side, run_once
from experiments.settings.params import Params
from experiments.settings.project import Project
from experiments.settings.recipe import BackendName, Recipe
from experiments.system.console import say
from experiments.system.errors import TandemError
from experiments.system.files import read_json, write_json
from experiments.training.buildable import check_build
from experiments.training.code import code_of, digest_of

Build = tuple[BackendName, ModelSettings]
FINE = ""


def check_builds(project: Project, params: Params) -> None:
    """Build what the recipes use, except what was built before and hasn't changed since.

    With images of one's own, a recipe that isn't trained need not suit them: that is said, and no error.

    Raises:
        TandemError: an architecture can't be built in one of the frameworks.
    """
    images = shape_and_classes(project.data, project.prepared)
    used = {name: _settings(recipe, images) for name, recipe in params.recipes.items()}
    needed = {used[name] for name in (used if images == MNIST else params.train.recipes)}
    keys = {(name, each): _key(name, each) for each in dict.fromkeys(used.values()) for name in PACKAGES}
    known = _remembered(project.builds)
    problems = _problems(keys, known)
    wrong = {build: problem for build, problem in problems.items() if build[1] in needed}
    with suppress(OSError):  # without it, the next check builds again
        built = {key: problems.get(build, FINE) for build, key in keys.items() if build not in wrong}
        if built != known:
            write_json(project.builds, {"built": built})
    for problem in wrong.values():
        raise TandemError(problem)
    for problem in {settings.architecture: problem for (_, settings), problem in problems.items()}.values():
        say(f"not for these images: {problem}")


def _problems(keys: Mapping[Build, str], known: Mapping[str, str]) -> dict[Build, str]:
    """Return what is wrong with which, as is known by its key, or as building shows."""
    found: dict[Build, str] = {}
    new = [build for build, key in keys.items() if key not in known]
    if new:
        architectures = ", ".join(dict.fromkeys(settings.architecture for _, settings in new))
        say(f"building {architectures}, each framework in a process of its own, which takes some seconds")
        for problems in run_once("check", "the architectures", build_all, new).values():
            found |= problems
    return found | {build: known[key] for build, key in keys.items() if known.get(key, FINE) != FINE}


def build_all(side: Side, builds: Sequence[Build]) -> dict[Build, str]:
    """Build those of a framework, and return what is wrong with which."""
    problems: dict[Build, str] = {}
    mine = [build for build in builds if build[0] == side.backend]
    if not mine:
        return problems
    backend, _ = load_side(side)
    for build in mine:
        try:
            check_build(*build, backend)
        except TandemError as error:
            problems[build] = str(error)
    return problems


def _settings(recipe: Recipe, images: tuple[ImageShape, int]) -> ModelSettings:
    settings = settings_of(recipe.architecture, recipe.option_pairs, images)
    return replace(settings, size=recipe.image_size or settings.size, freeze=tuple(recipe.freeze))


def _key(backend: BackendName, settings: ModelSettings) -> str:
    """Return a digest of all that decides whether an architecture can be built."""
    builders = (f"{PACKAGES[backend]}.backend.inspection", check_build.__module__)
    return digest_of({"settings": asdict(settings), **code_of(backend, settings.architecture, *builders)})


def _remembered(file: Path) -> dict[str, str]:
    """Return what came of each key in a file; nothing, if it is missing or damaged."""
    try:
        return dict(read_json(file)["built"])
    except (OSError, ValueError, KeyError, TypeError):
        return {}
