"""Every command that prints a table prints it as JSON, too: nothing else is on standard output then."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
from typer.testing import CliRunner

from experiments.cli.main import app
from experiments.cli.output import show, show_checks, table
from experiments.settings.params import Params
from experiments.settings.project import Project
from experiments.system.checks import Check
from tests.conftest import ROOT
from tests.reports.recorded import recorded, write
from tests.sweep.conftest import Sweep
from tests.sweep.conftest import sweep as sweep

# What each command is given here. None: it trains or proves, which takes long; tests/end_to_end reads its JSON.
TABLES: dict[str, list[str] | None] = {
    "compare": [],
    "runs": [],
    "defaults": [],
    "shapes": ["conv5x5"],
    "doctor": [],
    "sweep status": ["s"],
    "sweep report": ["s"],
    "parity": None,
    "layers": None,
    "ops": None,
    "ladder": None,
    "graphs": None,
    "convert": None,
    "predict": None,
    "export": None,
    "published": None,
    "sweep check": None,
    "sweep confirm": None,
}
LINES = {
    *(
        "import",
        "guard",
        "download",
        "preprocess",
        "sources",
        "collect",
        "train",
        "trial",
        "reproduce",
        "report",
        "ui",
        "check",
    ),
    *(f"sweep {name}" for name in ("run", "stop", "logs", "promote", "reconcile")),
}


def _commands(group: Any = None, before: str = "") -> Iterator[tuple[str, set[str]]]:
    """Yield the name of every command, and its options."""
    start: Any = typer.main.get_command(app)
    for name, command in (group or start).commands.items():
        if hasattr(command, "commands"):
            yield from _commands(command, f"{before}{name} ")
        else:
            yield f"{before}{name}", {option for parameter in command.params for option in parameter.opts}


def test_every_command_that_prints_a_table_takes_json() -> None:
    assert {name for name, options in _commands() if "--json" in options} == TABLES.keys()
    assert {name for name, _ in _commands()} == TABLES.keys() | LINES


@pytest.fixture
def finished(sweep: Sweep, params: Params, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project with a pair, a sweep, and all that the commands look at."""
    sweep.run(3)
    sweep.project.data.mkdir()  # so that no mirror is asked
    for file in ("pyproject.toml", "requirements.lock"):
        shutil.copy(ROOT / file, sweep.project.root)
    for backend in ("lightning", "keras"):
        write(sweep.project, recorded(params, backend))
    monkeypatch.chdir(sweep.project.root)
    return sweep.project


def _json(*words: str, code: int = 0) -> Any:
    done = CliRunner().invoke(app, [*words, "--json"])
    assert done.exit_code == code, done.output
    return json.loads(done.stdout, parse_constant=lambda name: pytest.fail(f"{words}: {name} is no JSON"))


def test_json_is_all_that_is_on_standard_output(finished: Project) -> None:
    found = {name: _json(*name.split(), *words) for name, words in TABLES.items() if words is not None}
    assert found["compare"] == json.loads((finished.reports / "compare.json").read_text())
    assert [row["output"] for row in found["runs"]] == ["runs/lenet/keras/12", "runs/lenet/lightning/12"]
    assert [row["test/accuracy"] for row in found["runs"]] == [0.95, 0.95]
    assert {row["what"]: row["keras"] for row in found["defaults"]}["Adam settings"].endswith("epsilon 1e-07")
    (conv2,) = [layer for layer in found["shapes"]["layers"] if layer["layer"] == "conv2"]
    assert (conv2["formula"], conv2["torch"], conv2["keras"]) == ([20, 14, 14], [20, 14, 14], [14, 14, 20])
    # The data set has 4 classes, so the output layer has 4 · 981 of these.
    assert (conv2["parameters"], conv2["multiply_adds"], found["shapes"]["parameters"]) == (5020, 980_000, 9204)
    assert {row["what"]: row["state"] for row in found["doctor"]}["lightning"] == "ok"
    assert found["sweep status"][0]["finished"] == 3
    assert len(found["sweep report"]["trials"]) == 3
    two = _json("compare", "lenet-lightning-12", "runs/lenet/keras/12")
    assert two["images"]["told_differently"] == 0
    assert "backend" in [row["setting"] for row in two["settings"]]


def test_a_table_and_its_json_are_of_the_same_rows(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [{"name": "[bold]a[/bold]", "loss": float("nan")}, {"name": "b", "loss": None}]
    for as_json in (True, False):
        show(rows, table(rows, {"the name": "name", "the loss": "loss"}), "Next: this.", as_json=as_json)
    printed = capsys.readouterr().out
    content, _, shown = printed.partition("\n]\n")
    assert json.loads(f"{content}]") == [{"name": "[bold]a[/bold]", "loss": None}, {"name": "b", "loss": None}]
    assert [cell.strip() for cell in shown.splitlines()[3].split("│")[1:-1]] == ["[bold]a[/bold]", "nan"]
    assert [cell.strip() for cell in shown.splitlines()[4].split("│")[1:-1]] == ["b", ""]
    assert shown.endswith("Next: this.\n")


def test_a_state_is_a_word_and_not_a_colour_alone(capsys: pytest.CaptureFixture[str]) -> None:
    show_checks([Check("disk", "problem", "full", "make room"), Check("Git", "ok", "there")], as_json=False)
    assert [line.split("│")[1].strip() for line in capsys.readouterr().out.splitlines()[3:-1]] == ["problem", "ok"]
