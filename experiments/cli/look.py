"""The commands that open the results: the page about the runs, and MLflow."""

from typing import Annotated

import typer

from experiments.cli.common import load_project
from experiments.settings.project import Project


def report() -> None:
    """Write reports/index.html, the page about the runs of the pipeline, and open it in a browser."""
    project, params = load_project()
    from experiments.reports.page.write import write_page

    write_page(project, params)
    print(project.page)
    typer.launch(project.page.as_uri())


def ui(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Where the server listens, on 127.0.0.1.")] = 5000,
) -> None:
    """Serve MLflow over mlruns/, on this machine only."""
    from experiments.tracking.ui import serve

    serve(Project.find(), port)
