"""Which GPU each worker gets."""

import itertools
import os
import subprocess
from collections.abc import Mapping, Sequence

from experiments.system.errors import TandemError

VARIABLE = "CUDA_VISIBLE_DEVICES"


def visible_gpus(environment: Mapping[str, str] = os.environ) -> list[str]:
    """Return the GPUs that this process may use, as CUDA names them; frameworks are not asked, they take seconds."""
    if VARIABLE in environment:
        named = (gpu.strip() for gpu in environment[VARIABLE].split(","))
        # CUDA sees those before the first that there is not: -1 hides all.
        return list(itertools.takewhile(lambda gpu: gpu and not gpu.startswith("-"), named))
    try:
        done = subprocess.run(["nvidia-smi", "--list-gpus"], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return []
    count = sum(line.startswith("GPU ") for line in done.stdout.splitlines()) if done.returncode == 0 else 0
    return [str(number) for number in range(count)]


def share_gpus(workers: int, gpus: Sequence[str], *, gpus_per_worker: float) -> list[str]:
    """Return a GPU for each worker, in turn.

    Raises:
        TandemError: there are more workers than the GPUs have room for.
    """
    each = int(1 / gpus_per_worker + 1e-9)
    if workers > each * len(gpus):
        raise TandemError(
            f"--workers: expected at most {each * len(gpus)}, since there are {len(gpus)} GPU(s) and "
            f"sweep.gpus_per_worker is {gpus_per_worker:g}; got {workers}; lower either of them"
        )
    return [gpus[worker % len(gpus)] for worker in range(workers)]
