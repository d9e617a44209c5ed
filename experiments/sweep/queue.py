"""The exact budget: every trial of a study exists from the beginning, waiting, and is taken by one worker at a time.

WAITING → RUNNING → COMPLETE, PRUNED or FAIL. A trial whose worker is gone goes back to WAITING, with its parameters,
its MLflow run and its checkpoint. Trials are added by one process alone, the launcher, so that there are as many as
asked for.
"""

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from datetime import datetime

import optuna
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.exc import SQLAlchemyError

from experiments.system.processes import ProcessId

# What a trial knows of the process that trains it, of those that died in doing so, and of its end.
OWNER, DEATHS, REASON = "owner", "deaths", "failed_because"
# How the reason of a trial begins that failed by no fault of its own.
LOST = "its worker died"
# When its owner took it, as the storage has it: an older owner is not the one that has it now.
SINCE = "since"
# The seed of a trial that has one of its own.
SEED = "seed"
# How many finished trials a study is to have.
BUDGET = "budget"
# How long a worker may take to write its mark on a trial.
GRACE_SECONDS = 30
# How often a worker notes that it is at work, and how long one of another machine may be silent before its trial is
# given to somebody else.
PULSE_SECONDS, SILENCE_SECONDS = 30, 150
DONE = (TrialState.COMPLETE, TrialState.PRUNED)
OPEN = (TrialState.WAITING, TrialState.RUNNING)
Choose = Callable[[Sequence[FrozenTrial]], Sequence[FrozenTrial]]


def claim(study: optuna.Study, most: int = 1, choose: Choose = lambda waiting: waiting) -> list[optuna.Trial]:
    """Take up to `most` of the waiting trials that `choose` returns, in its order; none if there are none."""
    storage = study._storage
    taken: list[optuna.Trial] = []
    for trial in choose(study.get_trials(deepcopy=False, states=(TrialState.WAITING,))):
        if len(taken) == most:
            break
        try:
            # True for one process alone: the storage compares and sets in one transaction.
            mine = storage.set_trial_state_values(trial._trial_id, TrialState.RUNNING)
        except optuna.exceptions.UpdateFinishedTrialError:
            continue
        if mine:
            try:
                _sign(study, trial._trial_id)
                taken.append(optuna.Trial(study, trial._trial_id))
            except BaseException:  # a stop, in the wrong moment
                put_back(study, trial._trial_id)
                raise
    return taken


def _sign(study: optuna.Study, trial_id: int) -> None:
    """Write on a trial that was just taken who has it, and since when."""
    # Before the owner: the pulse of whoever had it before may be an old one.
    _record_pulse(study, trial_id)
    since = study._storage.get_trial(trial_id).datetime_start
    study._storage.set_trial_user_attr(trial_id, OWNER, {**asdict(ProcessId.own()), SINCE: str(since)})


def _record_pulse(study: optuna.Study, trial_id: int) -> None:
    """Note it by the database's clock, for processes of other machines to see."""
    study._storage.record_heartbeat(trial_id)  # type: ignore[attr-defined]


@contextlib.contextmanager
def pulse(study: optuna.Study, trial: optuna.Trial, *, every: float = PULSE_SECONDS) -> Iterator[None]:
    """Note every `every` seconds, in Optuna's table of heartbeats, that the trial is being worked on."""
    ended = threading.Event()

    def beat() -> None:
        while not ended.wait(every):
            # A database that is away for a moment is no reason to stop; the silence is long enough.
            with contextlib.suppress(SQLAlchemyError, optuna.exceptions.StorageInternalError):
                _record_pulse(study, trial._trial_id)

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def put_back(study: optuna.Study, trial_id: int) -> None:
    """Let a running trial wait again, with all that it has."""
    study._storage.set_trial_state_values(trial_id, TrialState.WAITING)


def _is_signed(trial: FrozenTrial) -> bool:
    """Return whether the owner that a running trial names is the one that took it last."""
    owner = trial.user_attrs.get(OWNER)
    return owner is not None and owner[SINCE] == str(trial.datetime_start)


def is_mine(study: optuna.Study, trial_id: int) -> bool:
    """Return whether this process has the trial: one that was thought dead may have lost it to another."""
    trial = study._storage.get_trial(trial_id)
    mine = trial.state == TrialState.RUNNING and _is_signed(trial)
    return mine and ProcessId.read(trial.user_attrs[OWNER]) == ProcessId.own()


def orphans(study: optuna.Study) -> Iterator[FrozenTrial]:
    """Yield the running trials whose process is gone: not there, or, on another machine, without a pulse."""
    silent = set(study._storage._get_stale_trial_ids(study._study_id))  # type: ignore[attr-defined]
    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        if not _is_signed(trial):
            # Being taken right now, or its taker died in that moment.
            begun = trial.datetime_start
            gone = begun is not None and (datetime.now() - begun).total_seconds() > GRACE_SECONDS
        else:
            owner = ProcessId.read(trial.user_attrs[OWNER]).liveness()
            gone = owner == "gone" or (owner == "unknown" and trial._trial_id in silent)
        if gone:
            yield trial


def recover(study: optuna.Study, *, retries: int, blame: bool = True) -> tuple[list[int], list[int]]:
    """Put the orphans back; one that has lost more than `retries` workers fails. Return the numbers of both.

    `blame`: count the loss. For one process of a study alone, its launcher.
    """
    back, failed = [], []
    storage = study._storage
    for trial in list(orphans(study)):
        deaths = list(trial.user_attrs.get(DEATHS, []))
        death = trial.user_attrs.get(OWNER) if _is_signed(trial) else {SINCE: str(trial.datetime_start)}
        if blame and death not in deaths:  # a launcher that was killed right after the next line counts none twice
            deaths.append(death)
            storage.set_trial_user_attr(trial._trial_id, DEATHS, deaths)
        if len(deaths) > retries:
            storage.set_trial_user_attr(trial._trial_id, REASON, f"{LOST} {len(deaths)} times")
            storage.set_trial_state_values(trial._trial_id, TrialState.FAIL)
            failed.append(trial.number)
        else:
            put_back(study, trial._trial_id)
            back.append(trial.number)
    return back, failed


def room(study: optuna.Study) -> int:
    """Return how many trials may still be taken: the budget less those that are finished or running.

    Less than zero: two workers took the last one in the same moment. A budget that was lowered leaves trials waiting.
    """
    taken = len(study.get_trials(deepcopy=False, states=(*DONE, TrialState.RUNNING)))
    return int(study.user_attrs.get(BUDGET, taken + 1)) - taken


def fill(study: optuna.Study, budget: int) -> int:
    """Add waiting trials until finished, running and waiting ones are as many as the budget; return how many."""
    if study.user_attrs.get(BUDGET) != budget:
        study.set_user_attr(BUDGET, budget)
    missing = budget - len(study.get_trials(deepcopy=False, states=(*DONE, *OPEN)))
    for _ in range(missing):
        study.enqueue_trial({})
    return max(missing, 0)


def finished(study: optuna.Study) -> int:
    """Return how many trials count: complete and pruned ones."""
    return len(study.get_trials(deepcopy=False, states=DONE))
