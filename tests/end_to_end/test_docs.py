"""README.md and docs/: their commands run, their links lead somewhere, their code is the project's."""

import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.end_to_end.conftest import Clone, give_environment, know_builds, make_clone, nobody
from tests.end_to_end.pages import Block, blocks

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
SERVERS = ("make ui", "tandem ui")
# tests/ladder runs it whole, which takes most of a minute.
ELSEWHERE = ("tandem ladder",)


ALL = [block for page in PAGES for block in blocks(page)]
# `test_your_own` follows its page from the beginning to the end.
SHELL = [block for block in ALL if block.is_run and block.page != "your-own.md"]
# Fewer trials, in two frameworks: the sweep of docs/sweeps.md, in one, has as many as the page says.
FEWER = {"tandem sweep run --recipe cnn3-sgd --trials 20": "tandem sweep run --recipe cnn3-sgd --trials 4"}


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A clone with small settings, whose .venv is the environment of this test."""
    made = make_clone(tmp_path_factory.mktemp("docs"))

    def small(content: dict[str, Any]) -> None:
        content["data"]["mirrors"] = [nobody()]
        content["recipes"]["lenet"]["epochs"] = 2
        content["recipes"]["cnn3-sgd"] |= {"epochs": 1, "options": {"filters": 4, "units": 16}}
        content["sweep"]["epochs"] = 1

    made.change_params(small)
    made.commit()
    give_environment(made.root)
    know_builds(made.root)
    return made


def test_there_is_something_to_run() -> None:
    assert len([line for block in SHELL for line in block.lines]) > 20
    assert all(len(block.detail) > 10 for block in ALL if block.role == "not run")
    assert {*ELSEWHERE, *FEWER} <= {line for block in SHELL for line in block.lines}


@pytest.fixture(scope="module")
def have_run() -> set[str]:
    """The lines of pages that have run: another page may have the same, which would do the same once more."""
    return set()


@pytest.mark.parametrize("block", SHELL, ids=lambda block: f"{block.page}: {block.lines[0][:40]}")
def test_the_commands_of_a_page_run(clone: Clone, have_run: set[str], block: Block) -> None:
    lines = [FEWER.get(line, line) for line in block.lines if line not in {*SERVERS, *ELSEWHERE, *have_run}]
    # What a page prints is for a person; a sweep of one page is that of all.
    output = clone.run("bash", "-euo", "pipefail", "-c", "\n".join(lines).replace("source .venv/bin/activate", ":"))
    assert "Traceback" not in output
    for server in (set(block.lines) & set(SERVERS)) - have_run:
        _starts(clone, server)
    have_run.update(block.lines)


def test_the_python_of_a_page_runs(clone: Clone) -> None:
    clone.run("dvc", "repro")
    program = "".join(block.text for block in ALL if (block.page, block.language) == ("python.md", "python"))
    output = clone.run("python", "-c", program)
    assert "images: expected raw pixels, uint8, 0 to 255; got float64" in output


def _starts(clone: Clone, command: str) -> None:
    process = clone.start(*command.split())
    assert process.stdout is not None
    deadline = time.monotonic() + 60
    said = ""
    while "http://127.0.0.1" not in said and time.monotonic() < deadline and process.poll() is None:
        said += process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    process.communicate()
    assert "http://127.0.0.1" in said, said


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_and_files_of_a_page_exist(page: Path) -> None:
    text = page.read_text()
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", text) if not link.startswith("http")]
    files = re.findall(r"`((?:experiments|models_tf|models_torch|tests|benchmarks|docs)/[\w/.]+)`", text)
    missing = [link for link in links if not (page.parent / link).exists()]
    missing += [file for file in files if "NAME" not in file and not (ROOT / file).exists()]
    assert missing == []


def test_the_twins_of_the_readme_are_the_project_s() -> None:
    snippets = [block for block in blocks(ROOT / "README.md") if block.language == "python"]
    for package, snippet in zip(("models_torch", "models_tf"), snippets, strict=True):
        source = (ROOT / package / "lenet.py").read_text()
        code = [re.sub(r",?(\s+#.*)?$", "", line).strip() for line in source.splitlines()]
        assert [line for line in snippet.lines if line.rstrip(",") not in code] == []
        assert len(snippet.lines) == 12


def test_the_readme_fits_a_screen() -> None:
    lines = (ROOT / "README.md").read_text().splitlines()
    assert len(lines) <= 120
    assert max(map(len, lines)) <= 120


@pytest.fixture(scope="module")
def listed() -> str:
    """What `--help` says that there is."""
    return "".join(
        subprocess.run([sys.executable, "-m", "experiments", *words], cwd=ROOT, capture_output=True, text=True).stdout
        for words in (["--help"], ["sweep", "--help"])
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_names_only_settings_and_commands_that_exist(page: Path, listed: str) -> None:
    names = set(re.findall(r"`tandem (?:sweep )?(\w+)", page.read_text()))
    assert [name for name in names if f" {name} " not in listed] == []
