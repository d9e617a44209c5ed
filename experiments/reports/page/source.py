"""What the page is made from: the runs of the pipeline, and what other commands have left in reports/."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from experiments.data.dataset import Dataset, load_dataset
from experiments.frameworks import PACKAGES
from experiments.reports.made_from import MadeFrom, of_outputs
from experiments.reports.pairs import read_pair
from experiments.settings.params import Params
from experiments.settings.project import Project, RunKey
from experiments.training.outputs import Outputs

# What makes the page and its runs again.
COMMAND = "dvc repro"
# The metric that says how long an epoch takes.
SECONDS = "median_epoch_seconds"


@dataclass(frozen=True)
class Pairs:
    """The runs of a recipe, by seed and backend."""

    recipe: str
    by_seed: dict[int, Mapping[str, Outputs]]

    @property
    def backends(self) -> Sequence[str]:
        """The backends that trained the recipe."""
        return list(next(iter(self.by_seed.values())))

    @property
    def outputs(self) -> Sequence[Outputs]:
        """The runs of all seeds and backends."""
        return [run for runs in self.by_seed.values() for run in runs.values()]

    @property
    def made_from(self) -> MadeFrom:
        """What a figure of the recipe is made from."""
        return of_outputs(COMMAND, self.outputs)

    def values(self, backend: str, metric: str) -> list[float]:
        """Return a final metric of a backend, for each seed."""
        return [runs[backend].metrics[metric] for runs in self.by_seed.values()]

    def mean(self, backend: str, metric: str) -> float:
        """Return the mean of a metric over the seeds."""
        return fmean(self.values(backend, metric))

    def differences(self, metric: str) -> list[float]:
        """Return the second backend's metric minus the first's, for each seed; nothing with one backend."""
        if len(self.backends) < 2:
            return []
        first, second = (self.values(backend, metric) for backend in self.backends)
        return [b - a for a, b in zip(first, second, strict=True)]


@dataclass(frozen=True)
class Source:
    """The pairs of the pipeline, and the dataset that they were trained on."""

    dataset: Dataset
    pairs: Sequence[Pairs]

    @property
    def made_from(self) -> MadeFrom:
        """What the page is made from."""
        return of_outputs(COMMAND, [run for pairs in self.pairs for run in pairs.outputs])


def read_source(project: Project, params: Params) -> Source:
    """Return what the page is made from.

    Raises:
        TandemError: a run that the settings ask for is missing, or the runs of a pair differ in settings or data.
    """
    backends = [name for name in PACKAGES if name in params.train.backends]
    pairs = [
        Pairs(
            recipe,
            {
                seed: read_pair(project, [RunKey(recipe, backend, seed) for backend in backends])
                for seed in params.train.seeds
            },
        )
        for recipe in params.train.recipes
    ]
    return Source(load_dataset(project.prepared), pairs)
