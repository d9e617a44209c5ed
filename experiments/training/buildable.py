"""Builds an architecture step by step, and says in one line what is wrong with one that can't be built."""

import pkgutil
import re
import tempfile
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from experiments.contract.backend import Backend
from experiments.contract.examples import factory_of, target_of
from experiments.contract.model import Model
from experiments.contract.model_settings import ModelSettings
from experiments.frameworks import ARCHITECTURES, NETWORKS, load_inspection
from experiments.settings.recipe import BackendName
from experiments.system.errors import TandemError

# Words around a reason. Keras's: which layer was called before, with what after; and the escapes of bold type.
# PyTorch's: which other function may be called.
_AROUND = re.compile(
    r"Exception encountered when calling \S+|Arguments received by .*|\x1b\[\d+m"
    r"|The error above occurred when calling torch.export.*",
    re.DOTALL,
)
# TensorFlow's messages begin with a traceback; the reason is at their end.
_LONGEST = 300


@contextmanager
def explained(name: BackendName, settings: ModelSettings, backend: Backend[Model]) -> Iterator[None]:
    """Say in one line what is wrong with an architecture, if the block fails for that.

    Raises:
        TandemError: the architecture can't be built. What fails for another reason is raised as it is.
    """
    with warnings.catch_warnings(record=True) as said:  # Keras's, about a failure, are longer than the line
        try:
            yield
        except Exception:
            check_build(name, settings, backend)
            raise
    for warning in said:
        warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)


def check_build(name: BackendName, settings: ModelSettings, backend: Backend[Model]) -> None:
    """Build the network of an architecture step by step.

    Raises:
        TandemError: naming the architecture, its file and, where it is known, the line of the first step that fails.
    """
    architecture = ARCHITECTURES[name], settings.architecture
    target = target_of(*architecture)
    with _step(name, settings, "a module that can be imported"):
        factory = factory_of(*architecture)
    arguments = settings.arguments_of(factory)
    shown = [f"{name}={value}" if name == "image_shape" else name for name, value in arguments.items()]
    call = f"{target.partition(':')[2]}({', '.join(shown)})"
    with _step(name, settings, f"a network from {call}"):
        network = factory(**arguments)
    if not isinstance(network, pkgutil.resolve_name(NETWORKS[name])):
        expected = f"expected {call} to return a {NETWORKS[name].replace(':', '.')}; got {type(network).__name__}"
        raise TandemError(f"{_where(name, settings)}: {expected}; return the network")
    with _step(name, settings, f"a network for images of {'×'.join(map(str, settings.network_shape))}"):
        model = backend.build(settings)
        model.parameters()
        load_inspection(name).layers(model)
        check_logits(model, settings)
    with _step(name, settings, "a network that can be saved"), tempfile.TemporaryDirectory() as folder:
        model.save(Path(folder))


def check_logits(model: Model, settings: ModelSettings) -> None:
    """Let a model classify two black images.

    Raises:
        TandemError: its logits aren't (2, classes).
    """
    black = np.zeros((2, *settings.image_shape), settings.pixel_type)
    got, expected = model.predict(black).shape, (2, settings.classes)
    if got != expected:
        raise TandemError(f"expected logits {expected} for two images; got {got}; return one for each class")


@contextmanager
def _step(name: BackendName, settings: ModelSettings, expected: str) -> Iterator[None]:
    try:
        with warnings.catch_warnings():  # of a framework, about a step that fails or whose like was built before
            warnings.simplefilter("ignore")
            yield
    except TandemError as error:
        raise TandemError(f"{_where(name, settings)}: {error}") from None
    except Exception as error:
        problem = f"{_where(name, settings, error)}: expected {expected}; got {_reason(error)}"
        raise TandemError(problem, advice="correct it, and repeat the command") from None


def _where(name: BackendName, settings: ModelSettings, error: Exception | None = None) -> str:
    """Return the architecture and its file; and the line there, or in a file beside it, that led to an error."""
    module = target_of(ARCHITECTURES[name], settings.architecture).partition(":")[0]
    spec = find_spec(module)
    file, line = Path((spec and spec.origin) or module), None
    if isinstance(error, SyntaxError) and error.filename:
        file, line = Path(error.filename), error.lineno
    else:
        for frame in _frames(error):
            if Path(frame.filename).parent == file.parent:
                file, line = Path(frame.filename), frame.lineno
    shown = file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file
    return f"{settings.architecture}: {shown}" + (f", line {line}" if line else "")


def _frames(error: BaseException | None) -> Iterator[traceback.FrameSummary]:
    """Yield the frames of an error, and of its causes, from the outermost on."""
    while error is not None:
        yield from traceback.extract_tb(error.__traceback__)
        error = error.__cause__


def _reason(error: Exception) -> str:
    text = error.msg if isinstance(error, SyntaxError) else _AROUND.sub("", str(error))
    reason = " ".join(text.split())
    reason = reason if len(reason) <= _LONGEST else f"… {reason[-_LONGEST:]}"
    if isinstance(error, AttributeError) and error.obj is not None:
        names = {name.lower(): name for name in dir(error.obj)}
        reason += "".join(
            f" (did you mean {names[close]!r}?)" for close in get_close_matches(str(error.name).lower(), names, 1)
        )
    return f"{type(error).__name__}: {reason}"
