"""Where everything lies: the one place that knows the names of the project's files and folders."""

import os
from dataclasses import dataclass
from pathlib import Path

from experiments.settings.recipe import BackendName
from experiments.system.errors import TandemError


@dataclass(frozen=True)
class RunKey:
    """What names a run: its recipe (or the trial of a sweep), backend and seed."""

    recipe: str
    backend: BackendName
    seed: int

    def __str__(self) -> str:
        """Return the key as the arguments of `tandem train`."""
        return f"{self.recipe} {self.backend} {self.seed}"

    @property
    def label(self) -> str:
        """The name on screen and in MLflow."""
        return f"{self.recipe}-{self.backend}-{self.seed}"


@dataclass(frozen=True)
class Project:
    """A checkout of the repository.

    `root` holds params.yaml and the outputs of the pipeline. `home` holds what outlives a single
    experiment (MLflow's store, checkpoints): the same folder, except in the copies that `dvc exp run --queue`
    and `--temp` work in, whose DVC_ROOT names the repository that they were made from.
    """

    root: Path
    home: Path
    # Trainings outside the pipeline (`tandem published`) leave their outputs elsewhere.
    runs_in: str = "runs"

    @classmethod
    def find(cls, start: Path | None = None) -> "Project":
        """Return the project around `start` (by default the working directory).

        Raises:
            TandemError: neither `start` nor a folder above it has a params.yaml beside a dvc.yaml.
        """
        start = (start or Path.cwd()).resolve()
        for folder in (start, *start.parents):
            if (folder / "params.yaml").is_file() and (folder / "dvc.yaml").is_file():
                return cls(root=folder, home=Path(os.environ.get("DVC_ROOT") or folder).resolve())
        raise TandemError(f"{start}: no params.yaml with a dvc.yaml beside it, here or above; run this in a clone")

    @property
    def params(self) -> Path:
        """The settings."""
        return self.root / "params.yaml"

    @property
    def downloads(self) -> Path:
        """The dataset as it was downloaded: the output of the download stage."""
        return self.root / "downloads"

    @property
    def data(self) -> Path:
        """The dataset that the pipeline works on: `downloads/`, or the user's own."""
        return self.root / "data"

    @property
    def prepared(self) -> Path:
        """The split and checked dataset: the output of the preprocess stage."""
        return self.root / "prepared"

    @property
    def sources(self) -> Path:
        """Digests of the code behind each training: the output of the sources stage."""
        return self.root / "sources"

    @property
    def runs(self) -> Path:
        """The output of the train stage."""
        return self.root / self.runs_in

    @property
    def reports(self) -> Path:
        """What the results look like, in tables and pictures."""
        return self.root / "reports"

    @property
    def mlruns(self) -> Path:
        """MLflow's database and artifacts."""
        return self.home / "mlruns"

    def run(self, key: RunKey) -> Path:
        """The outputs of one training."""
        return self.runs / key.recipe / key.backend / str(key.seed)

    @property
    def artifacts(self) -> str:
        """Where MLflow keeps files, as a file:// address."""
        return (self.mlruns / "artifacts").as_uri()

    @property
    def spool(self) -> Path:
        """What MLflow's store could not take, until the next command delivers it."""
        return self.home / ".tandem" / "spool"

    def sweep(self, name: str) -> Path:
        """What a sweep keeps for the time that it runs."""
        return self.home / ".tandem" / "sweeps" / name

    def sweep_report(self, name: str) -> Path:
        """Tables and pictures of a sweep."""
        folder = self.reports / "sweeps" / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def checkpoint(self, key: RunKey, fingerprint: str, *, sweep: str | None = None) -> Path:
        """Where one training, or a trial of a sweep, keeps what it needs to resume.

        No output of the pipeline, since DVC deletes those before it runs a stage. `fingerprint` is a digest of all
        that decides its bits: experiments with other settings have other folders.
        """
        folder = self.sweep_checkpoints(sweep) if sweep else self._checkpoints
        return folder / key.recipe / key.backend / str(key.seed) / fingerprint

    def sweep_checkpoints(self, name: str) -> Path:
        """The checkpoints of a sweep's trials."""
        return self._checkpoints / f"sweep-{name}"

    @property
    def _checkpoints(self) -> Path:
        return self.home / ".tandem" / "checkpoints"
