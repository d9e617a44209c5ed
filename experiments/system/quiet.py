"""Keeps the output of native libraries and child processes off the screen."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def redirected(file: int, *descriptors: int) -> Iterator[None]:
    """Redirect file descriptors, those that child processes inherit, to a file (a descriptor too)."""
    sys.stdout.flush()
    sys.stderr.flush()
    saved = [os.dup(descriptor) for descriptor in descriptors]
    try:
        for descriptor in descriptors:
            os.dup2(file, descriptor)
        yield
    finally:
        for descriptor, original in zip(descriptors, saved, strict=True):
            os.dup2(original, descriptor)
            os.close(original)


@contextmanager
def quiet_native_stderr(*, shown_if_it_fails: bool = True) -> Iterator[None]:
    """Hold back what native code writes to standard error, and write it after all if the block fails.

    `shown_if_it_fails` is False where the caller makes one line of the exception.

    TensorFlow's libraries log how they were built before any setting of theirs (TF_CPP_MIN_LOG_LEVEL included) is
    read, and report versions of operations that don't matter as errors.
    """
    with tempfile.TemporaryFile() as held:
        try:
            with redirected(held.fileno(), 2):
                yield
        except BaseException:
            if shown_if_it_fails:
                held.seek(0)
                os.write(2, held.read())
            raise
