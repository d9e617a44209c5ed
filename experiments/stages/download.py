"""Stage `download`: MNIST from a mirror, or its stand-in where none answers."""

from pathlib import Path

from experiments.data.digits import write_digits
from experiments.data.mnist import answering, write_mnist
from experiments.data.raw import NAME_FILE
from experiments.data.recorded import imports_downloads
from experiments.settings.params import Data
from experiments.settings.project import Project
from experiments.system.console import say, warn
from experiments.system.errors import TandemError
from experiments.system.files import replace_folder, write_atomically


def download(project: Project, data: Data, mirror: str | None = None) -> str:
    """Fill downloads/ with the unpacked files of the dataset, and return the dataset's name.

    `mirror`, an http(s) address or a folder, is tried before those in `data`. The name is `mnist`; `digits` where no
    mirror answers and the settings allow the stand-in; `nothing` where data/ is the user's own.

    Raises:
        TandemError: a mirror answers but none has the right files, or none answers and no stand-in is allowed.
    """
    with replace_folder(project.downloads) as folder:
        if project.data_file.is_file() and not imports_downloads(project):
            say("data/ is your own, since data.dvc doesn't import downloads/: nothing to download")
            return "nothing"
        name = _fill(folder, data, [*([_checked(mirror)] if mirror else []), *data.mirrors])
        write_atomically(folder / NAME_FILE, f"{name}\n")
        return name


def _checked(mirror: str) -> str:
    if mirror.startswith(("https://", "http://")) or Path(mirror).is_dir():
        return mirror
    raise TandemError(f"TANDEM_MIRROR: expected an http:// or https:// address, or a folder; got {mirror!r}")


def _fill(folder: Path, data: Data, mirrors: list[str]) -> str:
    if available := answering(mirrors, data.timeout_seconds):
        write_mnist(folder, data, available)
        return "mnist"
    asked = f"no mirror answers (asked {', '.join(mirrors)})"
    if data.offline_fallback is None:
        raise TandemError(f"{asked}; connect this machine, or set TANDEM_MIRROR to a folder that holds the files")
    warn(
        f"{asked}. Using the stand-in: scikit-learn's 1,797 handwritten digits, enlarged to 28x28. "
        "Its results say nothing about MNIST. To get MNIST: connect this machine, or set TANDEM_MIRROR, then "
        "run `dvc repro --force download`, `dvc repro`."
    )
    write_digits(folder)
    return "digits"
