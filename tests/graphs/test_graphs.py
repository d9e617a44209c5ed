"""Small functions, eager and compiled: what is reported of them, and docs/graphs.md, which is what this gives."""

import re
from typing import Any

import numpy as np
import pytest

from experiments.graphs.document import graphs_document
from experiments.graphs.job import Row, ask
from experiments.graphs.notes import NOTES
from experiments.graphs.questions import QUESTIONS, Case, Question, chosen_questions
from experiments.graphs.run import ask_both, to_content
from experiments.reports.page.graphs import graphs_section
from experiments.reports.page.section import Table
from experiments.settings.project import Project
from experiments.system.errors import TandemError
from experiments.system.files import write_json
from experiments.system.isolated import IsolatedProcess
from tests.cli.test_complete import complete
from tests.cli.test_main import tandem
from tests.conftest import ROOT

COMPILE, WHOLE, EXPORT = "torch.compile(f)", "torch.compile(f, fullgraph=True)", "torch.export.export(f)"
FUNCTION, XLA = "tf.function(f)", "tf.function(f, jit_compile=True)"


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return ask_both(QUESTIONS)


@pytest.fixture(scope="module")
def content(rows: list[Row]) -> dict[str, Any]:
    return to_content(QUESTIONS, rows)


def of(rows: list[Row], case: str, way: str, calls: str = "") -> Row:
    (row,) = [row for row in rows if (row.case, row.way) == (case, way) and calls in row.calls]
    return row


@pytest.mark.parametrize(
    ("case", "way", "reports"),
    [
        ("python_if", COMPILE, "3 graphs, 1 break at `if x.sum() > 0:`"),
        ("python_if", FUNCTION, "traced once"),
        ("offered_if", WHOLE, "1 graph"),
        ("python_loop", COMPILE, "2 graphs, 1 break at `while x.norm() > 1:`"),
        ("prints", COMPILE, "2 graphs, 1 break at `print(total)`"),
        ("uses_a_global", COMPILE, "2 graphs, recompiled once"),
        ("double", FUNCTION, "traced 4 times"),
        ("double", "tf.function(f, reduce_retracing=True)", "traced 2 times"),
        ("double", "tf.function(f, input_signature=…None…)", "traced once"),
        ("double", "torch.compile(f, dynamic=False)", "4 graphs, recompiled 3 times"),
        ("double", "torch.compile(f, dynamic=True)", "1 graph"),
        ("double", "torch.compiler.config.dynamic_sources", "1 graph"),
        ("double", "torch.export.export(f, dynamic_shapes=…)", "1 graph of 1 operation"),
    ],
)
def test_what_a_framework_reports_of_a_right_answer(rows: list[Row], case: str, way: str, reports: str) -> None:
    row = of(rows, case, way)
    assert (row.reports, row.outcome) == (reports, "right")


@pytest.mark.parametrize(
    ("case", "way", "reports"),
    [
        ("python_if", WHOLE, "error: Unsupported: Data-dependent branching"),
        ("python_if", EXPORT, "error: GuardOnDataDependentSymNode: Could not guard on data-dependent expression"),
        ("python_loop", "tf.function(f, autograph=False)", "error: OperatorNotAllowedInGraphError: Using a symbolic"),
        ("reads_a_number", FUNCTION, "error: AttributeError: 'SymbolicTensor' object has no attribute 'numpy'"),
        ("numpy_as_operation", XLA, "error: InvalidArgumentError: Detected unsupported operations"),
        ("double", EXPORT, "1 graph of 1 operation; error at call 2: AssertionError: Guard failed"),
    ],
)
def test_an_error_is_told_in_a_line(rows: list[Row], case: str, way: str, reports: str) -> None:
    row = of(rows, case, way)
    assert row.outcome == "error"
    assert row.reports.startswith(reports)
    assert len(row.reports) < 200


def test_an_argument_s_kind_decides_how_often_is_traced(rows: list[Row]) -> None:
    for way in (FUNCTION, XLA):
        assert [of(rows, "times", way, kind).counts["traces"] for kind in ("numbers", "tensors")] == [3, 1]
    assert [of(rows, "times", COMPILE, kind).counts["graphs"] for kind in ("numbers", "tensors")] == [2, 1]


def test_what_is_silently_wrong(rows: list[Row]) -> None:
    frozen = ("prints", "appends_to_a_list", "draws_a_number", "uses_a_global")
    wrong = [(row.case, row.way) for row in rows if row.outcome == "wrong"]
    assert sorted(wrong) == sorted((case, way) for case in frozen for way in (EXPORT, FUNCTION, XLA))
    assert of(rows, "prints", FUNCTION).answers == "WRONG: side effect once, eager 3 times"
    assert of(rows, "uses_a_global", EXPORT).answers == "WRONG: call 3 gave 6, eager 15"


def test_fusion_leaves_fewer_kernels(rows: list[Row]) -> None:
    for case, operations in (("chain", 5), ("waves", 5), ("dense", 3)):
        for way in ("PyTorch, eager", EXPORT, "TensorFlow, eager"):
            assert of(rows, case, way).counts == {"operations": operations, "kernels": operations}
        fused = [row for way in (COMPILE, XLA) if (row := of(rows, case, way)).outcome != "not run"]
        assert [row.counts for row in fused] == [{"operations": operations, "kernels": 1 + (case == "dense")}] * len(
            fused
        )
        assert all(row.time is not None and 0 < row.time < 100 for row in fused)
    assert of(rows, "dense", FUNCTION).reports == "3 operations in 1 kernel: _FusedMatMul"


def test_the_page_is_what_the_command_writes(content: dict[str, Any]) -> None:
    written = (ROOT / "docs" / "graphs.md").read_text(encoding="utf-8")
    missing = [row for question in content["questions"] for row in question["rows"] if row["outcome"] == "not run"]
    fresh = graphs_document(ROOT, content)
    texts = [text if same_machine(written, fresh) else without_kernels(text) for text in (written, fresh)]
    assert repeatable(texts[0], missing) == repeatable(texts[1], missing), "run `tandem graphs --write`"


def same_machine(*documents: str) -> bool:
    """Return whether the documents were measured on the same kind of processor."""
    return len({re.findall(r"on the CPU \((.*)\)\.", document)[0] for document in documents}) == 1


def without_kernels(document: str) -> str:
    """Return a document without the kernels: which are fused, and their names, depends on the processor."""
    return re.sub(r"\| \d+ operations in \d+ kernels?: [^|]*\|", "| |", document)


def repeatable(document: str, missing: list[dict[str, Any]]) -> list[list[str]]:
    """Return the cells of each line, without what differs from run to run: times, the processor, what it lacks."""
    text = re.sub(r"on the CPU \(.*\)\.", "on the CPU.", document)
    rows = [[cell.strip() for cell in line.split("|")] for line in text.splitlines() if not line.startswith("|:-")]
    skipped = [[f"`{row['case']}`", row["calls"], f"`{row['way']}`"] for row in missing]
    return [[cell for cell in row if not re.fullmatch(r"\d+\.\d\d", cell)] for row in rows if row[1:4] not in skipped]


def test_a_function_that_is_wrong_when_compiled_is_reported() -> None:
    vector = [(np.array([1, 2, 3], np.float32),)] * 2
    cases = [Case(name, vector, "twice the same") for name in ("triples", "cuts", "whispers", "honest")]
    files = {"lightning": "tests.graphs.planted_torch", "keras": "tests.graphs.planted_tf"}
    rows = ask_both([Question("breaks", "planted", cases)], files)  # type: ignore[arg-type]
    for way in (COMPILE, WHOLE, EXPORT, FUNCTION, XLA):
        told = [of(rows, case.function, way).answers for case in cases]
        assert told == [
            "WRONG: call 1 gave 3, eager 2",
            "WRONG: call 1 gave shape (2,), eager (3,)",
            "WRONG: side effect 0 times, eager 2 times",
            "right",
        ]


def test_without_a_compiler_one_row_says_so(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("PATH", str(project.root)), ("CXX", ""), ("TORCHINDUCTOR_CACHE_DIR", str(project.root))):
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("CXX")
    questions = [Question("fusion", "fusion", QUESTIONS[0].cases[:1], timed=True)]
    with IsolatedProcess("graphs: the lightning") as process:
        rows = process.call(ask, "models_torch", "models_torch.graphs", questions, project.root)
    assert [row.outcome for row in rows] == ["right", "not run", "right"]
    expected = "not run: torch.compile needs a C++ compiler on a CPU, and finds none; install g++"
    assert (rows[1].reports, rows[1].answers, rows[1].time) == (expected, "", None)


def test_the_report_counts_the_outcomes_of_each_way(project: Project, content: dict[str, Any]) -> None:
    assert graphs_section(project.reports).answer == "Not run yet: `tandem graphs` does."
    write_json(project.reports / "graphs.json", content)
    counts, *tables = graphs_section(project.reports).parts
    assert isinstance(counts, Table)
    assert ["tf.function(f)", "12", "4", "2", "0"] in counts.rows
    assert len(tables) == len(QUESTIONS)


def test_questions_are_chosen_by_name() -> None:
    assert [question.key for question in QUESTIONS] == list(NOTES) == complete(ROOT, "graphs", "")
    assert [question.key for question in chosen_questions(["shapes", "fusion"])] == ["fusion", "shapes"]
    with pytest.raises(
        TandemError, match=r"^QUESTIONS: expected some of fusion, .*; got 'loops'; leave it out for all$"
    ):
        chosen_questions(["loops"])
    done = tandem("graphs", "shapes", "--write")
    assert done.returncode == 2
    assert done.stderr == (
        "tandem: --write: expected no QUESTIONS, since docs/graphs.md has all; got some; leave them out\n"
    )
