"""Files that are whole or not there, and what they stand for."""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt


def write_atomically(path: Path, content: bytes | str) -> None:
    """Write a file so that a kill at any moment leaves the old content or the new, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    with part.open("wb") as file:
        file.write(content.encode() if isinstance(content, str) else content)
    replace_durably(part, path)


def replace_durably(part: Path, path: Path) -> None:
    """Put a finished file in the place of another, so that a power cut leaves one of the two, whole."""
    with part.open("rb+") as file:
        os.fsync(file.fileno())
    part.replace(path)


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a mapping as indented JSON, atomically."""
    write_atomically(path, json.dumps(content, indent=2) + "\n")


def read_json(path: Path) -> dict[str, Any]:
    """Return the mapping in a JSON file."""
    content: dict[str, Any] = json.loads(path.read_text())
    return content


def digest(arrays: Mapping[str, npt.NDArray[Any]]) -> str:
    """Return the SHA-256, in hexadecimal, of named arrays: names, dtypes, shapes and values, in order of name."""
    sha = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        sha.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        sha.update(array.data)
    return sha.hexdigest()
