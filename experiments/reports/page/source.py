"""What the page is made from: the runs of the pipeline, and what other commands have left in reports/."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from experiments.data.dataset import Dataset, load_dataset
from experiments.frameworks import PACKAGES
from experiments.reports.pairs import read_pair
from experiments.settings.params import Params
from experiments.settings.project import Project, RunKey
from experiments.training.outputs import Outputs


@dataclass(frozen=True)
class Pairs:
    """The runs of a recipe, by seed and backend."""

    recipe: str
    by_seed: dict[int, Mapping[str, Outputs]]

    @property
    def backends(self) -> Sequence[str]:
        """The backends that trained the recipe."""
        return list(next(iter(self.by_seed.values())))

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
