"""What the record of a run has to have, so that the run can be trained again."""

from experiments.system.errors import TandemError
from experiments.tracking.runs import Run

_TAGS = ("recipe", "backend", "seed", "git_commit", "git_dirty", "device", "dataset_fingerprint")
_PARAMS = ("code", "threads", "initial_weights", "batch_order", "epochs")


def check_complete(run: Run) -> None:
    """Make sure that a run has what it takes to train it again.

    Raises:
        TandemError: it isn't that of a training that has ended, or lacks something.
    """
    tags, params = run.data.tags, run.data.params
    kind = tags.get("kind")
    if kind in ("sweep", "confirmation"):
        raise lacks(run, f"a training; this is a {kind}", "name the run of one of its trials")
    diverged = tags.get("trial_state", "").startswith("diverged")
    if run.info.status != "FINISHED" and not diverged:
        raise lacks(run, f"a training that has ended; this one is {run.info.status}", "resume it, or name another")
    missing = [f"the tag {name}" for name in _TAGS if name not in tags]
    missing += [f"the parameter {name}" for name in _PARAMS if name not in params]
    if missing or "train/step_loss" not in run.data.metrics:
        raise lacks(run, ", ".join(missing or ["losses"]), "an older version made it: train it anew")
    if tags["git_commit"] == "none":
        raise lacks(run, "a commit: it was made outside Git", "commit the code, and train it anew")


def lacks(run: Run, expected: str, remedy: str) -> TandemError:
    """Return the error of a run whose record isn't what it has to be."""
    name = f"RUN: {run.info.run_name} ({run.info.run_id})"
    return TandemError(f"{name}: expected a record with {expected}; {remedy}")
