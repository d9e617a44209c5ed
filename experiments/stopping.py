"""Turns signals into an exception, so that whatever is open is closed on the way out."""

import os
import signal
import threading
import time
from types import FrameType

from experiments.errors import Stopped

POLL_SECONDS = 0.5


def raise_on_signals() -> None:
    """Raise `Stopped` in the main thread on Ctrl-C, SIGTERM, or (in a stage of DVC) when DVC is gone."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _raise)
    if "DVC_STAGE" in os.environ:
        threading.Thread(target=_follow_parent, args=(os.getppid(),), daemon=True).start()


def _raise(number: int, frame: FrameType | None) -> None:
    # The first one is on its way; a second, of either kind, must not disturb the closing.
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, signal.SIG_IGN)
    raise Stopped(number)


def _follow_parent(parent: int) -> None:
    # A killed `dvc repro` leaves its stage behind, which would go on beside the one that the next repro starts.
    while os.getppid() == parent:
        time.sleep(POLL_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)
