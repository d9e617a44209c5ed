"""Writes reports/index.html."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from plotly.offline import get_plotlyjs

from experiments.reports.page.answers import answers_section
from experiments.reports.page.curves import curves_section
from experiments.reports.page.differences import settings_section
from experiments.reports.page.graphs import graphs_section
from experiments.reports.page.ladder import ladder_section
from experiments.reports.page.operations import operations_section
from experiments.reports.page.proof import parity_section, published_section
from experiments.reports.page.resources import resources_section
from experiments.reports.page.section import Call, Gallery, Section, to_script
from experiments.reports.page.source import COMMAND, Source, read_source
from experiments.reports.page.sweeps import sweeps_section
from experiments.reports.page.tables import pairs_section
from experiments.reports.page.verdict import verdict
from experiments.reports.share import share_page
from experiments.settings.params import Params
from experiments.settings.project import Project
from experiments.system.console import say
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
    sections = [section.with_origin(source.made_from) for section in sections]
    sections += [make(project.reports) for make in (sweeps_section, parity_section, published_section)]
    by_hand = parity_section(project.for_hand().reports, "parity-by-hand", "Parity, by hand")
    sections[-1:-1] = [by_hand] if by_hand.parts else []
    sections += [make(project.reports) for make in (operations_section, ladder_section, graphs_section)]
    write_atomically(project.page, render(source, sections))
    return project.page


def refresh_page(project: Project, params: Params) -> None:
    """Write the page again, if the pipeline has its runs: something else on it is new."""
    try:
        write_page(project, params)
    except TandemError as error:
        say(f"{project.page.relative_to(project.root)}: not written, since it shows the runs of the pipeline: {error}")
    else:
        share_page(project)


def render(source: Source, sections: list[Section]) -> str:
    """Return the page as HTML; it needs nothing else, and no network."""
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(cell=cell, short=short, code=code)
    return environment.get_template("page.html.jinja").render(
        dataset=source.dataset,
        sections=sections,
        footer=_footer(source),
        images=_images(sections),
        plotly=get_plotlyjs(),
        style=(FOLDER / "page.css").read_text(),
        script=(FOLDER / "page.js").read_text(),
    )


def cell(content: str | Call) -> str:
    """Return what a cell of a table shows."""
    if isinstance(content, str):
        return short(content)
    answer = Markup("<b>{}</b>").format(content.answer) if content.bold else escape(content.answer)
    return Markup("<code>{}</code><br>{}").format(content.code, answer)


def short(text: str) -> str:
    """Return a digest or an id in eight characters, the whole of it in its title; any other text as it is."""
    if len(text) < 16 or set(text) - set("0123456789abcdef"):
        return escape(text)
    return Markup('<code title="{}">{}</code>').format(text, text[:8])


def code(text: str) -> str:
    """Return a sentence with what is between backticks set as code."""
    words = (
        Markup("<code>{}</code>").format(word) if place % 2 else escape(word)
        for place, word in enumerate(text.split("`"))
    )
    return Markup("").join(words)


def _images(sections: Sequence[Section]) -> str:
    """Return the images of all galleries, each of them once."""
    galleries = [part for section in sections for part in section.parts if isinstance(part, Gallery)]
    return to_script({each.key: each.source for gallery in galleries for each in gallery.pictures})


def _footer(source: Source) -> list[Mapping[str, str]]:
    """Return what each run can be found and made again by."""
    return [
        {
            "run": name,
            "mlflow": run_id,
            "commit": str(run.record["tags"]["git_commit"]),
            "settings": str(run.record["tags"]["pair"]).rsplit("-", 1)[-1],
            "command": f"{COMMAND} train@{name}",
        }
        for pairs in source.pairs
        for (name, run_id), run in zip(pairs.made_from.runs, pairs.outputs, strict=True)
    ]
