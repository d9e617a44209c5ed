"""What is submitted, and when a controller isn't: shown by --dry-run, or refused before there is a job."""

import subprocess
import sys

import pytest

from experiments.settings.engines import Slurm
from experiments.settings.project import Project
from experiments.sweep.detach import submit
from experiments.sweep.lease import Lease
from experiments.sweep.storage import connect
from experiments.system.errors import TandemError
from tests.sweep.simulated import write_dataset


@pytest.fixture(autouse=True)
def prepared(project: Project) -> None:
    write_dataset(project.prepared)


def sweep_run(project: Project, *words: str) -> "subprocess.CompletedProcess[str]":
    code = "from experiments.cli.main import main; main()"
    command = [sys.executable, "-c", code, "sweep", "run", "--recipe", "cnn3-sgd", "--on", "slurm", *words]
    return subprocess.run(command, cwd=project.root, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("words", "jobs"),
    [(("--backend", "both"), "2 job(s)"), (("--workers", "16"), "16 job(s)"), ((), "1 job(s)")],
)
def test_one_of_the_jobs_is_shown_and_their_number(project: Project, words: tuple[str, ...], jobs: str) -> None:
    said = sweep_run(project, "--dry-run", *words).stdout
    assert said.startswith(f"# {jobs} such as this one")
    assert said.count("#!/usr/bin/env bash") == 1


def test_a_detached_controller_takes_over_if_it_is_told_to(project: Project) -> None:
    for words, expected in ((("--take-over",), True), ((), False)):
        said = sweep_run(project, "--dry-run", "--detach", *words).stdout
        assert ("--take-over ${SLURM_RESTART_COUNT:+--take-over}" in said) is expected


def test_too_few_workers_are_no_job(project: Project) -> None:
    done = sweep_run(project, "--detach", "--backend", "both", "--workers", "1")
    assert "tandem: --workers: expected 2 or more" in done.stderr
    assert done.stdout == ""


def test_a_second_controller_is_no_job(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    Lease(connect(project).engine, "s").acquire()
    with pytest.raises(TandemError, match="sweep s: expected no other controller"):
        submit(project, Slurm(), ["sweep", "run"], "s")
    for command, name in ((["sweep", "run", "--take-over"], "s"), (["sweep", "run"], "another")):
        with pytest.raises(TandemError, match="--detach: expected Slurm's sbatch; got none"):
            submit(project, Slurm(), command, name)
