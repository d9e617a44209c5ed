"""Stage `download`: the four files of MNIST, from the first mirror that has them right."""

import gzip
import hashlib
import io
import os
import shutil
import sys
import tempfile
import threading
import time
import zlib
from collections.abc import Iterable
from pathlib import Path

import pooch
import requests

from experiments.data.digits import write_digits
from experiments.settings.params import Data
from experiments.system.console import say, warn
from experiments.system.errors import TandemError
from experiments.system.files import write_atomically

# SHA-256 of the unpacked files: a gzip file carries a time stamp, so the packed ones differ from mirror to mirror.
MNIST = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
# A file in the dataset's folder that holds its name; one's own dataset may have one too.
NAME_FILE = "name.txt"
PAUSE_SECONDS = 0.5


def download(data: Data, target: Path, mirror: str | None = None) -> str:
    """Fill the folder `target` with the unpacked files of the dataset, and return the dataset's name.

    `mirror`, an http(s) address or a folder, is tried before those in `data`. The name is `mnist`, or `digits`
    where no mirror answers and the settings allow the stand-in.

    Raises:
        TandemError: a mirror answers but none has the right files, or none answers and no stand-in is allowed.
    """
    mirrors = [*([_checked(mirror)] if mirror else []), *data.mirrors]
    target.parent.mkdir(parents=True, exist_ok=True)
    for left in target.parent.glob(f".{target.name}-*"):  # by a download that was killed
        shutil.rmtree(left)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}-") as temporary:
        folder = Path(temporary) / target.name
        folder.mkdir()
        name = _fill(folder, data, mirrors)
        write_atomically(folder / NAME_FILE, f"{name}\n")
        if target.exists():
            shutil.rmtree(target)
        folder.rename(target)
    return name


def _checked(mirror: str) -> str:
    if mirror.startswith(("https://", "http://")) or Path(mirror).is_dir():
        return mirror
    raise TandemError(f"TANDEM_MIRROR: expected an http:// or https:// address, or a folder; got {mirror!r}")


def _fill(folder: Path, data: Data, mirrors: list[str]) -> str:
    answering = _answering(mirrors, data.timeout_seconds)
    if answering:
        for name in MNIST:
            write_atomically(folder / name, _fetch(name, data, answering))
        return "mnist"
    asked = f"no mirror answers (asked {', '.join(mirrors)})"
    if data.offline_fallback is None:
        raise TandemError(f"{asked}; connect this machine, or set TANDEM_MIRROR to a folder that holds the files")
    warn(
        f"{asked}. Going on with the stand-in: scikit-learn's 1,797 handwritten digits, enlarged to 28x28. "
        "Its figures say nothing about MNIST. To get MNIST: connect this machine, or set TANDEM_MIRROR, then "
        "run `dvc repro --force download`, `dvc repro`."
    )
    write_digits(folder)
    return "digits"


def _answering(mirrors: Iterable[str], timeout: float) -> list[str]:
    """Return the folders, and those addresses that answer anything at all; all are asked at once.

    Without this, a machine whose packets are dropped would wait for every mirror, retry and address in turn.
    """
    answered: dict[str, bool] = {}

    def ask(mirror: str) -> None:
        try:
            requests.head(_url(mirror, next(iter(MNIST))), timeout=timeout)
            answered[mirror] = True
        except requests.RequestException:
            answered[mirror] = False

    mirrors = list(mirrors)
    # Daemons: a look-up of a name that hangs must not keep the process alive.
    threads = [threading.Thread(target=ask, args=(m,), daemon=True) for m in mirrors if not Path(m).is_dir()]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + 2 * timeout
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    return [m for m in mirrors if Path(m).is_dir() or answered.get(m)]


def _url(mirror: str, name: str) -> str:
    return f"{mirror.rstrip('/')}/{name}.gz"


def _fetch(name: str, data: Data, mirrors: list[str]) -> bytes:
    """Return the unpacked content of one file, from the first mirror that has it right."""
    failures = []
    for mirror in mirrors:
        for attempt in range(1 if Path(mirror).is_dir() else data.retries + 1):
            time.sleep(PAUSE_SECONDS * (2**attempt - 1))
            try:
                packed = _read(mirror, name, data.timeout_seconds)
                return _verified(name, packed)
            except (OSError, EOFError, zlib.error, ValueError) as error:
                # requests' exceptions are OSErrors too; their texts can be long.
                reason = f"{type(error).__name__}: {' '.join(str(error).split())[:160]}"
        failures.append(f"{mirror}: {reason}")
        warn(f"{name}: {failures[-1]}")
    raise TandemError(
        f"{name}: no mirror has the right file: {'; '.join(failures)}; "
        "set TANDEM_MIRROR to one that has, or mend data.mirrors"
    )


def _read(mirror: str, name: str, timeout: float) -> bytes:
    if Path(mirror).is_dir():
        return (Path(mirror) / f"{name}.gz").read_bytes()
    say(f"{name} from {mirror}")
    content = io.BytesIO()
    pooch.HTTPDownloader(progressbar=sys.stderr.isatty(), timeout=timeout)(_url(mirror, name), content, None)
    return content.getvalue()


def _verified(name: str, packed: bytes) -> bytes:
    content = gzip.decompress(packed)
    found = hashlib.sha256(content).hexdigest()
    if found != MNIST[name]:
        raise ValueError(f"unpacked SHA-256 {found[:12]}…, expected {MNIST[name][:12]}…")
    return content


def mirror_from_environment() -> str | None:
    """Return TANDEM_MIRROR, if it is set and not empty."""
    return os.environ.get("TANDEM_MIRROR") or None
