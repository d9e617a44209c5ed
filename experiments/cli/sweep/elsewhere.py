"""`tandem sweep stop` and `logs`: of a sweep that another process runs."""

from typing import Annotated

import typer

from experiments.cli.sweep.options import NameArgument
from experiments.settings.project import Project


def stop(name: NameArgument) -> None:
    """Stop a sweep that runs elsewhere, as Ctrl-C does: its trials wait, and the same command resumes it."""
    from experiments.sweep.stop import stop_sweep

    stop_sweep(Project.find(), name)
    print(f"{name}: stopped; its trials wait. Next: the same `tandem sweep run` resumes it.")


def logs(
    name: NameArgument,
    lines: Annotated[int, typer.Option(min=1, help="How many of each file.")] = 20,
) -> None:
    """Show the ends of the logs of a sweep: its controller's, if it is detached, and its workers'."""
    from experiments.sweep.stop import log_files

    files = log_files(Project.find(), name)
    texts = {file: text for file in files if (text := file.read_text(errors="replace"))}
    for file, text in texts.items():
        print(f"== {file}")
        print("\n".join(text.splitlines()[-lines:]))
    if not texts:
        print(f"{len(files)} log(s), nothing in them yet: {files[-1].parent}")
