"""The page and the table of the pairs, where MLflow shows them."""

from experiments.settings.project import Project
from experiments.system.console import warn
from experiments.system.errors import TandemError
from experiments.system.urls import one_line
from experiments.tracking import runs, store


def share_page(project: Project, pairs: str | None = None) -> None:
    """Keep the page in a run of its own, and the table of the pairs in the experiment's description.

    A store that fails is warned of: the page is in reports/. Nothing is kept of an experiment of DVC in a copy of the
    project, nor where no run was tracked.
    """
    if project.root != project.home or not store.exists(project):
        return
    try:
        experiment = store.open_experiment(project)
        run_id = runs.keep_page(experiment, project.page)
        if pairs is not None:
            where = f"#/experiments/{experiment}/runs/{run_id}/artifacts/{project.page.name}"
            about = f"[The page about these runs]({where}); `tandem report` opens it without MLflow."
            spaced = pairs.replace(" |", "&emsp;|")  # MLflow leaves no room between columns
            store.describe(experiment, f"{about}\n\n{spaced}")
    except (TandemError, store.StoreError, OSError) as error:
        warn(f"{project.page.relative_to(project.root)} is not in MLflow: {one_line(error)}")
