import gzip
from pathlib import Path

import numpy as np
import pytest

from experiments.data.idx import read_idx, to_idx

ARRAY = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)


def test_the_bytes_follow_the_format() -> None:
    assert to_idx(ARRAY)[:17].hex() == "00000803" + "00000002" + "00000003" + "00000004" + "00"


@pytest.mark.parametrize("packed", [False, True])
def test_an_array_survives_the_round_trip(tmp_path: Path, packed: bool) -> None:
    path = tmp_path / ("file.gz" if packed else "file")
    path.write_bytes(gzip.compress(to_idx(ARRAY)) if packed else to_idx(ARRAY))
    np.testing.assert_array_equal(read_idx(path, 3), ARRAY)


def test_a_file_that_is_not_packed_is_not_read_at_once(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(to_idx(ARRAY))
    assert isinstance(read_idx(path, 3), np.memmap)
