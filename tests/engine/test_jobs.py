"""The text of a job, without a cluster."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from experiments.engine.script import Request, job_script
from experiments.settings.engines import EngineName, Engines
from experiments.system.errors import TandemError
from tests.conftest import ROOT

GOLDEN = Path(__file__).with_name("golden")
FULL = {
    "account": "physics",
    "time": "02:30:00",
    "gpus": 2,
    "workers_per_gpu": 2,
    "cpus": 3,
    "memory": "6G",
    "setup": ["module load cuda/12", "source /opt/env.sh"],
    "scratch": "/local/scratch",
}
SLURM = {**FULL, "partition": "gpu", "qos": "long", "constraint": "h100", "directives": ["--exclude=n7"]}


@pytest.fixture(autouse=True)
def python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/opt/tandem/.venv/bin/python")


def request_of(engine: EngineName, **settings: Any) -> Request:
    engines = Engines.model_validate({engine: settings})
    return Request.of(engine, engines, 5, Path("/shared/tandem/engine"))


@pytest.mark.parametrize(
    ("name", "engine", "settings"),
    [("slurm", "slurm", SLURM), ("slurm-default", "slurm", {}), ("slurm-cpu", "slurm", {"gpus": 0})]
    + [(engine, engine, {**FULL, "queue": "gpu"}) for engine in ("pbs", "lsf", "sge")],
)
def test_the_script_is_the_golden_one(name: str, engine: EngineName, settings: dict[str, Any]) -> None:
    assert job_script(request_of(engine, **settings)) == (GOLDEN / f"{name}.sh").read_text()


def test_a_user_s_own_settings_of_dask_change_nothing(tmp_path: Path) -> None:
    folder = tmp_path / ".config/dask"
    folder.mkdir(parents=True)
    (folder / "jobqueue.yaml").write_text("jobqueue: {slurm: {interface: ib0, shebang: other, job-mem: 1G}}\n")
    program = "from tests.engine.test_jobs import *; print(job_script(request_of('slurm')), end='')"
    environment = {**os.environ, "HOME": str(tmp_path), "DASK_JOBQUEUE__SLURM__SHEBANG": "another"}
    python = Path(sys.prefix, "bin/python")
    said = subprocess.run(
        [python, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    golden = (GOLDEN / "slurm-default.sh").read_text()
    assert said.stdout.replace(str(python), sys.executable) == golden
    assert [path.name for path in folder.iterdir()] == ["jobqueue.yaml"]


def test_no_folder_is_made_for_a_script_of_slurm() -> None:
    job_script(request_of("slurm"))
    assert not Path("/shared/tandem").exists()


@pytest.mark.parametrize(
    ("settings", "jobs", "workers"),
    [({}, 5, [1] * 5), ({"gpus": 0}, 5, [1] * 5), ({"gpus": 2}, 3, [2, 2, 1]), ({"workers_per_gpu": 4}, 2, [4, 1])],
)
def test_workers_are_spread_over_jobs(settings: dict[str, Any], jobs: int, workers: list[int]) -> None:
    request = request_of("slurm", **settings)
    assert (request.jobs, [request.workers_of(place) for place in range(request.jobs)]) == (jobs, workers)


def test_a_path_with_a_space_is_refused() -> None:
    with pytest.raises(TandemError, match=r"engines.slurm: expected paths without spaces; got /my files; move it"):
        Request.of("slurm", Engines(), 1, Path("/my files"))
