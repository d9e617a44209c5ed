"""Independent random streams, all derived from one seed.

Each use has its own stream, named by a key, so that drawing more numbers for one use changes no other.
NumPy spawns them (`SeedSequence`, which is made for this), the same on every machine.
"""

import zlib

import numpy as np


def stream(seed: int, use: str, number: int = 0) -> np.random.SeedSequence:
    """Return the seeds of the stream for a use (`weights of conv1/bias`) and, within it, a number such as the epoch."""
    return np.random.SeedSequence(seed, spawn_key=(zlib.crc32(use.encode()), number))


def dropout_seed(seed: int, epoch: int) -> int:
    """Return the seed of a framework's own generator at the start of an epoch, 0 to 2³¹ - 1.

    Seeding it again in each epoch lets a training resume at an epoch without the state of the generator.
    """
    return int(stream(seed, "dropout", epoch).generate_state(1)[0] >> 1)
