"""The job that holds workers, as dask-jobqueue makes it of the settings; nothing is submitted here."""

import signal
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from experiments.engine.configure import configure, use_file
from experiments.engine.places import worker_options
from experiments.engine.security import key_files
from experiments.settings.engines import EngineName, Engines, Queue, Slurm
from experiments.system.errors import TandemError

# Workers that can't reach the controller for so long end.
DEATH_SECONDS = 60
BYTES = {"M": "MiB", "G": "GiB"}


@dataclass(frozen=True)
class Request:
    """Jobs that hold so many workers in all; `folder` is on a path that the nodes share."""

    engine: EngineName
    settings: Slurm | Queue
    workers: int
    folder: Path

    @classmethod
    def of(cls, engine: EngineName, settings: Engines, workers: int, folder: Path) -> "Request":
        """Return the request that the settings make.

        Raises:
            TandemError: a path has a space, which the job's command can't have.
        """
        for path in (folder, Path(sys.executable)):
            if any(letter.isspace() for letter in str(path)):
                raise TandemError(f"engines.{engine}: expected paths without spaces; got {path}", advice="move it")
        kinds_of_job()
        return cls(engine, getattr(settings, engine), workers, folder)

    @property
    def jobs(self) -> int:
        """The number of jobs: as few as the workers fit into."""
        return -(-self.workers // self.settings.workers_per_job)

    def name(self, place: int) -> str:
        """Return the name of a job, which stays when it is replaced."""
        return f"{self.engine}-{place}"

    def workers_of(self, place: int) -> int:
        """Return the number of a job's workers; the last job may have fewer than the others."""
        each = self.settings.workers_per_job
        return min(each, self.workers - place * each)


@cache
def kinds_of_job() -> dict[EngineName, Any]:
    """Return dask-jobqueue's classes; called for the first time in the main thread."""
    configure()  # dask-jobqueue writes into the user's home otherwise
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    from dask_jobqueue import config, lsf, pbs, sge, slurm

    use_file(Path(config.__file__).with_name("jobqueue.yaml"))
    for number, handler in handlers.items():  # and it takes the signals to itself
        signal.signal(number, handler)
    return {"slurm": slurm.SLURMJob, "pbs": pbs.PBSJob, "lsf": lsf.LSFJob, "sge": sge.SGEJob}


def job_script(request: Request, address: str = "tls://CONTROLLER:PORT", place: int = 0) -> str:
    """Return the exact text of a job, but for the controller's address, which is known once it runs."""
    return str(make_job(request, address, place).job_script())


def make_job(request: Request, address: str, place: int) -> Any:
    """Return dask-jobqueue's object of a job: `start` submits it."""
    settings = request.settings
    memory = f"{settings.memory_per_job[:-1]}{BYTES[settings.memory_per_job[-1]]}"
    common = {
        "job_name": f"tandem-{request.name(place)}",
        "cores": settings.cpus * settings.workers_per_job,
        "memory": memory,
        "processes": 1,
        "python": sys.executable,
        "worker_command": "experiments.engine.crew",
        "worker_extra_args": _arguments(request, place),
        "death_timeout": DEATH_SECONDS,
        "project" if request.engine in ("lsf", "sge") else "account": settings.account,
        "job_script_prologue": list(settings.setup),
    }
    special = _slurm(settings, request.folder) if isinstance(settings, Slurm) else _queue(request, settings)
    return kinds_of_job()[request.engine](address, request.name(place), **{**common, **special})


def _arguments(request: Request, place: int) -> list[str]:
    """Return the options of experiments.engine.crew, and behind them those of its workers."""
    settings = request.settings
    options = {
        "--workers": request.workers_of(place),
        "--workers-per-gpu": settings.workers_per_gpu if settings.gpus else 0,
        "--threads": settings.cpus,
        # Of the time limit, the lines before have used some.
        "--seconds": f"$(({settings.seconds}-SECONDS))",
    }
    words = [str(word) for pair in options.items() for word in pair]
    return [*words, *worker_options(key_files(request.folder), settings.scratch)]


def _slurm(settings: Slurm, folder: Path) -> dict[str, Any]:
    # A requeued job would be one beside the one that replaces it.
    directives = [f"--output={folder}/logs/%x-%j.log", "--no-requeue"]
    wishes = {"gres": f"gpu:{settings.gpus}" if settings.gpus else None, "qos": settings.qos}
    wishes["constraint"] = settings.constraint
    directives += [f"--{name}={wish}" for name, wish in wishes.items() if wish]
    return {
        "queue": settings.partition,
        "walltime": settings.time,
        "job_mem": settings.memory_per_job,
        "job_extra_directives": [*directives, *settings.directives],
    }


def _queue(request: Request, settings: Queue) -> dict[str, Any]:
    cpus, gpus, memory = settings.cpus * settings.workers_per_job, settings.gpus, settings.memory_per_job
    select = f"select=1:ncpus={cpus}:mem={memory}B" + (f":ngpus={gpus}" if gpus else "")
    special: dict[str, dict[str, Any]] = {
        "pbs": {"resource_spec": select},
        "lsf": {"walltime": settings.time.rpartition(":")[0], "use_stdin": True},
    }
    logs = f"{request.folder}/logs"
    directives = {
        "pbs": ["-j oe", f"-o {logs}/"],
        "lsf": [f"-o {logs}/%J.log", *([f"-gpu num={gpus}"] if gpus else [])],
        "sge": [f"-o {logs}/", *([f"-l gpu={gpus}"] if gpus else [])],
    }[request.engine]
    return {
        "queue": settings.queue,
        "walltime": settings.time,
        "job_extra_directives": [*directives, *settings.directives],
        **special.get(request.engine, {}),
    }
