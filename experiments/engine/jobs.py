"""Workers in the jobs of a cluster: submits jobs, replaces those that are gone, and cancels them at the end."""

import asyncio
import shlex
from dataclasses import dataclass, field
from typing import Any

from experiments.engine.engine import Slot
from experiments.engine.script import Request, make_job
from experiments.system.errors import TandemError

TICK_SECONDS = 5.0
# Slurm is asked about a job that never had a worker, and may be waiting, so many ticks apart.
ASK_TICKS = 6
# A job that has lost all of its workers gets so many ticks to start others, unless Slurm knows that it has ended.
EMPTY_TICKS = 12
# So many jobs may end, one after the other, before a worker of theirs has connected.
MOST_FAILURES = 3
# A cluster that took jobs before may refuse others for so many ticks.
MOST_REFUSALS = 120


@dataclass
class _Place:
    """A job, or the one that replaced it."""

    number: int
    job: Any = None
    workers: set[str] = field(default_factory=set)
    had_workers: bool = False
    empty_ticks: int = 0


class JobPlaces:
    """Workers in jobs. dask-jobqueue submits; Slurm is asked for what has become of a job that has no workers."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self.host = request.settings.host
        self._places = [_Place(number) for number in range(request.jobs)]
        self._failures = self._refusals = 0

    async def run(self, address: str) -> None:
        """Keep the jobs submitted.

        Raises:
            TandemError: the cluster refuses them, or they end before their workers connect.
        """
        (self._request.folder / "logs").mkdir(parents=True, exist_ok=True)
        for place in self._places:
            await self._submit(place, address)
        while True:
            await asyncio.sleep(TICK_SECONDS)
            for place in await self._ended():
                await self._cancel([place])
                place.job = None
            for place in self._places:
                if place.job is None:
                    await self._submit_again(place, address)

    def joined(self, slot: Slot) -> None:
        """Note a worker of a job."""
        place = self._place(slot)
        place.workers.add(slot.name)
        place.had_workers, place.empty_ticks, self._failures = True, 0, 0

    def gone(self, slot: Slot) -> None:
        """Note that a job has lost a worker; the job itself replaces it, while it exists."""
        self._place(slot).workers.discard(slot.name)

    async def close(self) -> None:
        """Cancel the jobs."""
        await self._cancel(self._places)

    def _place(self, slot: Slot) -> _Place:
        job = slot.name.rpartition("-")[0]  # a worker is called like its job, with a number
        return self._places[int(job.rpartition("-")[2])]

    async def _submit(self, place: _Place, address: str) -> None:
        job = make_job(self._request, address, place.number)
        try:
            await job.start()
        except (OSError, RuntimeError, ValueError) as error:
            said = str(error).partition("stderr:")[2] or str(error)
            raise TandemError(
                f"engines.{self._request.engine}: expected {job.submit_command} to take a job; got "
                f"{' '.join(said.split())}",
                advice="change the settings in params.yaml",
            ) from None
        place.job, place.workers, place.had_workers, place.empty_ticks = job, set(), False, 0

    async def _submit_again(self, place: _Place, address: str) -> None:
        try:
            await self._submit(place, address)
        except TandemError:  # the cluster may be away for a moment
            self._refusals += 1
            if self._refusals > MOST_REFUSALS:
                raise
        else:
            self._refusals = 0

    async def _ended(self) -> list[_Place]:
        """Return the places whose job has ended."""
        empty = [place for place in self._places if place.job is not None and not place.workers]
        for place in empty:
            place.empty_ticks += 1
        ended = [place for place in empty if place.had_workers and place.empty_ticks > EMPTY_TICKS]
        ask = any(place.had_workers or place.empty_ticks % ASK_TICKS == 1 for place in empty)
        known = await self._listed() if ask and self._request.engine == "slurm" else None
        if known is not None:
            ended += [place for place in empty if place not in ended and place.job.job_id not in known]
        for place in ended:
            self._count(place)
        return ended

    def _count(self, place: _Place) -> None:
        self._failures += not place.had_workers
        if self._failures >= MOST_FAILURES:
            raise TandemError(
                f"engines.{self._request.engine}: expected jobs whose workers connect; got {self._failures} in a row "
                "that ended before",
                advice=f"see {self._request.folder / 'logs'}; if they can't reach this machine, set "
                f"engines.{self._request.engine}.host to an address that they reach",
            )

    async def _listed(self) -> set[str] | None:
        """Return the jobs that wait or run; None if Slurm doesn't answer."""
        # Not those that are completing: on a node that is gone, that takes minutes.
        states = "--states=PENDING,CONFIGURING,RUNNING,RESIZING,STOPPED,SUSPENDED"
        answer = await _ask("squeue", "--me", "--noheader", "--format=%A", states)
        return None if answer is None else set(answer.split())

    async def _cancel(self, places: list[_Place]) -> None:
        jobs = [place.job for place in places if place.job is not None]
        if jobs:
            await _ask(*shlex.split(jobs[0].cancel_command), *(job.job_id for job in jobs))


async def _ask(*command: str) -> str | None:
    """Return what a command says; None if it fails. A Ctrl-C at the terminal doesn't reach it."""
    pipe = asyncio.subprocess.PIPE
    try:
        process = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=pipe, start_new_session=True)
    except OSError:
        return None
    said, _ = await process.communicate()
    return said.decode() if process.returncode == 0 else None
