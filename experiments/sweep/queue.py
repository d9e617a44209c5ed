"""The exact budget: every trial of a study exists from the beginning, waiting, and is taken by one worker at a time.

WAITING → RUNNING → COMPLETE, PRUNED or FAIL. A trial whose worker is gone goes back to WAITING, with its parameters,
its MLflow run and its checkpoint. Trials are added by one process alone, the launcher, so that there are as many as
asked for.
"""

import socket
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import optuna
import psutil
from optuna.trial import FrozenTrial, TrialState

# What a trial knows of the process that trains it, and of those before.
OWNER, DEATHS, REASON = "owner", "deaths", "failed_because"
# How long a worker may take to write its mark on a trial.
GRACE_SECONDS = 30
DONE = (TrialState.COMPLETE, TrialState.PRUNED)


def owner() -> dict[str, Any]:
    """Return what tells this process from every other."""
    process = psutil.Process()
    return {"host": socket.gethostname(), "pid": process.pid, "started": round(process.create_time(), 2)}


def is_alive(mark: Mapping[str, Any] | None) -> bool:
    """Return whether the process of a mark is there; one of another machine is taken to be."""
    if mark is None:
        return False
    if mark["host"] != socket.gethostname():
        return True
    try:
        process = psutil.Process(mark["pid"])
        # A number is given to a new process in time; the start tells them apart.
        return bool(abs(process.create_time() - mark["started"]) < 1 and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def claim(study: optuna.Study, most: int = 1) -> list[optuna.Trial]:
    """Take up to `most` waiting trials; none if there are none."""
    storage = study._storage
    taken: list[optuna.Trial] = []
    for trial in study.get_trials(deepcopy=False, states=(TrialState.WAITING,)):
        if len(taken) == most:
            break
        try:
            # True for one process alone: the storage compares and sets in one transaction.
            mine = storage.set_trial_state_values(trial._trial_id, TrialState.RUNNING)
        except optuna.exceptions.UpdateFinishedTrialError:
            continue
        if mine:
            storage.set_trial_user_attr(trial._trial_id, OWNER, owner())
            taken.append(optuna.Trial(study, trial._trial_id))
    return taken


def put_back(study: optuna.Study, trial: FrozenTrial) -> None:
    """Let a running trial wait again, with all that it has but its owner."""
    # First: whoever takes it next must not be taken for the one before.
    study._storage.set_trial_user_attr(trial._trial_id, OWNER, None)
    study._storage.set_trial_state_values(trial._trial_id, TrialState.WAITING)


def orphans(study: optuna.Study) -> Iterator[FrozenTrial]:
    """Yield the running trials whose process is gone."""
    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        mark = trial.user_attrs.get(OWNER)
        if mark is None and trial.datetime_start is not None:
            # Being taken right now, or its taker died in that moment.
            if (datetime.now() - trial.datetime_start).total_seconds() > GRACE_SECONDS:
                yield trial
        elif not is_alive(mark):
            yield trial


def recover(study: optuna.Study, *, retries: int) -> tuple[list[int], list[int]]:
    """Put the orphans back; one that has lost more than `retries` workers fails. Return the numbers of both.

    For one process of a study alone, its launcher.
    """
    back, failed = [], []
    storage = study._storage
    for trial in list(orphans(study)):
        deaths = trial.user_attrs.get(DEATHS, 0) + 1
        storage.set_trial_user_attr(trial._trial_id, DEATHS, deaths)
        if deaths > retries:
            storage.set_trial_user_attr(trial._trial_id, REASON, f"its worker died {deaths} times")
            storage.set_trial_state_values(trial._trial_id, TrialState.FAIL)
            failed.append(trial.number)
        else:
            put_back(study, trial)
            back.append(trial.number)
    return back, failed


def fill(study: optuna.Study, budget: int) -> int:
    """Add waiting trials until finished, running and waiting ones are as many as the budget; return how many."""
    open_states = (*DONE, TrialState.RUNNING, TrialState.WAITING)
    missing = budget - len(study.get_trials(deepcopy=False, states=open_states))
    for _ in range(missing):
        study.enqueue_trial({})
    return max(missing, 0)


def finished(study: optuna.Study) -> int:
    """Return how many trials count: complete and pruned ones."""
    return len(study.get_trials(deepcopy=False, states=DONE))
