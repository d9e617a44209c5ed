"""Turns signals into an exception, so that whatever is open is closed on the way out."""

import os
import signal
import threading
import time
from types import FrameType

from experiments.system.errors import Stopped

POLL_SECONDS = 0.5
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_asked: list[int] = []


def raise_on_signals() -> None:
    """Raise `Stopped` in the main thread on Ctrl-C, SIGTERM, or the end of terminal or parent.

    A second signal ends the process at once, whatever is still open.
    """
    for number in SIGNALS:
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # under nohup, it is to be ignored
            signal.signal(number, _raise)
    if "DVC_STAGE" in os.environ:
        threading.Thread(target=_follow_parent, args=(os.getppid(),), daemon=True).start()


def raise_if_asked() -> None:
    """Raise `Stopped` if a signal has come whose exception was lost.

    Python drops one that is raised while a callback of the garbage collector runs, and Dask has such a callback.
    """
    if _asked:
        raise Stopped(_asked[0])


def _raise(number: int, frame: FrameType | None) -> None:
    _asked.append(number)
    for each in SIGNALS:
        if signal.getsignal(each) is _raise:
            signal.signal(each, _end_now)
    raise Stopped(number)


def _end_now(number: int, frame: FrameType | None) -> None:
    # A Ctrl-C reaches a whole group of processes, and the parent passes it on as SIGTERM: no second wish of a user's.
    if number == signal.SIGTERM and "DVC_STAGE" in os.environ:
        return
    os._exit(128 + number)


def _follow_parent(parent: int) -> None:
    # A killed `dvc repro` leaves its stage behind, which would train beside the one that the next repro starts.
    while os.getppid() == parent:
        time.sleep(POLL_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)
