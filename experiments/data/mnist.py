"""The four files of MNIST, from the first mirror that has them right."""

import gzip
import hashlib
import threading
import time
import zlib
from collections.abc import Sequence
from pathlib import Path

import requests
from requests.adapters import HTTPAdapter
from rich.console import Console
from rich.progress import track
from urllib3 import Retry

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
PAUSE_SECONDS = 0.5  # before a retry, and twice as long before the next
PASSING = (429, 500, 502, 503, 504)  # HTTP's codes of faults that may be over soon
CHUNK = 2**16


def write_mnist(folder: Path, data: Data, mirrors: Sequence[str]) -> None:
    """Write the unpacked files of MNIST to a folder.

    Raises:
        TandemError: no mirror has the right file.
    """
    retry = Retry(
        total=data.retries,
        backoff_factor=PAUSE_SECONDS,
        status_forcelist=PASSING,
        respect_retry_after_header=False,  # a server may ask for hours
    )
    with requests.Session() as session:
        for scheme in ("https://", "http://"):
            session.mount(scheme, HTTPAdapter(max_retries=retry))
        for name in MNIST:
            write_atomically(folder / name, _fetch(session, name, data, mirrors))


def answering(mirrors: Sequence[str], timeout: float) -> list[str]:
    """Return the mirrors that are folders or answer at all; all are asked at once, for up to 2 × `timeout` seconds.

    Without this, a machine whose packets are dropped would wait for every mirror, retry and address in turn.
    """
    answered = {mirror for mirror in mirrors if Path(mirror).is_dir()}

    def ask(mirror: str) -> None:
        try:
            requests.head(_url(mirror, next(iter(MNIST))), timeout=timeout)
            answered.add(mirror)
        except requests.RequestException:
            pass

    # Daemons: a name look-up that hangs must not keep the process alive.
    threads = [threading.Thread(target=ask, args=(m,), daemon=True) for m in mirrors if m not in answered]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + 2 * timeout
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    return [mirror for mirror in mirrors if mirror in answered]


def _url(mirror: str, name: str) -> str:
    return f"{mirror.rstrip('/')}/{name}.gz"


def _fetch(session: requests.Session, name: str, data: Data, mirrors: Sequence[str]) -> bytes:
    """Return the unpacked content of one file, from the first mirror that has it right."""
    failures = []
    for mirror in mirrors:
        try:
            return _verified(name, _read(session, mirror, name, data.timeout_seconds))
        except (OSError, EOFError, zlib.error, ValueError) as error:
            # requests' exceptions are OSErrors too; their texts can be long.
            failures.append(f"{mirror}: {type(error).__name__}: {' '.join(str(error).split())[:160]}")
            warn(f"{name}: {failures[-1]}")
    raise TandemError(
        f"{name}: no mirror has the right file: {'; '.join(failures)}; "
        "set TANDEM_MIRROR to one that has, or correct data.mirrors"
    )


def _read(session: requests.Session, mirror: str, name: str, timeout: float) -> bytes:
    if Path(mirror).is_dir():
        return Path(mirror, f"{name}.gz").read_bytes()
    say(f"{name} from {mirror}")
    console = Console(stderr=True)
    with session.get(_url(mirror, name), stream=True, timeout=timeout) as response:
        response.raise_for_status()
        chunks = -(-int(response.headers.get("Content-Length", 0)) // CHUNK) or None
        content = response.iter_content(CHUNK)
        return b"".join(track(content, name, chunks, console=console, transient=True, disable=not console.is_terminal))


def _verified(name: str, packed: bytes) -> bytes:
    content = gzip.decompress(packed)
    digest = hashlib.sha256(content).hexdigest()
    if digest != MNIST[name]:
        raise ValueError(f"unpacked SHA-256 {digest[:12]}…, expected {MNIST[name][:12]}…")
    return content
