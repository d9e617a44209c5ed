"""A clone of the repository as it is now, and the commands that a user types in it."""

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import mlflow
import pytest
from mlflow import MlflowClient
from mlflow.entities import Run
from ruamel.yaml import YAML

from tests.cluster import Cluster
from tests.conftest import ROOT

BIN = str(Path(sys.executable).parent)
# What a job of the tests' cluster asks for.
JOB = {"gpus": 1, "cpus": 1, "memory": "900M", "time": "00:30:00", "host": "127.0.0.1"}


@dataclass
class Clone:
    """A checkout with a commit of its own, in which the tests' Python runs."""

    root: Path
    extra: dict[str, str] = field(default_factory=dict)

    def environment(self) -> dict[str, str]:
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("DVC_", "MLFLOW_", "TANDEM_"))
        }
        author = {
            "GIT_AUTHOR_NAME": "a",
            "GIT_AUTHOR_EMAIL": "a@b",
            "GIT_COMMITTER_NAME": "a",
            "GIT_COMMITTER_EMAIL": "a@b",
        }
        return {
            **kept,
            **author,
            "SHELL": "/bin/sh",
            "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
            "DVC_NO_ANALYTICS": "true",
            **self.extra,
        }

    def start(self, *command: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            command,
            cwd=self.root,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, *command: str, code: int = 0) -> str:
        """Run a command, and return what it printed."""
        process = self.start(*command)
        output, _ = process.communicate()
        assert process.returncode == code, output
        return output

    def json(self, *command: str, code: int = 0) -> Any:
        """Run a command with --json, and return what it printed on standard output, which holds nothing else."""
        process = subprocess.run(
            [*command, "--json"], cwd=self.root, env=self.environment(), capture_output=True, text=True, check=False
        )
        assert process.returncode == code, process.stdout + process.stderr
        return json.loads(process.stdout)

    def change_params(self, change: Callable[[dict[str, Any]], None]) -> None:
        yaml = YAML()
        content = yaml.load(self.root / "params.yaml")
        change(content)
        yaml.dump(content, self.root / "params.yaml")

    def commit(self) -> None:
        self.run("git", "add", "--all")
        self.run("git", "commit", "--quiet", "--message", "change")

    def mlflow_runs(self, *, uri: str | None = None, query: str = "tags.report IS NULL") -> list[Run]:
        """Return the runs, the newest first; by default, without the one that keeps the page about all others."""
        here = f"sqlite:///{self.root}/mlruns/mlflow.db"
        mlflow.set_tracking_uri(uri or self.extra.get("MLFLOW_TRACKING_URI", here))
        experiments = [experiment.experiment_id for experiment in MlflowClient().search_experiments()]
        return list(MlflowClient().search_runs(experiments, query))


def nobody() -> str:
    """Return an address where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}/"


def make_clone(folder: Path) -> Clone:
    """Return a clone of the working tree in an empty folder, nothing committed."""
    made = Clone(folder)
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, names.split("\0")):
        if (ROOT / name).is_file():
            (made.root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, made.root / name)
    made.run("git", "init", "--quiet")
    return made


def give_environment(root: Path) -> None:
    """Have `make` take the environment of this test for the .venv of a folder."""
    environment = root / ".venv"
    environment.mkdir()
    for name in ("bin", "lib", "pyvenv.cfg"):
        (environment / name).symlink_to(Path(sys.prefix) / name)
    (environment / "installed-requirements.lock").touch()


def know_builds(root: Path) -> None:
    """Have `tandem check` know what it knows here, if it was run: else it builds each architecture again."""
    if (known := ROOT / ".tandem" / "builds.json").is_file():
        (root / ".tandem").mkdir()
        shutil.copy2(known, root / ".tandem")


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A clone that finds no mirror, and trains `lenet` for 3 short epochs."""
    made = make_clone(tmp_path_factory.mktemp("clone"))

    def small(content: dict[str, Any]) -> None:
        content["data"]["mirrors"] = [nobody()]
        content["recipes"]["lenet"] |= {"epochs": 3, "lr": 0.01}
        content["train"] |= {"recipes": ["lenet"], "seeds": [1]}

    made.change_params(small)
    made.commit()
    return made


@pytest.fixture(scope="module")
def prepared_for_cluster(clone: Clone) -> Clone:
    """A clone with data, and sweeps of random points, so that an undisturbed one has the same trials."""

    def change(content: dict[str, Any]) -> None:
        content["sweep"].update(epochs=1, retries=5, sampler="random", pruner="none")
        content["train"].update(threads=1)

    clone.change_params(change)
    clone.run("dvc", "repro", "preprocess")
    return clone


@pytest.fixture
def on_cluster(prepared_for_cluster: Clone, slurm: Cluster) -> Iterator[Clone]:
    """A clone whose commands find the cluster."""
    clone = prepared_for_cluster
    clone.change_params(lambda content: content["engines"].update(slurm=dict(JOB)))
    clone.extra |= slurm.environment
    yield clone
    for name in slurm.environment:
        del clone.extra[name]
