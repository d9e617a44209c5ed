"""Where the workers of an engine are started: what each kind of it offers, and the kind on this machine."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from experiments.engine.crew import Crew
from experiments.engine.engine import Slot
from experiments.engine.security import key_files


class Places(Protocol):
    """Starts workers and replaces those that go; called in the thread of Dask's event loop alone."""

    @property
    def host(self) -> str | None:
        """The address of this machine that workers reach; None: Dask finds one."""

    async def run(self, address: str) -> None:
        """Keep workers running that connect to `address`; cancelled when the engine closes."""

    def joined(self, slot: Slot) -> None:
        """Note that a worker has connected."""

    def gone(self, slot: Slot) -> None:
        """Note that a worker is gone, or was given up, for which its process may still be there."""

    async def close(self) -> None:
        """End every worker."""


class LocalPlaces:
    """Workers on this machine."""

    def __init__(self, workers: int, gpus: list[str], threads: int, folder: Path) -> None:
        self.host = "127.0.0.1"
        self._folder, logs = folder, folder / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        self._crew = Crew([f"local-{place}" for place in range(workers)], gpus or None, threads, logs)

    async def run(self, address: str) -> None:
        """Keep the places filled."""
        options = worker_options(key_files(self._folder), str(self._folder / "scratch"))
        await self._crew.run([address, *options, "--host", self.host, "--death-timeout", "60"])

    def joined(self, slot: Slot) -> None:
        """Do nothing: the process is known."""

    def gone(self, slot: Slot) -> None:
        """End what may be left of the process, such as one that is stopped."""
        self._crew.kill(slot.name)

    async def close(self) -> None:
        """Kill every worker."""
        self._crew.close()
        await asyncio.sleep(0)


def worker_options(keys: Mapping[str, Path], scratch: str | None) -> list[str]:
    """Return options of experiments.engine.worker."""
    pairs = {f"--tls-{name.replace('_', '-')}": str(path) for name, path in keys.items()}
    if scratch is not None:
        pairs["--local-directory"] = scratch
    return [word for pair in pairs.items() for word in pair]
