"""docs/operations.md: a table for each group, written by `tandem ops --write`."""

from collections.abc import Mapping, Sequence
from typing import Any

from experiments.operations.content import Content
from experiments.operations.operation import SHOWN
from experiments.operations.table import GROUPS

INTRODUCTION = """# Operations

<!-- Written by `tandem ops --write`. A test compares it with what that gives. -->

The same operation in NumPy, PyTorch, TensorFlow and Keras: the call, and what it answers. Each call is run exactly as
it is shown, with `np` NumPy, `tf` TensorFlow and `ops` `keras.ops`; each framework in a process of its own, eagerly, on
the CPU. The inputs are small, and chosen so that differences show: ties, halves, NaN, negative numbers, nothing at all.

```bash
tandem ops sort shape --differ   # `sort` is also `sort-nan`, `shape` is a group; without --differ, those that agree too
```

An answer is a dtype, a shape and values, to four digits, or an error. **Bold** answers differ from NumPy's or, where
NumPy has no such function (–), from the first library's that has; the words behind say in what:

- `dtype`: another one, however equal the numbers;
- `shape`: another one, or another number of arrays (`;` stands between arrays);
- `values`: of the same shape. Integers and booleans are compared exactly; floats count as the same within 1e-5 of the
  value, or within 1e-6. NaN is the same as NaN; 0 and -0 are two values;
- `error`: one raises, the other doesn't. Two errors are the same, whatever they are called.

No difference is written down by hand: all are found by running the calls. A † stands where neither C nor NumPy says
what the answer is, as for NaN as an integer, or for ties in a sort that isn't stable: another processor may answer
otherwise. TensorFlow runs with oneDNN, its default on newer processors alone, so that the table is the same on all.
Without it, as by `TF_ENABLE_ONEDNN_OPTS=0 tandem ops activations`, the softmax of infinities has no 0.

To add an operation: a line in `experiments/operations/table/`, and `tandem ops --write`.
"""


def document(content: Content) -> str:
    """Return docs/operations.md."""
    versions = ", ".join(f"{package} {version}" for package, version in content["versions"].items())
    parts = [INTRODUCTION, f"{content['summary']}\n\nWith {versions}.\n"]
    for group in GROUPS:
        rows = [row for row in content["operations"] if row["group"] == group]
        parts.append(f"## {group.replace('-', ' ').capitalize()}\n\n{_table(rows)}\n")
    return "\n".join(parts)


def _table(rows: Sequence[Mapping[str, Any]]) -> str:
    head = ("operation", "input", *SHOWN.values())
    # No padding: a cell that changes is one line that changes.
    return "\n".join([_line(head), _line(["---"] * len(head)), *(_line(cells(row)) for row in rows)])


def cells(row: Mapping[str, Any]) -> list[str]:
    """Return the cells of an operation: its name, its inputs, and of each library the call and the answer."""
    inputs = "<br>".join(f"{name}: {_code(value)}" for name, value in row["inputs"].items())
    answers = {each["library"]: each for each in row["answers"]}
    shown = [_answer(answers[library]) if library in answers else "–" for library in SHOWN.values()]
    return [row["operation"] + " †" * row["undefined"], inputs, *shown]


def _answer(found: Mapping[str, Any]) -> str:
    answer = _code(found["answer"])
    if found["differs"]:
        answer = f"**{answer}** ({', '.join(found['differs'])})"
    return f"{_code(found['call'])}<br>{answer}"


def _code(text: str) -> str:
    return f"`{text.replace('`', chr(39)).replace('|', chr(92) + '|')}`"


def _line(row: Sequence[str]) -> str:
    return f"| {' | '.join(row)} |"
