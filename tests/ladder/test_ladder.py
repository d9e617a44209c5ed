"""Every rung computes what NumPy's does, and NumPy's computes what it is meant to; the page has its code."""

import ast
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from experiments.ladder.climb import climb
from experiments.ladder.document import with_code
from experiments.ladder.problems import check_settings, line, loss_after, net
from experiments.ladder.registry import FRAMEWORKS, NUMPY, ORDER, lines_of_code, source_of
from experiments.reports.page.ladder import ladder_section
from experiments.reports.page.section import Chart
from experiments.system.errors import TandemError
from experiments.system.files import read_json, write_json
from tests.conftest import ROOT
from tests.ladder.conftest import Done, Ladder
from tests.reports import made_up

EVERY = [(framework, rung) for framework, about in FRAMEWORKS.items() for rung in about.rungs]
FILES = [source_of(target) for about in FRAMEWORKS.values() for target in about.rungs.values()]


def rows(ladder: Ladder) -> dict[tuple[str, str], dict[str, Any]]:
    return {(row["framework"], row["rung"]): row for row in ladder.printed["rungs"]}


@pytest.mark.parametrize(("framework", "rung"), EVERY)
def test_a_rung_computes_what_numpy_computes(ladder: Ladder, framework: str, rung: str) -> None:
    row = rows(ladder)[framework, rung]
    assert (row["state"], row["notes"]) == ("reference" if framework == NUMPY else "within", [])
    assert row["loss"] < 0.1
    assert min(row["steps_per_second"], row["first_step_seconds"]) > 0
    if framework != NUMPY:
        # Facts, too: within bounds that are too wide, anything would be.
        assert 0 <= row["float64"]["maximum"] <= row["float64"]["bound"] < 1e-12
        assert 0 <= row["float32"]["maximum"] <= row["float32"]["bound"] < 1e-5


def test_what_the_command_finds_is_in_its_file_and_on_the_page(ladder: Ladder) -> None:
    assert read_json(ladder.file) == ladder.printed
    assert [row["state"] for row in ladder.printed["rungs"]].count("none") == 1
    assert list(dict.fromkeys(row["rung"] for row in ladder.printed["rungs"])) == list(ORDER)
    assert ladder.printed["passed"]
    section = ladder_section(ladder.file.parent)
    assert "the same? Yes." in section.answer
    speed = next(part.figure for part in section.parts if isinstance(part, Chart))
    assert [(trace.name, len(trace.x)) for trace in speed.data] == [("NumPy", 2), ("PyTorch", 8), ("TensorFlow", 9)]


def test_the_page_names_a_rung_that_is_off(tmp_path: Path) -> None:
    assert ladder_section(tmp_path).answer == "Not run yet: `tandem ladder` does."
    write_json(tmp_path / "ladder.json", made_up.ladder())
    section = ladder_section(tmp_path)
    assert "NO: not manual in TensorFlow." in section.answer
    share = [part.figure for part in section.parts if isinstance(part, Chart)][2]
    # A difference of 0 is at the edge, one beyond its bound to the right of 1.
    assert [value for trace in share.data for value in trace.x] == pytest.approx([1e-4, 0.25, 1e-4, 2.5])


def test_with_many_outputs_numpy_learns_too() -> None:
    problem = net("float64", outputs=1000)
    losses = climb(FRAMEWORKS[NUMPY].rungs["manual"], problem).losses
    assert losses[-1] < 0.03 * losses[0]
    assert np.all(np.diff(losses) < 0)


@pytest.mark.parametrize("rung", ["linear_regression", "manual"])
def test_the_gradients_of_numpy_are_what_the_loss_changes_by(rung: str) -> None:
    problem = line("float64") if rung == "linear_regression" else net("float64", outputs=10)
    names = ("w", "b") if rung == "linear_regression" else ("w1", "w2")
    start = [np.asarray(getattr(problem, name)) for name in names]
    trained = climb(FRAMEWORKS[NUMPY].rungs[rung], replace(problem, steps=1)).trained
    random, step = np.random.default_rng(1), 1e-6
    for place, (before, after) in enumerate(zip(start, trained, strict=True)):
        for _ in range(5):
            where = tuple(int(random.integers(size)) for size in before.shape)
            moved = [np.array(before) for _ in range(2)]
            for value, by in zip(moved, (step, -step), strict=True):
                value[where] += by
            up, down = (loss_after(problem, [*start[:place], value, *start[place + 1 :]]) for value in moved)
            assert (before[where] - after[where]) / problem.lr == pytest.approx((up - down) / (2 * step), rel=1e-5)


@pytest.mark.parametrize("file", FILES, ids=lambda file: "/".join(file.parts[-3:]))
def test_a_rung_is_read_on_one_screen_and_hides_nothing(file: Path) -> None:
    source = file.read_text(encoding="utf-8")
    assert len(source.splitlines()) <= 45
    modules = {node.module for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ImportFrom)}
    own = ("experiments", "models_torch", "models_tf")
    assert {name for name in modules if name and name.startswith(own)} == {"experiments.contract.ladder"}


def test_the_page_has_the_code_of_every_rung() -> None:
    page = (ROOT / "docs" / "ladder.md").read_text(encoding="utf-8")
    assert with_code(page, ROOT) == page, "run `tandem ladder --write`"
    assert [file for file in FILES if f"<!-- code: {file.relative_to(ROOT)} -->" not in page] == []
    assert [rung for rung in ORDER if f"\n## {rung}: " not in page] == []
    with pytest.raises(TandemError, match=r"^docs/ladder.md: expected the files of rungs; got x.py; "):
        with_code("<!-- code: x.py -->\n", ROOT)


def test_lines_of_code_are_those_that_do_something() -> None:
    source = '"""Docstring\n\nof three lines."""\n\n# comment\nx = [  # with a comment\n    1,\n\n]\ny = """a\nb"""\n'
    assert lines_of_code(source) == 5


def test_a_mistake_is_one_line(tandem: Callable[..., Done]) -> None:
    done = tandem("--outputs", "11")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "tandem: --outputs: expected 10 or 1000; got 11; give one of these\n"
    for wrong in (0, 10_000):
        with pytest.raises(
            TandemError, match=rf"^--threads: expected 1 to \d+, the cores for this process; got {wrong}; leave it out$"
        ):
            check_settings(outputs=10, threads=wrong)
