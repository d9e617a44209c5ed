"""Dask's settings in this process: ours, whatever files and variables of Dask's a user has; nothing is printed."""

import logging
from pathlib import Path

import dask.config

FILE = Path(__file__).with_name("dask.yaml")
SILENT = logging.CRITICAL + 1


def configure() -> None:
    """Set what `dask.yaml` says, and silence the loggers."""
    # dask-jobqueue writes a file of its settings there, unless it is a file already.
    dask.config.PATH = str(FILE)
    use_file(FILE)
    for name in ("distributed", "tornado", "asyncio", "dask_jobqueue"):
        logging.getLogger(name).setLevel(SILENT)
    for name in list(logging.getLogger().manager.loggerDict):
        if name.startswith(("distributed.", "tornado.", "dask_jobqueue.")):
            logging.getLogger(name).setLevel(SILENT)


def use_file(path: Path) -> None:
    """Set what a file says, over whatever is set."""
    dask.config.update(dask.config.config, dask.config.collect([str(path)], env={}), priority="new")
