"""PNG and JPEG files in a folder for each class."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from experiments.data.dataset import Images
from experiments.data.fitting import MOST_CLASSES, check_class_names
from experiments.data.importing.found import Found, Part, per_block
from experiments.data.importing.picture import SUFFIXES, Kind, Look, look_at, read
from experiments.system.console import say
from experiments.system.errors import TandemError
from experiments.system.progress import tracked

# What file managers leave; names that begin with a dot are left out as well.
LEFT_OUT = ("Thumbs.db", "desktop.ini")
PARTS = ("train", "test")
# The files of each class, in the order of the classes.
Files = Mapping[str, Sequence[Path]]


def read_folders(source: Path, size: int | None) -> Found:
    """Look at every file in SOURCE/train/CLASS/ and SOURCE/test/CLASS/, or in SOURCE/CLASS/; read no pixel yet.

    The classes are in order of their names, of their numbers if all of them are numbers.

    Raises:
        TandemError: something else is there, or the images don't fit each other.
    """
    split = any(each.is_dir() for each in _inside(source / "train")) if (source / "train").is_dir() else False
    if split and (other := [path.name for path in _inside(source) if path.is_dir() and path.name not in PARTS]):
        raise TandemError(
            f"{source}: expected train/ and test/; got {other[0]}/ too; Tandem takes the images for validation from "
            "those to train: move them there"
        )
    train = _classes(source / "train" if split else source)
    test = _classes(source / "test") if (source / "test").is_dir() and split else {}
    if unknown := [name for name in test if name not in train]:
        raise TandemError(f"{source / 'test' / unknown[0]}: expected a class that train/ has; got one of test/ alone")
    check_class_names(source, list(train), len(train))
    kind, shape = _common(source, [path for files in (train, test) for paths in files.values() for path in paths], size)
    known = {name: number for number, name in enumerate(train)}
    parts = [_part(files, known, kind, shape) for files in (train, test) if files]
    return Found(parts[0], parts[1] if len(parts) > 1 else None, list(train))


def _inside(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if not p.name.startswith(".") and p.name not in LEFT_OUT)


def _classes(folder: Path) -> Files:
    """Return the files of each class in a folder."""
    entries = _inside(folder)
    if loose := [path for path in entries if path.suffix.lower() in SUFFIXES and not path.is_dir()]:
        raise TandemError(f"{loose[0]}: expected images in a folder for each class; got one beside them; move it")
    names = [path.name for path in entries if path.is_dir()]
    if not names:
        raise TandemError(f"{folder}: expected a folder for each class, with PNG or JPEG files; got none")
    if len(names) > MOST_CLASSES:
        raise TandemError(f"{folder}: expected up to {MOST_CLASSES:,} classes; got {len(names):,} folders")
    numbers = all(name.isdecimal() for name in names)
    ordered = sorted(names, key=lambda name: (int(name), name)) if numbers else names
    return {name: _files(folder / name) for name in ordered}


def _files(folder: Path) -> list[Path]:
    files = _inside(folder)
    for path in files:
        if path.is_dir():
            raise TandemError(
                f"{path}: expected PNG or JPEG files in the folder of a class; got a folder; move its files"
            )
        if path.suffix.lower() not in SUFFIXES or not path.is_file():
            got = "another file" if path.is_file() else "a link to nowhere, or no regular file"
            raise TandemError(f"{path}: expected PNG or JPEG files alone; got {got}; convert or remove it")
    if not files:
        raise TandemError(f"{folder}: expected PNG or JPEG files of this class; got none; fill or remove the folder")
    return files


def _common(source: Path, paths: Sequence[Path], size: int | None) -> tuple[Kind, tuple[int, int]]:
    """Return the kind, the height and the width of all images, as they are going to be."""
    looks: dict[Look, Path] = {}
    kinds: Counter[Kind] = Counter()
    for path in tracked(paths, "looking at the images", len(paths)):
        look = look_at(path)
        looks.setdefault(look, path)
        kinds[look.kind] += 1
    if len(kinds) > 1:
        one, other = list(kinds)[:2]
        first, second = (next(path for look, path in looks.items() if look.kind == kind) for kind in (one, other))
        if "16-bit grey" in kinds:
            raise TandemError(f"{source}: expected images of one type; got {one} ({first}) and {other} ({second})")
        say(f"{kinds['8-bit grey']:,} of {kinds.total():,} images are grey; they become RGB, as the others are")
    sizes = {(look.height, look.width): path for look, path in looks.items()}
    if size is None and len(sizes) > 1:
        ((one_size, first), (other_size, second), *_) = sizes.items()
        raise TandemError(
            f"{source}: expected images of one size; got, as width×height, {_shown(one_size)} ({first}) and "
            f"{_shown(other_size)} ({second}); `--size 32` makes all of them 32×32"
        )
    return "RGB" if "RGB" in kinds else next(iter(kinds)), (size, size) if size else next(iter(sizes))


def _shown(size: tuple[int, int]) -> str:
    height, width = size
    return f"{width}×{height}"


def _part(files: Files, known: Mapping[str, int], kind: Kind, size: tuple[int, int]) -> Part:
    paths = [(path, known[name]) for name, group in files.items() for path in group]
    dtype = np.dtype(np.uint16 if kind == "16-bit grey" else np.uint8)
    shape = (*size, 3 if kind == "RGB" else 1)

    def blocks() -> Iterator[Images]:
        step = per_block(int(np.prod(shape)) * dtype.itemsize)
        for start in range(0, len(paths), step):
            yield np.stack([read(path, kind, size) for path, _ in paths[start : start + step]])

    return Part(shape, dtype, np.array([label for _, label in paths], np.uint16), blocks)
