"""The parts of the page: a heading, and under it text, cards, tables, figures and pictures."""

import base64
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import plotly.graph_objects as go
from PIL import Image

from experiments.data.dataset import Images, to_bytes
from experiments.reports.made_from import MadeFrom


@dataclass(frozen=True)
class Text:
    """A paragraph; `loud`: one that nobody must miss."""

    text: str
    loud: bool = False
    kind: Literal["text"] = "text"


@dataclass(frozen=True)
class Heading:
    """A heading inside of a section."""

    text: str
    kind: Literal["heading"] = "heading"


@dataclass(frozen=True)
class Card:
    """An answer in a few words, and under it what it rests on."""

    title: str
    headline: str
    lines: Sequence[str]


@dataclass(frozen=True)
class Cards:
    """Cards side by side."""

    cards: Sequence[Card]
    made_from: MadeFrom | None = None
    kind: Literal["cards"] = "cards"


@dataclass(frozen=True)
class Call:
    """A cell with a call as code and, under it, what it answers; `bold` makes that stand out."""

    code: str
    answer: str
    bold: bool = False


@dataclass(frozen=True)
class Row:
    """A row of a table; `below` are rows of the same columns that are shown on request."""

    cells: Sequence[str | Call]
    below: Sequence[Sequence[str]] = ()


@dataclass(frozen=True)
class Table:
    """A table that can be sorted and copied as Markdown; `folded` is shown on request.

    `groups`: headings over several columns, each with the number of its columns.
    """

    head: Sequence[str]
    rows: Sequence[Sequence[str | Call] | Row]
    title: str = ""
    folded: bool = False
    groups: Sequence[tuple[str, int]] = ()
    made_from: MadeFrom | None = None
    kind: Literal["table"] = "table"

    @property
    def lines(self) -> Sequence[Row]:
        """The rows, each with what is below it."""
        return [row if isinstance(row, Row) else Row(row) for row in self.rows]

    @property
    def columns(self) -> Sequence[tuple[str, str]]:
        """Each heading, and its full name, the group's before it."""
        groups = [name for name, count in self.groups for _ in range(count)] or [""] * len(self.head)
        names = [f"{group}, {name}" if group else name for group, name in zip(groups, self.head, strict=True)]
        return list(zip(self.head, names, strict=True))


@dataclass(frozen=True)
class Picture:
    """An image of the dataset with what is to be said of it; pictures of the same `key` share a data URL, `source`."""

    key: str
    source: str
    title: str
    lines: Sequence[str]


@dataclass(frozen=True)
class Gallery:
    """Pictures side by side."""

    pictures: Sequence[Picture]
    title: str = ""
    folded: bool = False
    made_from: MadeFrom | None = None
    kind: Literal["gallery"] = "gallery"

    @property
    def content(self) -> str:
        """The key, the title and the lines of each picture, as JSON."""
        return to_script([[each.key, each.title, *each.lines] for each in self.pictures])


@dataclass(frozen=True)
class Chart:
    """A Plotly figure; `says` is what it shows, for whoever can't see it."""

    figure: go.Figure
    says: str = ""
    made_from: MadeFrom | None = None
    kind: Literal["chart"] = "chart"

    @property
    def content(self) -> str:
        """The figure as JSON, which may stand inside of a script element."""
        return str(self.figure.to_json()).replace("</", "<\\/")

    @property
    def height(self) -> int:
        """In pixels, as much as the place is held for it before it is drawn."""
        return int(self.figure.layout.height or 420)


Part = Text | Heading | Cards | Table | Gallery | Chart


@dataclass(frozen=True)
class Section:
    """A section: `answer` is its question's answer, in a sentence; `made_by` the command that shows the same again."""

    key: str
    title: str
    parts: Sequence[Part]
    made_by: str = "dvc repro"
    data: dict[str, Any] = field(default_factory=dict)
    answer: str = ""

    @property
    def content(self) -> str:
        """The data as JSON, which may stand inside of a script element."""
        return to_script(self.data)

    def with_origin(self, made_from: MadeFrom) -> "Section":
        """Return the section with what its parts are made from, where they don't say it themselves."""
        plain = (Text, Heading)
        parts = [
            part if isinstance(part, plain) or part.made_from else replace(part, made_from=made_from)
            for part in self.parts
        ]
        return replace(self, parts=parts)


def to_script(value: object) -> str:
    """Return a value as JSON that may stand inside of a script element."""
    return json.dumps(value).replace("</", "<\\/")


def picture_source(image: Images) -> str:
    """Return an image of shape (height, width, channels) as a data URL; a grey one as its negative, dark on light."""
    out, pixels = io.BytesIO(), to_bytes(image)
    Image.fromarray(255 - pixels[..., 0] if pixels.shape[-1] == 1 else pixels).save(out, format="png", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(out.getvalue()).decode()}"
