"""Sets up the process in which the functions run. Nothing of PyTorch is imported before."""

import os
import re
from linecache import getline
from pathlib import Path

# What PyTorch reports about torch.compile, in a file (documented as TORCH_LOGS and TORCH_LOGS_OUT).
BREAK = re.compile(r"Graph break in user code at (\S+):(\d+)")
RECOMPILED = "] Recompiling function "


def prepare(folder: Path) -> None:
    """Have PyTorch log graph breaks and recompiles into a folder, and use one thread of the CPU."""
    os.environ |= {"TORCH_LOGS": "graph_breaks,recompiles", "TORCH_LOGS_OUT": str(folder / "torch.log")}
    os.environ["TORCHINDUCTOR_COMPILE_THREADS"] = "1"  # no pool of processes beside this one
    import torch  # reads them

    torch.set_num_threads(1)


class Log:
    """What PyTorch logs from now on."""

    def __init__(self) -> None:
        self._file = Path(os.environ["TORCH_LOGS_OUT"])
        self._start = self._file.stat().st_size

    def text(self) -> str:
        """Return it."""
        return self._file.read_bytes()[self._start :].decode()

    def breaks(self) -> list[str]:
        """Return the lines of source at which a graph was broken, each once."""
        places = dict.fromkeys(BREAK.findall(self.text()))
        return [getline(file, int(line)).strip() for file, line in places]

    def recompiled(self) -> int:
        """Return how often a function was compiled again, since something that a graph relied on had changed."""
        return self.text().count(RECOMPILED)
