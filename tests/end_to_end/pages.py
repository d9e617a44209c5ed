"""The fenced blocks of a page, and what the comment before one says about it."""

import re
from dataclasses import dataclass
from pathlib import Path

BLOCK = re.compile(
    r"(?:<!-- (?P<role>[a-z ]+): (?P<detail>.+?) -->\n)?```(?P<language>\w*)\n(?P<text>.*?)```", re.DOTALL
)
# `make test` would run this test again.
NOT_RUN = ("make test",)


@dataclass(frozen=True)
class Block:
    """A fenced block of a page; `role` and `detail` are of a comment such as `<!-- not run: reason -->`."""

    page: str
    language: str
    text: str
    role: str | None
    detail: str

    @property
    def is_run(self) -> bool:
        """Whether it holds commands that a test runs."""
        return self.language == "bash" and self.role != "not run"

    @property
    def lines(self) -> list[str]:
        """Its commands, without comments."""
        stripped = (re.sub(r"\s+#.*", "", line).strip() for line in self.text.splitlines())
        return [line for line in stripped if line and line not in NOT_RUN]

    def write(self, root: Path) -> None:
        """Do to a file what the comment says.

        `file: PATH` is the whole of it; `added to: PATH, after: LINE` and `added to: PATH, instead of: LINE` begin
        at the one line that is LINE, but for a comment.
        """
        path, _, place = self.detail.partition(", ")
        if self.role == "file":
            (root / path).write_text(self.text)
            return
        where, _, beginning = place.partition(": ")
        lines = (root / path).read_text().splitlines(keepends=True)
        (position,) = (number for number, line in enumerate(lines) if line.split(" #")[0].strip() == beginning)
        lines[position] = self.text if where == "instead of" else lines[position] + self.text
        (root / path).write_text("".join(lines))


def blocks(path: Path) -> list[Block]:
    """Return the blocks of a page, in order."""
    matches = BLOCK.finditer(path.read_text())
    return [
        Block(path.name, match["language"], match["text"], match["role"], match["detail"] or "") for match in matches
    ]
