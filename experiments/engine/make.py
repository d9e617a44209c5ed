"""Makes the engine of a name."""

from pathlib import Path

from experiments.engine.dask import DaskEngine
from experiments.engine.engine import Engine
from experiments.engine.gpus import share_gpus
from experiments.engine.inline import InlineEngine
from experiments.engine.jobs import JobPlaces
from experiments.engine.places import LocalPlaces
from experiments.engine.script import Request
from experiments.settings.engines import EngineName, Engines


def make_engine(
    name: EngineName, settings: Engines, *, workers: int, threads: int, folder: Path, gpus: bool = True
) -> Engine:
    """Return an engine of so many workers, which is not started yet.

    `threads` are those of a worker on this machine; one in a job has as many as `cpus`. `folder` holds the engine's
    keys, logs and small files; the nodes of a cluster share its path, and no other engine uses it at the same time.
    `gpus` tells whether workers on this machine use its GPUs.

    Raises:
        TandemError: the settings leave no room for so many workers, or a path has a space.
    """
    if name == "inline":
        return InlineEngine()
    folder = folder.absolute()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if name == "local":
        shared = share_gpus(workers, settings.local.workers_per_gpu) if gpus else []
        return DaskEngine(LocalPlaces(workers, shared, threads, folder), folder)
    return DaskEngine(JobPlaces(Request.of(name, settings, workers, folder)), folder)
