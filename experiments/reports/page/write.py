"""Writes reports/index.html."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from plotly.offline import get_plotlyjs

from experiments.reports.page.answers import answers_section
from experiments.reports.page.curves import curves_section
from experiments.reports.page.proof import parity_section, published_section
from experiments.reports.page.resources import resources_section
from experiments.reports.page.section import Section
from experiments.reports.page.source import Source, read_source
from experiments.reports.page.sweeps import sweeps_section
from experiments.reports.page.tables import pairs_section, settings_section
from experiments.reports.page.verdict import verdict
from experiments.reports.share import share_page
from experiments.settings.params import Params
from experiments.settings.project import Project
from experiments.system.errors import TandemError
from experiments.system.files import write_atomically

FOLDER = Path(__file__).parent


def write_page(project: Project, params: Params) -> Path:
    """Write the page about the runs of the pipeline, and return its path.

    Raises:
        TandemError: a run that the settings ask for is missing, or the runs of a pair differ in settings or data.
    """
    source = read_source(project, params)
    makers = (verdict, pairs_section, curves_section, answers_section, resources_section, settings_section)
    sections = [make(source) for make in makers]
    sections += [make(project.reports) for make in (sweeps_section, parity_section, published_section)]
    write_atomically(project.page, render(source, sections))
    return project.page


def refresh_page(project: Project, params: Params) -> None:
    """Write the page again, if the pipeline has its runs: something else on it is new."""
    with suppress(TandemError):
        write_page(project, params)
        share_page(project)


def render(source: Source, sections: list[Section]) -> str:
    """Return the page as HTML; it needs nothing else, and no network."""
    environment = Environment(loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined)
    template = environment.get_template("page.html.jinja")
    return template.render(
        dataset=source.dataset,
        sections=sections,
        footer=_footer(source),
        plotly=get_plotlyjs(),
        style=(FOLDER / "page.css").read_text(),
        script=(FOLDER / "page.js").read_text(),
    )


def _footer(source: Source) -> list[Mapping[str, str]]:
    """Return what each run can be found and made again by."""
    return [
        {
            "run": f"{pairs.recipe}-{backend}-{seed}",
            "mlflow": str(run.record["mlflow_run_id"]),
            "settings": str(run.record["tags"]["pair"]),
            "command": f"dvc repro train@{pairs.recipe}-{backend}-{seed}",
        }
        for pairs in source.pairs
        for seed, runs in pairs.by_seed.items()
        for backend, run in runs.items()
    ]
