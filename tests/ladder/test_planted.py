"""Known mistakes, planted in the text of a rung one at a time, are caught; a rung that fails is one line."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from experiments.contract.model_settings import Precision
from experiments.ladder.climb import climb
from experiments.ladder.problems import EXAMPLES, PRECISIONS, Problem, line, net
from experiments.ladder.registry import FRAMEWORKS, NUMPY, reference_of, source_of
from experiments.ladder.run import Place, Rung, process_of, run_rung
from tests.ladder.conftest import COMMAND, Done

Plant = Callable[..., Rung]
MASK = {"lightning": " * (hidden > 0)", "keras": " * tf.cast(hidden > 0, x.dtype)"}
# A rung, what is replaced in it, by what, and what is said first.
EITHER = [
    ("linear_regression", "line.lr * d_b", "2 * line.lr * d_b", "float64: b is"),
    ("manual", "d_output = 2 * error", "d_output = error", "float64: w[12] is"),
    ("manual", "net.lr * d_w1", "net.lr * net.lr * d_w1", "float64: w[12] is"),
    ("manual", "net.lr * d_w1", "net.lr * (1 + 1e-9) * d_w1", "float64: w[12] is"),
    ("compiled", "for _ in range(net.steps)", "for _ in range(net.steps - 1)", "float64: expected a loss after each"),
]
BUGS = [
    *((framework, *bug) for framework in MASK for bug in EITHER if (framework, bug[0]) != ("lightning", "compiled")),
    *(("lightning", *bug) for bug in [
        ("manual", " * (hidden > 0)", "", "float64: w[12] is"),
        ("manual", "w2.T", "w2", "float64: w[12] is"),
        ("manual", "error.square().sum()", "error.square().mean()", "float64: the loss of step 1 is"),
        ("autograd", "weight.grad = None", "pass", "float64: w[12] is"),
        ("custom_gradient", "upstream * (x > 0)", "upstream", "float64: w[12] is"),
        ("sequential", "torch.tensor(net.w1.T)", "torch.tensor(net.w1)", "float64: w[12] is"),
        ("fit", "lr=self.lr", "lr=2 * self.lr", "float64: w[12] is"),
    ]),
    *(("keras", *bug) for bug in [
        ("manual", " * tf.cast(hidden > 0, x.dtype)", "", "float64: w[12] is"),
        ("manual", "tf.transpose(w2)", "w2", "float64: w[12] is"),
        ("manual", "tf.reduce_sum(", "tf.reduce_mean(", "float64: the loss of step 1 is"),
        ("autograd", "assign_sub", "assign_add", "float64: w[12] is"),
        ("custom_gradient", "upstream * tf.cast(x > 0, x.dtype)", "upstream", "float64: w[12] is"),
        ("fit", "net.x.dtype.name", '"float32"', "float64: w[12] is"),
        ("fit", "learning_rate=net.lr", "learning_rate=2 * net.lr", "float64: w[12] is"),
        ("graph_session", "net.lr * d_w2", "d_w2", "float64: w[12] is"),
    ]),
]  # fmt: skip


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    """Run a rung with a text replaced, on a problem; in a process that finds no C++ compiler."""
    folder = tmp_path_factory.mktemp("planted")
    with ExitStack() as stack:
        stack.enter_context(pytest.MonkeyPatch.context()).syspath_prepend(folder)
        processes = {name: stack.enter_context(process_of(name, 1, CXX="no-such-compiler")) for name in MASK}

        def run(framework: str, rung: str, old: str, new: str, make: Callable[..., Problem]) -> Rung:
            source = source_of(FRAMEWORKS[framework].rungs[rung]).read_text(encoding="utf-8")
            assert old in source
            name = f"planted_{len(list(folder.glob('*.py')))}"
            (folder / f"{name}.py").write_text(source.replace(old, new), encoding="utf-8")
            problems = {kind: make(kind) for kind in PRECISIONS}
            numpy = FRAMEWORKS[NUMPY].rungs[reference_of(rung)]
            reference = {kind: climb(numpy, problem) for kind, problem in problems.items()}
            return run_rung(processes[framework], Place(rung, framework, f"{name}:train"), problems, reference)

        yield run


def square(precision: Precision) -> Problem:
    """Return a net of square arrays: a missing transpose shows in nothing but its results."""
    return net(precision, outputs=EXAMPLES, inputs=EXAMPLES, hidden=EXAMPLES)


@pytest.mark.parametrize(("framework", "rung", "old", "new", "said"), BUGS)
def test_a_mistake_is_caught(plant: Plant, framework: str, rung: str, old: str, new: str, said: str) -> None:
    found = plant(framework, rung, old, new, line if rung == "linear_regression" else square)
    assert found.state == "not within"
    assert re.match(said, found.notes[0]), found.notes


@pytest.mark.parametrize("framework", list(MASK))
def test_without_a_mistake_there_is_nothing(plant: Plant, framework: str) -> None:
    assert plant(framework, "manual", "net", "net", square).notes == []


@pytest.mark.parametrize(("framework", "old"), [("lightning", "active.T @"), ("keras", "tf.transpose(active) @")])
def test_a_rung_that_fails_is_one_line(plant: Plant, framework: str, old: str) -> None:
    found = plant(framework, "manual", old, "active @", lambda kind: net(kind, outputs=10))
    assert (found.state, found.passed, len(found.notes)) == ("failed", False, 1)
    assert "\n" not in found.notes[0]


def test_without_a_compiler_a_rung_says_so_and_nothing_is_wrong(plant: Plant) -> None:
    found = plant("lightning", "compiled", "net", "net", square)
    assert (found.state, found.passed) == ("unavailable", True)
    assert found.notes == ["torch.compile needs a C++ compiler, and found none; install g++, or set CXX to one"]


def test_the_command_fails_where_a_rung_does(folder: Path, tandem: Callable[..., Done]) -> None:
    """The whole command, quickly: NumPy, and NumPy with a mistake in another framework's place."""
    source = source_of(FRAMEWORKS[NUMPY].rungs["manual"]).read_text(encoding="utf-8")
    (folder / "twice.py").write_text(source.replace("d_output = 2 *", "d_output = 4 *"), encoding="utf-8")
    other = 'registry.Framework("Other", {"manual": "twice:train"}, ("numpy",))'
    code = "from experiments.ladder import registry; known = registry.FRAMEWORKS; numpy = known['numpy']\n"
    code += f"known.clear(); known.update(numpy=numpy, other={other}); registry.LACKING.clear()\n{COMMAND}"
    done = tandem(code=code)
    assert done.returncode == 1
    assert re.search("manual, Other: float64: w[12] is ", done.stdout)
    assert re.search(r"│ Other +│.*│ NO +$", done.stdout, re.MULTILINE)
    assert "Other 1/1: manual" in done.stderr
