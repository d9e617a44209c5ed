"""What the results say, as plain values: for JSON, the document, the terminal and the page."""

from collections import Counter
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

from experiments.operations.answers import Array
from experiments.operations.inputs import INPUTS
from experiments.operations.operation import LIBRARIES, SHOWN
from experiments.operations.run import Result
from experiments.operations.table import GROUPS

PACKAGES = ("numpy", "scipy", "torch", "tensorflow", "keras")
Content = dict[str, Any]


def content_of(results: Sequence[Result]) -> Content:
    """Return the results with the versions that gave them, and what they come to in a few sentences."""
    return {
        "versions": {package: version(package) for package in PACKAGES},
        "same": sum(result.same for result in results),
        "summary": summary(results),
        "operations": [_row(result) for result in results],
    }


def summary(results: Sequence[Result]) -> str:
    """Return how many operations give the same everywhere, and in how many and in what each library differs."""
    same = sum(result.same for result in results)
    sentences = [f"{same} of {len(results)} operations give the same everywhere."]
    for library in LIBRARIES[1:]:
        found = [result.differ[library] for result in results if result.differ.get(library)]
        if found:
            counts = Counter(each for differences in found for each in differences).most_common()
            parts = ", ".join(f"{each} {count}" for each, count in counts)
            sentences.append(f"{SHOWN[library]} differs in {len(found)} ({parts}).")
    return " ".join(sentences)


def _row(result: Result) -> Content:
    operation = result.operation
    return {
        "operation": operation.name,
        "group": next(group for group, operations in GROUPS.items() if operation in operations),
        "undefined": operation.undefined,
        "inputs": {name: _input(name) for name in operation.names(list(INPUTS))},
        "same": result.same,
        "answers": [
            {
                "library": SHOWN[library],
                "call": call,
                "answer": str(result.answers[library]),
                "differs": result.differ[library],
            }
            for library, call in operation.calls.items()
        ],
    }


def _input(name: str) -> str:
    array = INPUTS[name].array
    return str(Array(array.dtype.name, array))
