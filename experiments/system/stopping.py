"""Turns signals into an exception, so that whatever is open is closed on the way out."""

import os
import signal
import threading
import time
from types import FrameType

from experiments.system.errors import Stopped

POLL_SECONDS = 0.5
# The number of the process that one must not outlive, set by that one, its starter.
FOLLOW = "TANDEM_FOLLOW_PARENT"


def raise_on_signals() -> None:
    """Raise `Stopped` in the main thread on Ctrl-C, SIGTERM, or when the parent is gone that must not be outlived."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _raise)
    if "DVC_STAGE" in os.environ or FOLLOW in os.environ:
        # Asked for here, it could be another already: its starter may have been killed in the meantime.
        parent = int(os.environ.get(FOLLOW) or os.getppid())
        threading.Thread(target=_follow_parent, args=(parent,), daemon=True).start()


def _raise(number: int, frame: FrameType | None) -> None:
    # The first one is on its way; a second, of either kind, must not disturb the closing. Not SIG_IGN: Python prints an
    # error for a signal that came just before.
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, _ignore)
    raise Stopped(number)


def _ignore(number: int, frame: FrameType | None) -> None:
    pass


def _follow_parent(parent: int) -> None:
    # A killed `dvc repro` leaves its stage behind, which would go on beside the one that the next repro starts.
    while os.getppid() == parent:
        time.sleep(POLL_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)
