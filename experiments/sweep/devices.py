"""Which GPU each worker gets."""

import itertools
import os
import subprocess
from collections.abc import Mapping

from experiments.settings.params import Params
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


def share_gpus(params: Params, workers: int) -> list[str]:
    """Return a GPU for each worker, in turn; none on a machine without one.

    Raises:
        TandemError: there are more workers than the GPUs have room for.
    """
    gpus = visible_gpus() if params.train.device != "cpu" else []
    share = params.sweep.gpus_per_worker
    room = int(1 / share + 1e-9) * len(gpus)
    if gpus and workers > room:
        raise TandemError(
            f"--workers: expected at most {room}, since there are {len(gpus)} GPU(s) and "
            f"sweep.gpus_per_worker is {share:g}; got {workers}; lower either of them"
        )
    return list(itertools.islice(itertools.cycle(gpus), workers))
