"""Independent random streams that all hang on one seed.

Each use has a stream of its own, named by a key, so that drawing more in one place changes nothing in another.
NumPy spawns them (`SeedSequence`, which is made for this), the same on every machine.
"""

import zlib

import numpy as np


def stream(seed: int, use: str, number: int = 0) -> np.random.SeedSequence:
    """Return the seeds of the stream for a use (`weights of conv1/bias`), and for an epoch or the like of it."""
    return np.random.SeedSequence(seed, spawn_key=(zlib.crc32(use.encode()), number))


def dropout_seed(seed: int, epoch: int) -> int:
    """Return what seeds a framework's own generator at the start of an epoch, 0 to 2³¹ - 1.

    Seeding it anew each epoch lets a training resume at an epoch without the state of the generator.
    """
    return int(stream(seed, "dropout", epoch).generate_state(1)[0] >> 1)
