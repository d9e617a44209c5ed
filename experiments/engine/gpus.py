"""Which GPU each worker sees."""

import itertools
import os
import subprocess
from collections.abc import Mapping

from experiments.system.errors import TandemError

GPUS = "CUDA_VISIBLE_DEVICES"


def visible_gpus(environment: Mapping[str, str] = os.environ) -> list[str]:
    """Return the GPUs that this process may use, as CUDA names them; frameworks are not asked, they take seconds."""
    if GPUS in environment:
        named = (gpu.strip() for gpu in environment[GPUS].split(","))
        # CUDA sees those before the first that there is not: -1 hides all.
        return list(itertools.takewhile(lambda gpu: gpu and not gpu.startswith("-"), named))
    try:
        done = subprocess.run(["nvidia-smi", "--list-gpus"], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return []
    count = sum(line.startswith("GPU ") for line in done.stdout.splitlines()) if done.returncode == 0 else 0
    return [str(number) for number in range(count)]


def share_gpus(workers: int, workers_per_gpu: int) -> list[str]:
    """Return a GPU for each worker, in turn; none on a machine without one.

    Raises:
        TandemError: there are more workers than the GPUs have room for.
    """
    gpus = visible_gpus()
    room = workers_per_gpu * len(gpus)
    if gpus and workers > room:
        raise TandemError(
            f"--workers: expected at most {room}, since there are {len(gpus)} GPU(s) and "
            f"engines.local.workers_per_gpu is {workers_per_gpu}; got {workers}",
            advice="lower it, or raise the setting",
        )
    return list(itertools.islice(itertools.cycle(gpus), workers))
