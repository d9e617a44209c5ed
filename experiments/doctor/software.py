"""Python, packages, and the programs beside them."""

import platform
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from configparser import ConfigParser
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

import experiments
from experiments.doctor.surroundings import Surroundings
from experiments.settings.project import Project
from experiments.system.checks import Check
from experiments.system.git import read_checkout, run_git

MAIN = ("torch", "lightning", "tensorflow", "keras", "numpy", "mlflow", "optuna", "dvc")
SHOWN = 5
SLURM_SECONDS = 5


def python(here: Surroundings) -> Iterator[Check]:
    """Look whether this Python will do, and whether `dvc repro` starts the same."""
    asked, found = SpecifierSet(_project_table(here.project)["requires-python"]), platform.python_version()
    yield Check.of(
        "Python",
        f"{found}, in {sys.prefix}",
        good=found in asked,
        remedy=f"expected {asked}: `make setup PYTHON=python3.11`",
    )
    on_path = shutil.which("python")
    prefix = _said(on_path, "-c", "import sys; print(sys.prefix)") if on_path else "none"
    yield Check.of(
        "python on PATH",
        prefix or f"{on_path}, which fails",
        good=prefix == sys.prefix,
        remedy="dvc.yaml starts `python`: `source .venv/bin/activate`, so that it is the one that has the packages",
        otherwise="warning",
    )


def packages(here: Surroundings) -> Iterator[Check]:
    """Look whether the packages are what pyproject.toml admits, and what the lock pins."""
    wanted = [Requirement(line) for line in _project_table(here.project)["dependencies"]]
    wrong = [f"{each.name} {_version(each.name) or 'missing'}, expected {each.specifier}" for each in _unmet(wanted)]
    main = ", ".join(f"{name} {_version(name)}" for name in MAIN)
    remedy = "`make setup` installs what the lock pins"
    yield Check.of("packages", "; ".join(wrong) or main, good=not wrong, remedy=remedy)
    # On a machine with a GPU, the environment is that of the other lock.
    locks = [path for path in (here.project.lock, here.project.gpu_lock) if path.is_file()]
    if not locks:
        yield Check("lock", "warning", f"no {here.project.lock.name}", f"`git checkout {here.project.lock.name}`")
        return
    count, lock, differ = min((_differences(path) for path in locks), key=lambda each: len(each[2]))
    more = f" and {len(differ) - SHOWN} more" if len(differ) > SHOWN else ""
    yield Check.of(
        "lock",
        f"{lock}: {'; '.join(differ[:SHOWN])}{more}" if differ else f"{lock}: all {count} packages as pinned",
        good=not differ,
        remedy=f"{remedy}; with other versions, runs are trained again, and their bits differ",
        otherwise="warning",
    )


def _differences(lock: Path) -> tuple[int, str, list[str]]:
    pinned = [Requirement(line) for line in lock.read_text().splitlines() if line and not line.startswith("#")]
    there = [each for each in pinned if each.marker is None or each.marker.evaluate()]
    differ = [f"{each.name} {_version(each.name) or 'missing'}, pinned {each.specifier}" for each in _unmet(there)]
    # Those that matter most come first.
    return len(there), lock.name, sorted(differ, key=lambda text: text.split()[0] not in MAIN)


def _unmet(wanted: list[Requirement]) -> list[Requirement]:
    return [each for each in wanted if (_version(each.name) or "0") not in each.specifier]


def _version(name: str) -> str | None:
    """Return the installed version, without the suffix of a local build."""
    try:
        return version(name).partition("+")[0]
    except PackageNotFoundError:
        return None


def _project_table(project: Project) -> dict[str, Any]:
    table: dict[str, Any] = tomllib.loads(project.pyproject.read_text())["project"]
    return table


def code(here: Surroundings) -> Iterator[Check]:
    """Look whether `tandem` runs the code of this checkout."""
    runs = Path(experiments.__file__).resolve().parents[1]
    yield Check.of(
        "code",
        f"`tandem` runs that of {runs}",
        good=runs == here.project.root.resolve(),
        remedy=f"this project is {here.project.root}: use its own .venv, or `python -m experiments` here",
        otherwise="warning",
    )


def git(here: Surroundings) -> Iterator[Check]:
    """Look whether runs can record a commit."""
    found = read_checkout(here.project.root)
    yield Check.of(
        "Git",
        f"commit {found.commit[:8]}{', with changes' if found.dirty else ''}",
        good=found.commit != "none",
        remedy="runs can't say which code they are of: install Git, commit; for another user's checkout, "
        f"`git config --global --add safe.directory {here.project.root}`",
        otherwise="warning",
    )


def dvc(here: Surroundings) -> Iterator[Check]:
    """Look whether `dvc repro` can run here."""
    program, repository = shutil.which("dvc"), here.project.root / ".dvc"
    yield Check.of(
        "DVC",
        f"{program or 'not on PATH'}; {'.dvc/ is there' if repository.is_dir() else 'no .dvc/ here'}",
        good=program is not None and repository.is_dir(),
        remedy="`source .venv/bin/activate`; in a folder that is no clone, `dvc init`",
        otherwise="warning",
    )
    if program is not None and repository.is_dir():
        yield from _scm(here.project.root)


def _scm(root: Path) -> Iterator[Check]:
    """Look whether DVC looks for Git where there is one."""
    in_git, config = run_git(root, "rev-parse", "--git-dir")[0], ConfigParser()
    config.read(root / ".dvc" / "config.local")
    if config.getboolean("core", "no_scm", fallback=False) == in_git:
        unset = "`dvc config --local --unset core.no_scm`"
        told = "`dvc config --local core.no_scm true`, which `make repro` does"
        found = "it is told that there is no Git, but there is" if in_git else "no Git here, without which it won't run"
        yield Check("DVC and Git", "warning" if in_git else "problem", found, unset if in_git else told)


def slurm(here: Surroundings) -> Iterator[Check]:
    """Look, where Slurm is installed, whether it answers."""
    if shutil.which("sinfo") is None:
        return
    partitions = _said("sinfo", "--noheader", "--format", "%R").split()
    yield Check.of(
        "Slurm",
        f"partitions {', '.join(partitions)}" if partitions else "its controller doesn't answer",
        good=bool(partitions),
        remedy="only `--on slurm` needs it; then `tandem sweep check --on slurm` says more",
        otherwise="warning",
    )


def _said(*command: str) -> str:
    """Return what a program prints; nothing if it fails, or takes long."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=SLURM_SECONDS)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()
