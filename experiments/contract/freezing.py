"""Which layers a recipe freezes."""

from collections.abc import Collection, Sequence

from experiments.system.errors import TandemError


def frozen_layers(paths: Collection[str], freeze: Sequence[str]) -> list[str]:
    """Return the paths of the layers that `freeze` names, and of those inside of them (`layer1`: `layer1/0/conv1`).

    Raises:
        TandemError: there is no such layer.
    """
    for name in freeze:
        if not any(_is_in(path, name) for path in paths):
            top = ", ".join(dict.fromkeys(path.partition("/")[0] for path in paths))
            expected = f"expected some of the layers {top}, or of those inside of them, as in layer1/0"
            raise TandemError(f"params.yaml: freeze of a recipe: {expected}; got {name!r}")
    return [path for path in paths if any(_is_in(path, name) for name in freeze)]


def _is_in(path: str, name: str) -> bool:
    return path == name or path.startswith(f"{name}/")
