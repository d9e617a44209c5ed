"""The commands that are stages of the pipeline: parse, call the stage of that name, say where the results are."""

import os
from dataclasses import replace
from typing import Annotated

import typer

from experiments.cli import complete
from experiments.cli.common import load_project
from experiments.settings.project import Project


def guard() -> None:
    """Refuse to go on where data.dvc would replace files in data/ that are nowhere else."""
    from experiments.stages.guard import guard

    guard(Project.find())


def download() -> None:
    """Fetch MNIST into downloads/, or a stand-in where no mirror answers.

    TANDEM_MIRROR, an address or a folder, is tried before `data.mirrors` in params.yaml.
    """
    project, params = load_project()
    from experiments.stages.download import download

    name = download(project, params.data, os.environ.get("TANDEM_MIRROR"))
    print(f"downloads/: {name}")


def preprocess() -> None:
    """Check the images in data/, split them, and write prepared/."""
    project, params = load_project()
    from experiments.data.dataset import load_dataset
    from experiments.stages.preprocess import preprocess

    preprocess(params.preprocess, project.data, project.prepared)
    dataset = load_dataset(project.prepared)
    print(f"prepared/: {dataset.name}, {dataset.classes} classes, fingerprint {dataset.fingerprint[:12]}")


def sources() -> None:
    """Write to sources/ which code and versions the trainings of each recipe depend on."""
    project, params = load_project()
    from experiments.stages.sources import write_sources

    write_sources(params, project.sources)


def train(
    recipe: Annotated[
        str, typer.Argument(help="A name under `recipes` in params.yaml.", autocompletion=complete.recipes)
    ],
    backend: Annotated[str, typer.Argument(help="`lightning` or `keras`.", autocompletion=complete.backend)],
    seed: Annotated[int, typer.Argument(min=0, help="Draws initial weights, batch order and dropout.")],
    runs_in: Annotated[str, typer.Option(hidden=True, help="The folder for its outputs, in the project.")] = "runs",
) -> None:
    """Train one recipe in one backend with one seed, into runs/RECIPE/BACKEND/SEED/ and MLflow.

    A training that was stopped resumes from its last epoch. Where DVC keeps the same run of the pipeline's, the outputs
    are in by-hand/runs/.
    """
    project, params = load_project()
    project = replace(project, runs_in=runs_in)
    from experiments.frameworks import backend_name
    from experiments.settings.by_hand import for_command
    from experiments.settings.project import RunKey
    from experiments.stages.train import train

    key = RunKey(recipe, backend_name(backend), seed)
    project = for_command(project, project.run(key))
    metrics = train(project, params, key)
    folder = project.run(key).relative_to(project.root)
    print(f"{folder}: test accuracy {100 * metrics['test/accuracy']:.2f} %, test loss {metrics['test/loss']:.4f}")


def collect() -> None:
    """Write down which runs `compare` reads, so that it depends on no other."""
    project, params = load_project()
    from experiments.stages.collect import collect

    collect(project, params)
