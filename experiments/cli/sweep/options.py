"""What several of the `tandem sweep` commands are given."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from experiments.cli import complete
from experiments.cli.common import OnOption, engine_name

if TYPE_CHECKING:
    from experiments.sweep.run import Where


NameArgument = Annotated[
    str, typer.Argument(help="A study; `tandem sweep status` lists them.", autocompletion=complete.studies)
]
StudiesArgument = Annotated[
    str | None, typer.Argument(help="A study; by default, all of them.", autocompletion=complete.studies)
]
RecipeOption = Annotated[
    str, typer.Option(help="A name under `recipes` in params.yaml.", autocompletion=complete.recipes)
]
WorkersOption = Annotated[
    int | None,
    typer.Option(help="Processes at the same time; they share the cores, or the GPUs. By default 1, for pairs 2."),
]


@dataclass(frozen=True)
class PlaceOptions:
    """Where trainings run."""

    on: OnOption = "local"
    workers: WorkersOption = None
    take_over: Annotated[
        bool, typer.Option("--take-over", help="Although another process may be at work on it; that one stops.")
    ] = False

    def read(self) -> "Where":
        """Return what they ask for.

        Raises:
            TandemError: there is no such engine.
        """
        from experiments.sweep.run import Where

        return Where(engine_name(self.on), self.workers, take_over=self.take_over)

    @property
    def words(self) -> list[str]:
        """The options as they are typed."""
        words = ["--on", self.on, *([] if self.workers is None else ["--workers", str(self.workers)])]
        return [*words, *(["--take-over"] if self.take_over else [])]


@dataclass(frozen=True)
class LengthOptions:
    """How much a sweep trains."""

    trials: Annotated[int | None, typer.Option(help="Finished trials in all; by default `sweep.trials`.")] = None
    epochs: Annotated[int | None, typer.Option(help="Of each trial; by default `sweep.epochs`.")] = None

    @property
    def words(self) -> list[str]:
        """The options as they are typed."""
        given = {"--trials": self.trials, "--epochs": self.epochs}
        return [word for option, count in given.items() if count is not None for word in (option, str(count))]


@dataclass(frozen=True)
class SubmitOptions:
    """What is done instead of running a sweep here."""

    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be submitted, and do nothing.")] = False
    detach: Annotated[bool, typer.Option("--detach", help="Run the controller as a job of its own (slurm).")] = False
