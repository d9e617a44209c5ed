"""What the checks look at."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from experiments.doctor.frameworks import Answer
from experiments.settings.params import Params
from experiments.settings.project import Project
from experiments.settings.recipe import BackendName
from experiments.system.checks import Check


@dataclass(frozen=True)
class Surroundings:
    """A project, its settings (None: they are wrong), and what each framework is being asked."""

    project: Project
    params: Params | None
    frameworks: Mapping[BackendName, Answer]


# A check of one thing; it may find several, and an exception that it raises is a problem found.
Look = Callable[[Surroundings], Iterator[Check]]
