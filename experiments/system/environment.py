"""What a process runs in: the processor, Python and its packages."""

import platform
import re
from functools import cache
from importlib.metadata import distributions
from pathlib import Path

# From the widest on: numeric libraries choose their loops by these, and so the order in which they add.
VECTORS = ("avx512f", "avx2", "avx", "sve", "asimd")
PINNED = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)$", re.MULTILINE)


@cache
def cpu_name() -> str:
    """Return the processor's model and its widest vectors, as far as the system says."""
    try:
        text = Path("/proc/cpuinfo").read_text(errors="replace")
    except OSError:
        return platform.processor() or platform.machine()
    model = re.search(r"^model name\s*: (.+)$", text, re.MULTILINE)
    flags = re.search(r"^(?:flags|Features)\s*: (.+)$", text, re.MULTILINE)
    known = set(flags[1].split()) if flags else set()
    widest = next((name for name in VECTORS if name in known), "")
    return ", ".join(filter(None, (model[1].strip() if model else platform.machine(), widest)))


@cache
def installed_packages() -> dict[str, str]:
    """Return the version of every installed package, in order of name; takes a third of a second."""
    found: dict[str, str] = {}
    for each in distributions():  # in the order in which Python finds them: the first one counts
        if name := each.metadata["Name"]:
            found.setdefault(normalised(name), each.version)
    return dict(sorted(found.items()))


def normalised(name: str) -> str:
    """Return a package's name in its one spelling (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def to_requirements(packages: dict[str, str]) -> str:
    """Return packages as the lines of a requirements.txt."""
    return "".join(f"{name}=={version}\n" for name, version in packages.items())


def from_requirements(text: str) -> dict[str, str]:
    """Return the packages that a requirements.txt pins."""
    return dict(PINNED.findall(text))
