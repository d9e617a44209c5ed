"""What many tests need: settings, small data, projects of their own."""

import copy
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ruamel.yaml import YAML

from experiments.data.idx import to_idx
from experiments.settings.edit import edited
from experiments.settings.params import Params, load_params
from experiments.settings.project import Project
from tests.browser import browser as browser
from tests.browser import chromium as chromium
from tests.cluster import slurm as slurm
from tests.cluster import slurm_on_this_machine as slurm_on_this_machine

ROOT = Path(__file__).parents[1]


def pytest_configure() -> None:
    """Give each of several processes of tests a core, with all that it starts: else they slow each other down."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "").removeprefix("gw")
    if worker and hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[int(worker) % len(cores)]})


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TANDEM_MIRROR", "MLFLOW_TRACKING_URI", "DVC_ROOT", "DVC_STAGE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def settings_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """params.yaml as it is in the repository, but for what `dvc repro` trains: that is each user's choice."""

    def choose(params: Params, content: Any) -> None:
        for key, chosen in {"recipes": ["lenet"], "backends": ["lightning", "keras"], "seeds": [12]}.items():
            content["train"][key][:] = chosen

    file = tmp_path_factory.mktemp("settings") / "params.yaml"
    file.write_text(edited((ROOT / "params.yaml").read_text(), choose))
    return file


@pytest.fixture(scope="session")
def raw_params(settings_file: Path) -> dict[str, Any]:
    content: dict[str, Any] = YAML(typ="safe", pure=True).load(settings_file)
    return content


Change = Callable[[dict[str, Any]], None]


@pytest.fixture
def write_params(raw_params: dict[str, Any], tmp_path: Path) -> Callable[[Change], Path]:
    """Write params.yaml with a change to a folder of the test's own, and return its path."""

    def write(change: Change) -> Path:
        content = copy.deepcopy(raw_params)
        change(content)
        path = tmp_path / "params.yaml"
        YAML().dump(content, path)
        return path

    return write


@pytest.fixture
def params(settings_file: Path) -> Params:
    return load_params(settings_file)


@pytest.fixture
def project(tmp_path: Path, settings_file: Path) -> Project:
    """An empty project, outside Git and DVC."""
    (tmp_path / "params.yaml").write_bytes(settings_file.read_bytes())
    (tmp_path / "dvc.yaml").write_text("")
    return Project(root=tmp_path, home=tmp_path)


@pytest.fixture(scope="session")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Empty databases of Optuna and MLflow: to make them takes seconds, to copy them nothing."""
    from experiments.sweep.storage import connect  # not at the top: most tests need neither
    from experiments.tracking import store

    folder = tmp_path_factory.mktemp("stores")
    os.environ.pop("MLFLOW_TRACKING_URI", None)  # MLflow notes there the store of the test before
    made = Project(root=folder, home=folder)
    connect(made).engine.dispose()
    store.connect(made)
    return made.mlruns


@pytest.fixture
def idx_folder(tmp_path: Path) -> Path:
    """200 training and 60 test images of 28×28 noise in 4 classes, as IDX files."""
    generator = np.random.default_rng(0)
    folder = tmp_path / "data"
    folder.mkdir()
    for prefix, count in (("train", 200), ("t10k", 60)):
        images = generator.integers(0, 256, (count, 28, 28), np.uint8)
        labels = np.arange(count, dtype=np.uint8) % 4
        (folder / f"{prefix}-images-idx3-ubyte").write_bytes(to_idx(images))
        (folder / f"{prefix}-labels-idx1-ubyte").write_bytes(to_idx(labels))
    return folder


@pytest.fixture
def is_synced(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], bool]:
    """Return whether a file, or a folder and all below it, was forced to disk as it is now."""
    states: dict[int, list[Any]] = {}
    sync = os.fsync

    def content(path: int | Path) -> Any:
        status = os.stat(path)  # noqa: PTH116 - of a descriptor too
        return set(os.listdir(path)) if stat.S_ISDIR(status.st_mode) else (status.st_size, status.st_mtime_ns)  # noqa: PTH208

    def record(descriptor: int) -> None:
        states.setdefault(os.fstat(descriptor).st_ino, []).append(content(descriptor))
        sync(descriptor)

    def check(path: Path) -> bool:
        now, then = content(path), states.get(path.stat().st_ino, [])
        if path.is_file():
            return now in then
        return any(now <= names for names in then) and all(check(child) for child in path.iterdir())

    monkeypatch.setattr(os, "fsync", record)
    return check


@pytest.fixture
def in_folder(tmp_path: Path) -> Iterator[Path]:
    """Work in the test's folder."""
    before = Path.cwd()
    os.chdir(tmp_path)
    yield tmp_path
    os.chdir(before)
