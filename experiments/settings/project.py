"""Where files are: the only module that knows the names of the project's files and folders."""

import os
from dataclasses import dataclass, replace
from pathlib import Path

from experiments.settings.recipe import BackendName
from experiments.system.errors import TandemError


@dataclass(frozen=True)
class RunKey:
    """What identifies a run: its recipe (or the trial of a sweep), backend and seed."""

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


class _Inside:
    """The path of a name inside of one of a project's folders."""

    def __init__(self, folder: str, name: str) -> None:
        self.folder, self.name = folder, name

    def __get__(self, project: "Project", owner: type) -> Path:
        folder: Path = getattr(project, self.folder)
        return folder / self.name


@dataclass(frozen=True)
class Project:
    """A checkout of the repository.

    `root` holds params.yaml and the outputs of the pipeline. `home` holds what outlives a single experiment (MLflow's
    store, checkpoints): the same folder, except in the copies that `dvc exp run --queue` and `--temp` work in. There,
    DVC_ROOT names the repository that they were made from.
    """

    root: Path
    home: Path
    # Trainings outside the pipeline have their outputs elsewhere.
    runs_in: str = "runs"
    reports_in: str = "reports"

    @classmethod
    def find(cls, start: Path | None = None) -> "Project":
        """Return the project around `start` (by default the working directory).

        Raises:
            TandemError: neither `start` nor a folder above it has both params.yaml and dvc.yaml.
        """
        start = (start or Path.cwd()).resolve()
        for folder in (start, *start.parents):
            if (folder / "params.yaml").is_file() and (folder / "dvc.yaml").is_file():
                return cls(root=folder, home=Path(os.environ.get("DVC_ROOT") or folder).resolve())
        raise TandemError(
            f"{start}: expected params.yaml and dvc.yaml, here or above; got neither; run this in a clone"
        )

    params = _Inside("root", "params.yaml")
    params_lock = _Inside("root", ".tandem/params.yaml")  # locked by a process that changes the settings
    pyproject = _Inside("root", "pyproject.toml")  # which Python and packages there may be
    lock = _Inside("root", "requirements.lock")  # their versions
    gpu_lock = _Inside("root", "requirements-gpu.lock")  # the same, with CUDA's packages
    data_file = _Inside("root", "data.dvc")  # what DVC records of `data`
    downloads = _Inside("root", "downloads")  # the dataset as it was downloaded, by the stage `download`
    data = _Inside("root", "data")  # the dataset that the pipeline uses: a copy of `downloads`, or the user's own
    dvc_lock = _Inside("root", "dvc.lock")  # which outputs DVC keeps
    guarded = _Inside("root", ".tandem/guarded")  # the output of the stage `guard`, always the same
    prepared = _Inside("root", "prepared")  # the checked and split dataset, by the stage `preprocess`
    sources = _Inside("root", "sources")  # what each training depends on, by the stage `sources`
    page = _Inside("reports", "index.html")  # what the runs show
    collected = _Inside("root", ".tandem/collected.json")  # which runs are compared, by the stage `collect`
    converted = _Inside("root", "converted")  # models of one framework, made of those of the other
    exported = _Inside("root", "exported")  # models as files for others
    mlruns = _Inside("home", "mlruns")  # MLflow's database and artifacts
    spool = _Inside("home", ".tandem/spool")  # what MLflow's store could not take, until a command delivers it
    builds = _Inside("home", ".tandem/builds.json")  # what `tandem check` has built, and found to be fine
    trainings = _Inside("home", ".tandem/trainings")  # what a list of trainings keeps while it runs
    reproductions = _Inside("home", ".tandem/reproduce")  # checkouts in which runs are repeated
    _checkpoints = _Inside("home", ".tandem/checkpoints")

    @property
    def runs(self) -> Path:
        """The outputs of the trainings: of the train stage, by default."""
        return self.root / self.runs_in

    @property
    def reports(self) -> Path:
        """Tables and plots."""
        return self.root / self.reports_in

    def run(self, key: RunKey) -> Path:
        """The outputs of one training."""
        return self.runs / key.recipe / key.backend / str(key.seed)

    def run_folders(self) -> list[Path]:
        """The folders in `runs` that a training may have written, in order of recipe, backend and seed."""
        folders = [folder for folder in self.runs.glob("*/*/*") if folder.name.isdigit()]
        return sorted(folders, key=lambda folder: (*folder.parts[-3:-1], int(folder.name)))

    def for_published(self) -> "Project":
        """The same project with the trainings of `tandem published` as its runs."""
        return replace(self, runs_in="reports/published")

    def for_hand(self) -> "Project":
        """The same project, with results in the folder of those that must not replace what DVC keeps."""
        return replace(self, runs_in="by-hand/runs", reports_in="by-hand/reports")

    @property
    def artifacts(self) -> str:
        """MLflow's folder for files, as a file:// address."""
        return (self.mlruns / "artifacts").as_uri()

    def sweep(self, name: str) -> Path:
        """What a sweep keeps while it runs."""
        return self.home / ".tandem" / "sweeps" / name

    def conversion(self, key: RunKey) -> Path:
        """The model of a run in the other framework, which the key names."""
        return self.converted / key.label

    def export(self, key: RunKey) -> Path:
        """The model of a run for others: a folder for each format."""
        return self.exported / key.label

    def attempts(self, key: RunKey) -> Path:
        """What the attempts at a training by other processes keep until it is done."""
        return self.trainings / key.label

    def sweep_report(self, name: str) -> Path:
        """Tables and plots of a sweep."""
        folder = self.reports / "sweeps" / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def checkpoint(self, key: RunKey, fingerprint: str) -> Path:
        """The folder for what a training needs to resume.

        Not an output of the pipeline, since DVC deletes those before it runs a stage. `fingerprint` is a digest of all
        that decides its bits: experiments with other settings have other folders.
        """
        return self._checkpoints / key.recipe / key.backend / str(key.seed) / fingerprint
