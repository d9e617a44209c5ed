"""Every operation, run once by `tandem ops --write`: docs/operations.md is what the installed versions answer."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from experiments.cli.main import app
from experiments.operations.answers import Answer, Array
from experiments.operations.choose import chosen
from experiments.operations.compare import differences
from experiments.operations.document import INTRODUCTION
from experiments.operations.operation import SHOWN, Operation
from experiments.operations.table import GROUPS
from experiments.settings.project import Project
from experiments.system.errors import TandemError
from tests.conftest import ROOT

NAMES = [each.name for operations in GROUPS.values() for each in operations]
DEFINED = [each.name for operations in GROUPS.values() for each in operations if not each.undefined]
HEAD = ["operation", "input", *SHOWN.values()]
# Calls that aren't the same operation: each must be found, and nothing else.
PLANTED = (
    Operation("planted-same", "np.round(x)", "torch.round(x)", "tf.round(x)", "ops.round(x)"),
    Operation("planted-values", "np.round(x)", "torch.floor(x)", "tf.round(x)", "ops.round(x)"),
    Operation("planted-noise", "x * 1", "x * (1 + 1e-7)", "x * (1 + 1e-4)", "x * 1"),
    Operation("planted-dtype", "np.round(x)", "torch.round(x)", "tf.cast(x, tf.float64)", "ops.cast(i, 'int8')"),
    Operation("planted-shape", "np.sum(m)", "torch.sum(m, 0)", "tf.reduce_sum(m)", "ops.sum(m, 1)"),
    Operation("planted-error", "np.sum(m)", "torch.sum(m)", "tf.reduce_sum(m, 7)", "ops.sums(m)"),
    Operation("planted-errors", "np.sum(m, 7)", "torch.sum(m, 7)", None, "ops.sums(m)"),
)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory, settings_file: Path) -> tuple[Project, Any]:
    """A project in which the command has run, with the planted operations too, and the JSON that it printed."""
    root = tmp_path_factory.mktemp("operations")
    (root / "params.yaml").write_bytes(settings_file.read_bytes())
    (root / "dvc.yaml").touch()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        patch.setitem(GROUPS, "planted", PLANTED)
        done = CliRunner().invoke(app, ["ops", "--write", "--json"])
        assert done.exit_code == 0, done.output
    return Project(root=root, home=root), json.loads(done.stdout)


def _cells(document: Path) -> dict[str, dict[str, str]]:
    """Return the cells of docs/operations.md by operation and heading."""
    lines = [line for line in document.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    rows = [dict(zip(HEAD, line[2:-2].split(" | "), strict=True)) for line in lines]
    return {row["operation"].removesuffix(" †"): row for row in rows}


@pytest.mark.parametrize("operation", DEFINED)
def test_the_installed_versions_answer_as_the_page_says(written: tuple[Project, Any], operation: str) -> None:
    page, now = (_cells(folder / "docs" / "operations.md")[operation] for folder in (ROOT, written[0].root))
    changed = [f"{name}: {page[name]} is now {now[name]}" for name in HEAD if page[name] != now[name]]
    assert changed == [], f"{operation}: an installed version answers otherwise; `tandem ops --write` records it"


def test_the_page_has_every_operation_and_the_introduction() -> None:
    page = ROOT / "docs" / "operations.md"
    assert [name for name in _cells(page) if name not in ("operation", "---")] == NAMES
    assert page.read_text(encoding="utf-8").startswith(INTRODUCTION), "run `tandem ops --write`"


def test_what_differs_is_found_by_running(written: tuple[Project, Any]) -> None:
    found = {
        row["operation"]: [each["differs"] for each in row["answers"]]
        for row in written[1]["operations"]
        if row["group"] == "planted"
    }
    assert found == {
        "planted-same": [[], [], [], []],
        "planted-values": [[], ["values"], [], []],
        "planted-noise": [[], [], ["values"], []],
        "planted-dtype": [[], [], ["dtype", "values"], ["shape", "dtype"]],
        "planted-shape": [[], ["shape"], [], ["shape"]],
        "planted-error": [[], [], ["error"], ["error"]],
        "planted-errors": [[], [], []],
    }
    rows = _cells(written[0].root / "docs" / "operations.md")
    wrong = "`torch.floor(x)`<br>**`float32 (5,) [-2, -1, 0, 0, 3]`** (values)"
    assert rows["planted-values"]["PyTorch"] == wrong
    assert rows["planted-errors"]["TensorFlow"] == "–"
    assert "AttributeError" in rows["planted-error"]["Keras"]


def test_the_summary_counts_the_rows(written: tuple[Project, Any]) -> None:
    rows = written[1]["operations"]
    assert len(rows) == len(NAMES) + len(PLANTED)
    assert written[1]["same"] == sum(not any(each["differs"] for each in row["answers"]) for row in rows)
    assert written[1]["summary"].startswith(f"{written[1]['same']} of {len(rows)} operations give the same everywhere.")
    assert json.loads((written[0].reports / "operations.json").read_text()) == written[1]


def test_what_differs_between_the_two_is_known(written: tuple[Project, Any]) -> None:
    """Facts that do not depend on how answers are compared."""
    answers = {
        row["operation"]: {each["library"]: each["answer"] for each in row["answers"]}
        for row in written[1]["operations"]
    }
    assert set(answers["round"].values()) == {"float32 (6,) [-2, -2, -0, 0, 2, 2]"}
    assert answers["median"]["PyTorch"] == "float32 () 2"
    assert answers["median"]["NumPy"] == "float32 () 2.5"
    assert answers["mean-int32"]["TensorFlow"] == "int32 () 2"
    assert answers["sign"]["PyTorch"].startswith("float32 (5,) [0, ")
    assert answers["take-negative"]["TensorFlow"].startswith("InvalidArgumentError: ")


def _array(*values: Any, dtype: str = "float32") -> Answer:
    return Answer((Array(dtype, np.array(values, dtype)),))


def test_what_counts_as_different() -> None:
    nan = float("nan")
    assert differences(_array(1, nan, 0), _array(1 + 9e-6, nan, 9e-7)) == []
    assert differences(_array(1.0), _array(1 + 3e-5)) == ["values"]
    assert differences(_array(0.0), _array(-0.0)) == ["values"]
    assert differences(_array(nan), _array(0.0)) == ["values"]
    assert differences(_array(2**63 - 1, dtype="int64"), _array(2**63, dtype="uint64")) == ["dtype", "values"]
    assert differences(_array(1, dtype="int64"), _array(True, dtype="bool")) == ["dtype"]
    assert differences(_array(), _array(1.0)) == ["shape"]
    assert differences(Answer(_array(1.0).arrays * 2), _array(1.0)) == ["shape"]
    assert differences(Answer(error="ValueError: a"), Answer(error="RuntimeError: b")) == []
    assert differences(Answer(error="ValueError: a"), _array(1.0)) == ["error"]


def test_a_word_is_a_group_an_operation_or_all_that_begin_with_it() -> None:
    assert [each.name for each in chosen(["sort", "trunc"])] == ["trunc", "sort", "sort-nan"]
    assert chosen(["rounding"]) == list(GROUPS["rounding"])
    assert [each.name for each in chosen([])] == NAMES
    assert len(set(NAMES)) == len(NAMES)


def test_a_mistake_is_refused_before_anything_runs(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project.root)
    for words, message in {
        (
            "sum",
            "--write",
        ): "--write: expected no OPERATIONS, since docs/operations.md has all; got some; leave them out",
        ("sum", "xyz"): f"expected operations, or groups ({', '.join(GROUPS)}); got 'xyz'; `tandem ops` shows all",
        ("su",): "got 'su'; did you mean sum",
    }.items():
        refused = CliRunner().invoke(app, ["ops", *words]).exception
        assert isinstance(refused, TandemError)
        assert message in str(refused)
    assert not project.reports.exists()
