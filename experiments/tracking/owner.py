"""Which process writes a run: tags say it, so that others can tell, later, whether that process still exists."""

from dataclasses import asdict

from mlflow.entities import Run

from experiments.system.processes import ProcessId

BOOT_ID, NAMESPACE, PID, STARTED = (f"tandem.{name}" for name in ("boot_id", "pid_namespace", "pid", "process_started"))
_TAGS = {"boot_id": BOOT_ID, "pid_namespace": NAMESPACE, "pid": PID, "started": STARTED}


def owner_tags() -> dict[str, str]:
    """Return tags that say which process writes a run: this one."""
    return {_TAGS[name]: str(value) for name, value in asdict(ProcessId.own()).items()}


def owner(run: Run) -> ProcessId:
    """Return the process that writes a run, or wrote it last."""
    return ProcessId.read({name: run.data.tags[tag] for name, tag in _TAGS.items() if tag in run.data.tags})


def is_abandoned(run: Run) -> bool:
    """Return whether a run is RUNNING although its process is known to be gone."""
    return run.info.status == "RUNNING" and owner(run).liveness() == "gone"
