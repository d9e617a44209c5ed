import gzip
from pathlib import Path

import numpy as np
import pytest

from experiments.data.idx import read_idx, to_idx
from experiments.system.errors import TandemError

ARRAY = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)


def test_the_bytes_follow_the_format() -> None:
    assert to_idx(ARRAY)[:17].hex() == "00000803" + "00000002" + "00000003" + "00000004" + "00"


@pytest.mark.parametrize("packed", [False, True])
def test_an_array_survives_the_round_trip(tmp_path: Path, packed: bool) -> None:
    path = tmp_path / ("file.gz" if packed else "file")
    path.write_bytes(gzip.compress(to_idx(ARRAY)) if packed else to_idx(ARRAY))
    np.testing.assert_array_equal(read_idx(path, 3), ARRAY)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("f", b"", "expected an IDX header 00000803 .* got an empty file"),
        ("f", b"<html>not found</html>", "expected an IDX header 00000803 .* got 3c68746d"),
        ("f", to_idx(ARRAY[0]), "got 00000802"),
        ("f", to_idx(ARRAY)[:-1], r"expected 40 bytes for shape \(2, 3, 4\); got 39"),
        ("f", to_idx(ARRAY) + b"x", r"expected 40 bytes for shape \(2, 3, 4\); got 41"),
        ("f.gz", to_idx(ARRAY), "expected gzip; "),
        ("f.gz", gzip.compress(to_idx(ARRAY), mtime=0)[:-9], "expected gzip; "),
    ],
)
def test_a_damaged_file_is_refused(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(TandemError, match=message):
        read_idx(path, 3)
