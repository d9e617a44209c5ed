"""A worker's pulse, while it trains: Optuna's table of heartbeats, which `study.optimize` would keep."""

import contextlib
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import optuna
from sqlalchemy.exc import SQLAlchemyError

from experiments.sweep.queue import record_pulse

INTERVAL_SECONDS = 30
# How long a worker of another machine may be silent before its trial is given to somebody else.
SILENCE_SECONDS = 150


@contextmanager
def pulse(study: optuna.Study, trials: Sequence[optuna.Trial], *, every: float = INTERVAL_SECONDS) -> Iterator[None]:
    """Note every `every` seconds that the trials are being worked on."""
    ended = threading.Event()

    def beat() -> None:
        while not ended.wait(every):
            for trial in trials:
                # A database that is away for a moment is no reason to stop; the silence is long enough.
                with contextlib.suppress(SQLAlchemyError, optuna.exceptions.StorageInternalError):
                    record_pulse(study, trial._trial_id)

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
