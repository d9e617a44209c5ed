"""Runs that were left open: by a process that was killed, or before a reboot. They are marked as KILLED."""

from mlflow import MlflowClient
from mlflow.entities import Run

from experiments.system.console import warn
from experiments.system.errors import TandemError
from experiments.tracking.owner import BOOT_ID, NAMESPACE, is_abandoned, owner, owner_tags
from experiments.tracking.runs import find_run, search

CLOSED_BECAUSE, PROCESS_GONE, BY_HAND = "tandem.closed_because", "its process is gone", "a user closed it"


def close_abandoned(run: Run) -> bool:
    """Mark a run as KILLED if it is abandoned, and return whether it was."""
    if not is_abandoned(run):
        return False
    # Read after the process was seen to be gone: it may have ended the run right before, and can't change it any more.
    now = MlflowClient().get_run(run.info.run_id)
    if now.info.status != "RUNNING" or owner(now) != owner(run):
        return False
    _close(run.info.run_id, PROCESS_GONE)
    return True


def close_abandoned_runs(experiment: str) -> list[str]:
    """Mark as KILLED the RUNNING runs whose processes are known to be gone, and return their ids."""
    own = owner_tags()
    here = f"tags.`{BOOT_ID}` = '{own[BOOT_ID]}' and tags.`{NAMESPACE}` = '{own[NAMESPACE]}'"
    running = search(experiment, f"attributes.status = 'RUNNING' and {here}")
    closed = [run.info.run_id for run in running if close_abandoned(run)]
    for run_id in closed:
        warn(f"run {run_id} was left open by a process that was killed; it is marked as KILLED now")
    return closed


def close_run(run_id: str) -> None:
    """Mark a RUNNING run as KILLED, one whose process can't be judged from here: of before a reboot, of elsewhere.

    Raises:
        TandemError: the run isn't RUNNING, or its process is alive.
    """
    run = find_run(run_id)
    status = run.info.status if run else "not in MLflow"
    if run is None or status != "RUNNING":
        raise TandemError(f"--close: expected a run that is RUNNING; got {run_id}, which is {status}")
    if owner(run).liveness() == "alive":
        raise TandemError(f"--close: expected a run without a process; {run_id} has {owner(run).pid}: stop that first")
    _close(run_id, BY_HAND)


def _close(run_id: str, reason: str) -> None:
    MlflowClient().set_tag(run_id, CLOSED_BECAUSE, reason)
    MlflowClient().set_terminated(run_id, "KILLED")
