"""The parts of the page: a heading, and under it text, tables, figures and pictures."""

import base64
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import matplotlib.image
import plotly.graph_objects as go

from experiments.data.dataset import Images


@dataclass(frozen=True)
class Text:
    """A paragraph; `loud`: one that nobody must miss."""

    text: str
    loud: bool = False
    kind: Literal["text"] = "text"


@dataclass(frozen=True)
class Table:
    """A table that can be sorted and copied as Markdown; `folded` is shown on request."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    title: str = ""
    folded: bool = False
    kind: Literal["table"] = "table"


@dataclass(frozen=True)
class Picture:
    """An image of the dataset with what is to be said of it; `source` is a data URL."""

    source: str
    title: str
    lines: Sequence[str]


@dataclass(frozen=True)
class Gallery:
    """Pictures side by side."""

    pictures: Sequence[Picture]
    title: str = ""
    folded: bool = False
    kind: Literal["gallery"] = "gallery"


@dataclass(frozen=True)
class Chart:
    """A Plotly figure."""

    figure: go.Figure
    kind: Literal["chart"] = "chart"

    @property
    def content(self) -> str:
        """The figure as JSON, which may stand inside of a script element."""
        return str(self.figure.to_json()).replace("</", "<\\/")


Part = Text | Table | Gallery | Chart


@dataclass(frozen=True)
class Section:
    """A section. `made_by` says what shows the same again: a command."""

    key: str
    title: str
    parts: Sequence[Part]
    made_by: str = "dvc repro"
    data: dict[str, Any] = field(default_factory=dict)

    @property
    def content(self) -> str:
        """The data as JSON, which may stand inside of a script element."""
        return json.dumps(self.data).replace("</", "<\\/")


def picture_source(image: Images) -> str:
    """Return an image, uint8 of shape (height, width), as a data URL: dark on light."""
    out = io.BytesIO()
    matplotlib.image.imsave(out, image, format="png", cmap="gray_r", vmin=0, vmax=255)
    return f"data:image/png;base64,{base64.b64encode(out.getvalue()).decode()}"
