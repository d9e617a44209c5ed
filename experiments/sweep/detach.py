"""A controller as a job of its own (`tandem sweep run --detach`): it outlives the terminal, and its node."""

import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from experiments.settings.engines import Slurm
from experiments.settings.project import Project
from experiments.sweep.lease import holder, refuse_unless_gone
from experiments.sweep.storage import connect
from experiments.system.errors import TandemError


def controller_script(settings: Slurm, command: Sequence[str], *, root: Path, folder: Path, name: str) -> str:
    """Return the job that runs a `tandem` command as the controller of a study.

    Slurm queues it again if its node dies; the new one takes over from the old one, which Slurm knows to be gone.
    """
    wishes = {"partition": settings.partition, "account": settings.account, "qos": settings.qos}
    lines = [f"#SBATCH --{option}={value}" for option, value in wishes.items() if value]
    lines += [f"#SBATCH {line}" for line in settings.controller_directives]
    return "\n".join(
        [
            "#!/usr/bin/env bash",
            f"#SBATCH --job-name=tandem-{name}",
            f"#SBATCH --output={folder}/controller-%j.log",
            "#SBATCH --ntasks=1",
            "#SBATCH --cpus-per-task=1",
            "#SBATCH --mem=4G",
            "#SBATCH --requeue",
            *lines,
            "",
            *settings.setup,
            f"cd {shlex.quote(str(root))}",
            f"exec {shlex.quote(sys.executable)} -m experiments {shlex.join(command)} "
            "${SLURM_RESTART_COUNT:+--take-over}",
            "",
        ]
    )


def submit(project: Project, settings: Slurm, command: Sequence[str], name: str) -> str:
    """Submit the controller of a study, and return the number of its job.

    Raises:
        TandemError: Slurm isn't there, or refuses the job; or another process is at work on the study.
    """
    if "--take-over" not in command and (process := holder(connect(project).engine, name)):
        refuse_unless_gone(name, process)
    folder = project.sweep(name)
    folder.mkdir(parents=True, exist_ok=True)
    script = controller_script(settings, command, root=project.root, folder=folder, name=name)
    try:
        done = subprocess.run(["sbatch", "--parsable"], input=script, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise TandemError("--detach: expected Slurm's sbatch; got none; leave out --detach, or run it there") from None
    if done.returncode:
        reason = " ".join(done.stderr.split())
        raise TandemError(f"engines.slurm: expected sbatch to take a job; got {reason}; change the settings")
    return done.stdout.strip().split(";")[0]
