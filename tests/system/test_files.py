from pathlib import Path

import numpy as np
import pytest

from experiments.system.files import digest, write_atomically


def test_a_failed_write_leaves_the_old_content(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_atomically(path, "old")
    with pytest.raises(UnicodeEncodeError):
        write_atomically(path, "new \udcff")  # can't be encoded: fails half-way
    assert path.read_text() == "old"


BASE = {"a": np.zeros((2, 3), np.float32), "b": np.ones(2, np.float32)}


@pytest.mark.parametrize(
    "other",
    [
        {"a": BASE["a"], "c": BASE["b"]},
        {"a": BASE["a"].reshape(3, 2), "b": BASE["b"]},
        {"a": BASE["a"].astype(np.float64), "b": BASE["b"]},
        {"a": BASE["a"], "b": BASE["b"] * np.float32(1 + 2**-23)},
    ],
    ids=["name", "shape", "dtype", "last bit"],
)
def test_a_digest_tells_arrays_apart(other: dict[str, np.ndarray]) -> None:
    assert digest(other) != digest(BASE)


def test_a_digest_ignores_order_and_layout_in_memory() -> None:
    assert digest({"b": BASE["b"], "a": np.asfortranarray(BASE["a"])}) == digest(BASE)
