"""What is done and found in the new worktree before anything is trained: changes, data, code."""

from collections.abc import Iterator
from pathlib import Path

from experiments.data.dataset import load_dataset
from experiments.reproduce.again import call
from experiments.reproduce.finding import Finding
from experiments.reproduce.record import Record
from experiments.reproduce.worktree import apply_changes
from experiments.settings.project import Project
from experiments.system.errors import TandemError
from experiments.system.files import read_json
from experiments.training.code import digest_of, digest_with


def restore_changes(root: Path, record: Record) -> Iterator[Finding]:
    """Apply the uncommitted changes that a run had, and yield what can be said of them."""
    changes = record.changes
    if changes.diff:
        problem = apply_changes(root, changes.diff)
        if problem:
            yield Finding("changes", "refuses", f"expected git.diff to apply; got: {problem}", "see the file in MLflow")
            return
        yield Finding("changes", "ok", f"{len(changes.diff.splitlines())} lines of git.diff applied")
    elif changes.missing:
        yield Finding("changes", "warns", f"not recorded ({changes.missing})", "`code` says whether they matter")
    else:
        yield Finding("changes", "ok", "none")
    if changes.untracked != "none":
        text = f"code that Git didn't know is not recorded: {changes.untracked}"
        yield Finding("untracked", "warns", text, "`code` says whether it matters")


def provide_data(project: Project, root: Path, record: Record) -> Finding:
    """Link prepared/ into the worktree, or make it there from data/, as the run's commit does."""
    expected, there = record.trace.data, Project(root, root)
    got = _fingerprint(project.prepared)
    if got == expected:
        there.prepared.symlink_to(project.prepared)
        return Finding("data", "ok", f"prepared/ has fingerprint {expected[:12]}")
    made = ""
    if project.data.is_dir():
        there.data.symlink_to(project.data)
        made = _fingerprint(there.prepared) if call(root, "preprocess").returncode == 0 else "an error"
        if made == expected:
            return Finding("data", "ok", f"made again from data/: fingerprint {expected[:12]}")
    return Finding(
        "data",
        "refuses",
        f"expected fingerprint {expected[:12]}; got {got[:12] or 'none'} in prepared/"
        f" and {made[:12] or 'no data/ to make it from'}{' from data/' if made else ''}",
        f"bring back data.dvc and the section `preprocess` of params.yaml (`git diff {record.commit[:8]} -- data.dvc "
        "params.yaml`), then run `dvc repro preprocess`",
    )


def link_weights(project: Project, root: Path, record: Record) -> None:
    """Link the file of weights that a run has started from into the worktree; training checks its digest."""
    file = record.settings.get("weights", "")
    if file and not Path(file).is_absolute() and not (root / file).exists():
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).symlink_to(project.home / file)


def _fingerprint(folder: Path) -> str:
    """Return the fingerprint of a prepared dataset; empty if it is missing, damaged or changed."""
    try:
        return load_dataset(folder).fingerprint
    except TandemError:
        return ""


def compare_code(root: Path, record: Record) -> tuple[Finding, str]:
    """Return a finding on the code in the worktree, and its digest, as it were with the versions of the record."""
    done = call(root, "sources")
    file = Project(root, root).sources / record.key.recipe / f"{record.key.backend}.json"
    if done.returncode != 0 or not file.is_file():
        said = (done.stderr.strip().splitlines() or ["it wrote no sources/"])[-1]
        text = f"expected code that runs; got: {said}"
        return Finding("code", "refuses", text, "see `changes` and `untracked`"), ""
    code = read_json(file)
    digest = digest_of(code)
    if digest != record.trace.code:
        digest = digest_with(code, record.versions)
    if digest == record.trace.code:
        return Finding("code", "ok", f"what trains has digest {digest}, as then"), digest
    text = f"expected what trains to have digest {record.trace.code}; got {digest}"
    remedy = "what the run was trained with is not recorded: see `changes` and `untracked`"
    return Finding("code", "refuses", text, remedy, anyway=True), digest
