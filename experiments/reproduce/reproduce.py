"""`tandem reproduce`: the plan, the training in a worktree, the verdict."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from experiments.reproduce.again import command_of, train
from experiments.reproduce.finding import Finding, refuse
from experiments.reproduce.inside import compare_code, link_weights, provide_data, restore_changes
from experiments.reproduce.record import Record, find_run, read_record, read_trace
from experiments.reproduce.spread import other_seeds
from experiments.reproduce.surroundings import compare_surroundings
from experiments.reproduce.verdict import Trace, Verdict, judge
from experiments.reproduce.worktree import Worktree, checked_out, write_settings
from experiments.settings.project import Project
from experiments.system.console import say
from experiments.system.errors import Stopped, TandemError
from experiments.tracking.reader import open_reader, reader_of


@dataclass(frozen=True)
class Wish:
    """What the command line asks for.

    `run` is the id or the name of a run. `threads`: None takes the run's. `anyway`: although the same bits can't come
    of it.
    """

    run: str
    threads: int | None = None
    dry_run: bool = False
    keep: bool = False
    anyway: bool = False


@dataclass(frozen=True)
class Repetition:
    """What came of a repetition; `folder` is the worktree if it was kept."""

    record: Record
    verdict: Verdict
    folder: Path | None


def reproduce(project: Project, wish: Wish, show: Callable[[str], None]) -> Repetition | None:
    """Train a run again from its record in MLflow, in a worktree; return what came of it, None for a dry run.

    `show` gets the plan, line by line.

    Raises:
        TandemError: there is no such run, or something that it takes is missing; nothing was trained then.
    """
    reader = open_reader(project)
    run, line = find_run(reader, wish.run)
    record = read_record(reader, run)
    threads = wish.threads or record.threads
    show(f"{line}\n" * bool(line) + _title(record))
    _check(compare_surroundings(project, record, threads), wish, show)
    others = other_seeds(reader, record)
    with checked_out(project, record) as tree:
        code = _prepare(project, tree.root, record, wish, show)
        show(f"  {'trains':<9}{'':<11}tandem {' '.join(command_of(record))}")
        if wish.dry_run:
            return None
        tree.keep = wish.keep
        now = _train(tree, record)
    verdict = judge(record.trace, replace(now, code=code), others)
    return Repetition(record, verdict, tree.root if wish.keep else None)


def _title(record: Record) -> str:
    trial = f", trial {record.trial.number} of sweep {record.trial.sweep}" if record.trial else ""
    return f"{record.name} ({record.run_id}){trial}: took {record.seconds:.0f} s"


def _check(findings: Iterable[Finding], wish: Wish, show: Callable[[str], None]) -> None:
    known = list(findings)
    for each in known:
        show(str(each))
    refuse(known, anyway=wish.anyway)


def _prepare(project: Project, root: Path, record: Record, wish: Wish, show: Callable[[str], None]) -> str:
    """Make the worktree as the run had it; return the digest of its code.

    Raises:
        TandemError: that can't be done.
    """
    _check(restore_changes(root, record), wish, show)
    device = "cpu" if record.device == "cpu" else "auto" if wish.anyway else "gpu"
    write_settings(root, record, threads=wish.threads or record.threads, device=device)
    _check([provide_data(project, root, record)], wish, show)
    link_weights(project, root, record)
    finding, code = compare_code(root, record)
    _check([finding], wish, show)
    return code


def _train(tree: Worktree, record: Record) -> Trace:
    """Train, and return what the repetition's own record says."""
    root = tree.root
    if tree.keep:
        say(f"{root} stays")
    try:
        train(root, record)
    except Stopped:
        say("a repetition that was stopped isn't resumed: the next one begins again")
        raise
    reader = reader_of(Project(root, root))
    runs = reader.search("")
    if not runs:
        raise TandemError(f"{root}: expected a run in the worktree's mlruns/; got none; look at it with --keep")
    return read_trace(reader, runs[0])
