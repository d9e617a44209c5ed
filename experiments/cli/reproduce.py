"""`tandem reproduce`, and the command that its worktrees run for a trial."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from experiments.cli.common import load_project
from experiments.settings.project import Project

if TYPE_CHECKING:
    from experiments.reproduce.reproduce import Repetition
    from experiments.reproduce.verdict import Verdict


def reproduce(
    run: Annotated[str, typer.Argument(help="The id or the name of a run in MLflow, such as lenet-keras-12.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan, and train nothing.")] = False,
    threads: Annotated[int | None, typer.Option(min=1, help="Other than the run had.", show_default=False)] = None,
    anyway: Annotated[bool, typer.Option("--anyway", help="Although its code or GPU can't be had.")] = False,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the worktree, with its outputs.")] = False,
) -> None:
    """Train a run again from its record in MLflow, and say whether the same bits come of it.

    In a worktree of its own, with the run's code, settings and data. Exit code 1 where the result differs by more than
    seeds do.
    """
    from experiments.reproduce.reproduce import Wish, reproduce
    from experiments.reproduce.verdict import Grade

    wish = Wish(run, threads, dry_run=dry_run, keep=keep, anyway=anyway)
    repetition = reproduce(Project.find(), wish, lambda line: print(line, flush=True))
    if repetition is None:
        print("Nothing was trained. Next: the same without --dry-run.")
        return
    print("\n".join(_result(repetition)))
    if repetition.verdict.grade == Grade.DIFFERS:
        sys.exit(1)


def _result(repetition: "Repetition") -> list[str]:
    record, verdict, folder = repetition.record, repetition.verdict, repetition.folder
    lines = [f"Verdict: {verdict.grade.value}", *(f"  {line}" for line in _reasons(verdict))]
    if record.trial is None:
        lines.append("  The test set was scored again, as the run has it: that is no new estimate.")
    if folder is None:
        return [*lines, "The worktree is removed; --keep leaves it. Next: `tandem ui` shows the run."]
    remove = f"git worktree remove --force {folder}"
    return [*lines, f"{folder}: runs/ has its outputs, mlruns/ its run", f"Next: look at them; then `{remove}`."]


def _reasons(verdict: "Verdict") -> list[str]:
    from experiments.reproduce.verdict import LEAST_OTHERS, Grade

    if verdict.grade == Grade.SAME:
        lines = [f"{verdict.compared} of {verdict.compared} digests, losses and metrics are those of the record."]
        if verdict.first:
            lines = [f"All but one: {verdict.first}. It changes no bit of the result."]
        if not verdict.weights_known:
            lines.append("The record has no digest of the final weights: an older version made it.")
        return lines
    lines = [f"First to part: {verdict.first} ({len(verdict.parted)} of {verdict.compared} part)."]
    for name, (then, now, width) in verdict.finals.items():
        spread = f"; over {len(verdict.seeds) + 1} seeds it ranges by {width:.2g}" if verdict.seeds else ""
        lines.append(f"{name}: {then:.6g} in the record, {now:.6g} now, difference {now - then:+.2g}{spread}.")
    if len(verdict.seeds) < LEAST_OTHERS:
        lines.append(
            f"MLflow has {len(verdict.seeds)} run(s) of this training with other seeds; a spread needs {LEAST_OTHERS}."
        )
    return lines


def trial(
    recipe: str,
    backend: str,
    seed: int,
    objective: Annotated[str, typer.Option()],
    epochs: Annotated[int | None, typer.Option(min=1)] = None,
) -> None:
    """Train a recipe as a sweep's trial; `tandem reproduce` runs it in a worktree."""
    project, params = load_project()
    from experiments.frameworks import backend_name
    from experiments.reproduce.trial import train_trial
    from experiments.settings.project import RunKey

    train_trial(project, params, RunKey(recipe, backend_name(backend), seed), objective=objective, epochs=epochs)
