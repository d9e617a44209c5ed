"""What a training elsewhere is told, and what it says; no framework is needed to read it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, Literal

from experiments.contract.backend import Device
from experiments.contract.run_log import Point
from experiments.settings.project import Project, RunKey
from experiments.settings.recipe import Recipe
from experiments.training.training import Code


@dataclass(frozen=True)
class Order:
    """One attempt at a training.

    It keeps its checkpoint in `folder`, and resumes from the newest of the `earlier` attempts that has one. `dataset`
    is the fingerprint that the data must have, `code` the code. `objective` names the metric to report; None: a
    complete training, which scores the test set and fills its folder in `project.runs`.
    """

    project: Project
    key: RunKey
    recipe: Recipe
    dataset: str
    code: Code
    device: Device
    threads: int
    log_every_steps: int
    folder: Path
    earlier: Sequence[Path]
    objective: str | None


class Reply(Enum):
    """What a training is to do after a report."""

    GO_ON = "go on"
    PRUNE = "prune"
    SUPERSEDED = "superseded"
    """Stop, and write nothing any more: another attempt has taken its place."""


@dataclass(frozen=True)
class Begun:
    """A training is about to begin, or to resume after `epoch`; `points` has every metric so far."""

    epoch: int
    device: str
    tags: Mapping[str, str]
    params: Mapping[str, Any]
    points: Sequence[Point]


@dataclass(frozen=True)
class EpochDone:
    """An epoch has ended; its checkpoint is written once this is answered."""

    epoch: int
    value: float
    points: Sequence[Point]


@dataclass(frozen=True)
class Closing:
    """A complete training has ended; its outputs are written once this is answered.

    `files` and `tags` belong to its run.
    """

    points: Sequence[Point]
    files: Path
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """How a training ended.

    `values` has the objective after each epoch. `seconds` is the time from the order to the end, `training` the part
    of it inside the framework's training, `memory_mb` what the process held after it (resident, 10⁶ bytes).
    `diverged` says where a loss was no number. `tags` belong to its run.
    """

    state: Literal["complete", "pruned", "diverged", "superseded"]
    values: tuple[float, ...] = ()
    seconds: float = 0.0
    training: float = 0.0
    memory_mb: float = 0.0
    diverged: str | None = None
    points: Sequence[Point] = field(default=())
    tags: Mapping[str, str] = field(default_factory=dict)
