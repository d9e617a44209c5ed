"""Every architecture in every format, against the table in docs/export.md: `make heavy`."""

import shutil
from pathlib import Path

import pytest

from experiments.contract.inputs import input_of
from experiments.export.formats import FORMATS
from experiments.frameworks import ARCHITECTURES
from experiments.settings.recipe import BackendName
from tests.conftest import ROOT
from tests.export.workshop import Workshop

NAMES = [name for name in ARCHITECTURES["keras"] if input_of(name).size is None]
# What the conversion gives the other framework, that one writes as if it were its own.
FROM: dict[BackendName, list[str]] = {"lightning": list(FORMATS), "keras": ["onnx", "torch-export"]}
# The issue's own examples: from both frameworks to all.
WHOLE = ("lenet", "inception")


def documented(architecture: str) -> dict[str, bool]:
    """Return which formats hold an architecture, as docs/export.md says."""
    rows = [line.strip("| ").split(" | ") for line in (ROOT / "docs" / "export.md").read_text().splitlines()]
    (head,) = (row for row in rows if row[0] == "architecture")
    (cells,) = (row for row in rows if row[0] == f"`{architecture}`")
    return {name.strip("`"): cell == "yes" for name, cell in zip(head[1:], cells[1:], strict=True)}


@pytest.mark.heavy
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("backend", list(FROM))
@pytest.mark.parametrize("architecture", NAMES)
def test_an_architecture_in_every_format(
    workshop: Workshop, architecture: str, backend: BackendName, tmp_path: Path
) -> None:
    formats = list(FORMATS) if architecture in WHOLE else FROM[backend]
    source, saved = workshop.train(backend, architecture, images=320 if architecture in WHOLE else 0)
    rows = workshop.export(source, saved, tmp_path, formats)
    shutil.rmtree(saved)
    for row in rows:
        print(architecture, backend, row["format"], row.get("verdict", row.get("refused")))
    assert {row["format"]: "verdict" in row for row in rows} == {
        name: documented(architecture)[name] for name in formats
    }
    verdicts = [row["verdict"] for row in rows if "verdict" in row]
    assert all(found["alike"] == found["images"] == 297 for found in verdicts)
