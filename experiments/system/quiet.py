"""Keeps the notes of native libraries to their developers off the screen."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quiet_native_stderr() -> Iterator[None]:
    """Hold back what native code writes to standard error, and write it after all if the block fails.

    TensorFlow's libraries log how they were built before any setting of theirs (TF_CPP_MIN_LOG_LEVEL included) is
    read, and report versions of operations that don't matter as errors.
    """
    sys.stderr.flush()
    saved = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            held.seek(0)
            os.write(saved, held.read())
            raise
        finally:
            os.dup2(saved, 2)
            os.close(saved)
