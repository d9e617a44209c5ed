"""The formats of an export: the file, and the program that predicts with it."""

import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from experiments.settings.recipe import BackendName
from experiments.system.errors import TandemError

PROGRAMS = Path(__file__).parent / "programs"
# What an export says of its file, beside it: the run, what the model takes and gives, the verdict.
RECORD = "export.json"
# What reads it, beside it.
PROGRAM = "predict.py"


@dataclass(frozen=True, eq=False)
class Format:
    """A kind of model file.

    `file` is its name in an export, and `fits` says whether a file is one, by what is in it. `writers` are the
    frameworks that write it, each with the packages that it takes besides; `readers` are those that the program needs.
    """

    name: str
    file: str
    fits: Callable[[Path], bool]
    writers: Mapping[BackendName, tuple[str, ...]]
    readers: tuple[str, ...]

    @property
    def program(self) -> Path:
        """The program that predicts with it: no Tandem is needed to run it."""
        return PROGRAMS / f"predict_{self.name.replace('-', '_')}.py"


def _starts(path: Path, start: bytes, at: int = 0) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(at + len(start))[at:] == start


def _has(path: Path, name: str) -> bool:
    """Return whether a file is a ZIP archive that has a file of that name, in whatever folder."""
    if not path.is_file() or not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(Path(entry).name == name for entry in archive.namelist())


def _is_saved_model(path: Path) -> bool:
    return (path / "saved_model.pb").is_file()


_ONNX: dict[BackendName, tuple[str, ...]] = {"lightning": ("onnx", "onnxscript"), "keras": ("onnx", "tf2onnx")}
_KERAS: dict[BackendName, tuple[str, ...]] = {"keras": ()}
FORMATS: dict[str, Format] = {
    made.name: made
    for made in (
        # Its first field, which is required, is the version of ONNX: field 1, a number (onnx.proto).
        Format("onnx", "model.onnx", partial(_starts, start=b"\x08"), _ONNX, ("onnxruntime",)),
        Format("torch-export", "model.pt2", partial(_has, name="archive_format"), {"lightning": ()}, ("torch",)),
        Format("saved-model", "saved_model", _is_saved_model, _KERAS, ("tensorflow",)),
        Format("keras", "model.keras", partial(_has, name="model.weights.h5"), _KERAS, ("keras", "tensorflow")),
        # The identifier of its schema, behind the offset of the root (FlatBuffers). LiteRT reads it, too.
        Format("tflite", "model.tflite", partial(_starts, start=b"TFL3", at=4), _KERAS, ("tensorflow",)),
    )
}
ALL = "all"


def formats_named(names: Sequence[str]) -> list[Format]:
    """Return the formats of these names, each once; `all` is every one.

    Raises:
        TandemError: there is no such format.
    """
    known = [*FORMATS, ALL]
    if unknown := [name for name in names if name not in known]:
        raise TandemError(f"--to: expected one of {', '.join(known)}; got {unknown[0]!r}; name one of these")
    return [kind for name, kind in FORMATS.items() if {name, ALL} & {*names}]


def check_packages(kind: Format, backend: BackendName) -> None:
    """Refuse a format whose packages aren't there to write and to read it.

    Raises:
        TandemError: naming the first that is missing.
    """
    for package in (*kind.writers[backend], *kind.readers):
        try:
            version(package)
        except PackageNotFoundError:
            raise TandemError(
                f"--to {kind.name}: expected the package {package}, which it takes; it isn't installed",
                advice=f"install it (pip install {package}), or leave out this format",
            ) from None


def model_in(path: Path) -> tuple[Format, Path]:
    """Return the format of a model and its file, or folder, given that or the folder of an export.

    Raises:
        TandemError: it is neither.
    """
    inside = [path / kind.file for kind in FORMATS.values() if (path / kind.file).exists()]
    for file in (path, *inside):
        for kind in FORMATS.values():
            if kind.fits(file):
                return kind, file
    known = ", ".join(kind.file for kind in FORMATS.values())
    expected = f"{path}: expected a model that `tandem export` writes ({known}), or its folder"
    raise TandemError(f"{expected}; got {_instead(path, inside)}")


def _instead(path: Path, inside: Sequence[Path]) -> str:
    """Return what is there instead of a model, and what to do about it."""
    if not path.exists():
        return "nothing there; correct the name"
    if path.is_dir() and not inside:
        return "a folder without one; name another"
    file = next(iter(inside), path)
    if file.is_file() and not file.stat().st_size:
        return "an empty file; export it again"
    named = file.suffix in {Path(kind.file).suffix for kind in FORMATS.values()} - {""}
    return "a damaged file; export it again" if named or inside else "another file; name a model"


def format_of(path: Path) -> Format:
    """Return the format of a model, by what is in its file; `path` may be the folder of an export.

    Raises:
        TandemError: it is no model.
    """
    return model_in(path)[0]
