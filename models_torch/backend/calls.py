"""What the layers of a PyTorch network are called with."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from torch import Tensor, nn


@contextmanager
def naming(layers: Mapping[str, nn.Module]) -> Iterator[None]:
    """Name the layer, given by path, that an error in the block comes from.

    Raises:
        RuntimeError: the error, after the layer that was entered last, and what it was given.
    """
    entered: list[str] = []

    def enter(path: str, inputs: object) -> None:
        entered.append(f"{path.replace('.', '/')}, given {tuple(first_tensor(inputs).shape[1:])}")

    handles = [
        layer.register_forward_pre_hook(
            lambda layer, inputs, named, path=path: enter(path, (inputs, named)), with_kwargs=True, prepend=True
        )
        for path, layer in layers.items()
    ]
    try:
        yield
    except RuntimeError as error:
        raise RuntimeError(f"layer {entered[-1] if entered else 'none'}: {error}") from error
    finally:
        for handle in handles:
            handle.remove()


def first_tensor(value: object) -> Tensor:
    """Return the first tensor of what a layer takes or gives: a tensor, or several in tuples, lists and dicts.

    Raises:
        RuntimeError: there is none.
    """
    if isinstance(value, Tensor):
        return value
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, tuple | list) else ()
    for part in parts:
        try:
            return first_tensor(part)
        except RuntimeError:
            continue
    raise RuntimeError("expected a layer that takes and gives tensors; got none")
