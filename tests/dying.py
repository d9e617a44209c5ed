"""A process that is killed while it makes a database: `python -m tests.dying MODULE FOLDER STATEMENT`."""

import importlib
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from sqlalchemy.engine.default import DefaultDialect

from experiments.settings.project import Project
from tests.conftest import ROOT


def die(project: Project, module: str, statement: str) -> None:
    """Have another process `connect` by a module, and end like a `kill -9` before its first such statement."""
    command = [sys.executable, "-m", "tests.dying", module, str(project.root), statement]
    assert subprocess.run(command, cwd=ROOT, check=False).returncode == -signal.SIGKILL


def main() -> None:
    module, folder, statement = sys.argv[1:]
    execute = DefaultDialect.do_execute

    def execute_or_die(dialect: Any, cursor: Any, text: str, *rest: Any) -> Any:
        if text.lstrip().startswith(statement):
            os.kill(os.getpid(), signal.SIGKILL)
        return execute(dialect, cursor, text, *rest)

    DefaultDialect.do_execute = execute_or_die  # type: ignore[method-assign]
    importlib.import_module(module).connect(Project(Path(folder), Path(folder)))


if __name__ == "__main__":
    main()
