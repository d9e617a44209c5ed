"""Where trainings run: nothing here is science, and nothing here changes a digest."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, field_validator

from experiments.settings.recipe import Section

EngineName = Literal["inline", "local", "slurm", "pbs", "lsf", "sge"]


def _is_word(word: str) -> str:
    # It becomes a part of a line that a scheduler reads.
    if not re.fullmatch(r"[^\s'\"#]+", word):
        raise ValueError("a word without spaces and quotes")
    return word


Few = Annotated[int, Field(ge=1, le=1024)]
Word = Annotated[str, AfterValidator(_is_word)]


class Local(Section):
    """Workers on this machine."""

    workers_per_gpu: Few = 1


class Jobs(Section):
    """What a job asks a scheduler for; each job runs as many workers as its GPUs have room for, one without any."""

    account: Word | None = None
    time: str = "24:00:00"
    gpus: Annotated[int, Field(ge=0, le=64)] = 1
    workers_per_gpu: Few = 1
    cpus: Few = 4
    memory: str = "8G"
    setup: Annotated[tuple[str, ...], Field(strict=False)] = ()
    scratch: Word | None = None
    directives: Annotated[tuple[str, ...], Field(strict=False)] = ()
    host: Word | None = None

    @field_validator("time")
    @classmethod
    def _is_time(cls, time: str) -> str:
        parts = time.split(":")
        if len(parts) != 3 or not all(part.isdecimal() and len(part) >= 2 for part in parts):
            raise ValueError("hours, minutes and seconds in quotes, as '24:00:00'")
        if max(map(int, parts[1:])) > 59 or _seconds(time) < 60:
            raise ValueError("at least '00:01:00', with minutes and seconds below 60")
        return time

    @field_validator("memory")
    @classmethod
    def _is_memory(cls, memory: str) -> str:
        if not (memory[:-1].isdecimal() and int(memory[:-1]) > 0 and memory[-1] in "MG"):
            raise ValueError("a whole number and M or G, as 8G")
        return memory

    @field_validator("setup", "directives", "controller_directives", check_fields=False)
    @classmethod
    def _are_lines(cls, lines: tuple[str, ...]) -> tuple[str, ...]:
        if any("\n" in line for line in lines):
            raise ValueError("a list of lines, without line breaks in them")
        return lines

    @property
    def workers_per_job(self) -> int:
        """How many workers run in a job."""
        return max(1, self.gpus * self.workers_per_gpu)

    @property
    def memory_per_job(self) -> str:
        """The memory of all workers of a job, as a number with its unit."""
        return f"{int(self.memory[:-1]) * self.workers_per_job}{self.memory[-1]}"

    @property
    def seconds(self) -> int:
        """The time limit of a job."""
        return _seconds(self.time)


class Slurm(Jobs):
    """Jobs of Slurm."""

    partition: Word | None = None
    qos: Word | None = None
    constraint: Word | None = None
    controller_directives: Annotated[tuple[str, ...], Field(strict=False)] = ()


class Queue(Jobs):
    """Jobs of PBS, LSF and SGE: through the same code as Slurm's, and untried."""

    queue: Word | None = None


class Engines(Section):
    """How each engine is used."""

    local: Local = Local()
    slurm: Slurm = Slurm()
    pbs: Queue = Queue()
    lsf: Queue = Queue()
    sge: Queue = Queue()


def _seconds(time: str) -> int:
    hours, minutes, seconds = map(int, time.split(":"))
    return (hours * 60 + minutes) * 60 + seconds
