"""Runs a program where Tandem's sources can't be imported: python -P alone.py PROGRAM ARGUMENTS.

An installation puts the sources where Python finds them from anywhere; this refuses their names.
"""

import runpy
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType

SOURCES = {"models_torch", "models_tf", "experiments", "tandem"}
# As much of an error as tells which one it is: some messages go on for a page.
LONGEST = 200


class Refusal:
    """A finder that finds none of Tandem's modules, and asks no other."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Return None: let the next finder look.

        Raises:
            ModuleNotFoundError: the module is one of Tandem's.
        """
        if name.partition(".")[0] in SOURCES:
            raise ModuleNotFoundError(f"No module named {name!r} here: the sources are out of reach", name=name)
        return None


if __name__ == "__main__":
    sys.meta_path.insert(0, Refusal)
    del sys.argv[0]
    try:
        runpy.run_path(sys.argv[0], run_name="__main__")
    except Exception as error:
        # The last line on standard error is the reason, whatever a framework has logged before.
        sys.exit(f"{type(error).__name__}: {' '.join(str(error).split())[:LONGEST]}")
