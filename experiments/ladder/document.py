"""docs/ladder.md: its words are written there by hand, the code is put in from the rungs' files."""

import re
from pathlib import Path

from experiments.system.errors import TandemError
from experiments.system.files import write_atomically

# A comment that names a file, and the link and the block under it.
CODE = re.compile(r"(?P<comment><!-- code: (?P<path>\S+) -->\n)(\[`[^\n]*\n\n```python\n.*?```\n)?", re.DOTALL)


def with_code(text: str, root: Path) -> str:
    """Return a page of docs/ with the code of a file, and a link to it, under each comment `<!-- code: FILE -->`.

    Raises:
        TandemError: there is no such file.
    """

    def block(match: re.Match[str]) -> str:
        file = root / match["path"]
        if not file.is_file():
            raise TandemError(f"docs/ladder.md: expected the files of rungs; got {match['path']}; correct its comment")
        code = file.read_text(encoding="utf-8")
        return f"{match['comment']}[`{match['path']}`](../{match['path']})\n\n```python\n{code}```\n"

    return CODE.sub(block, text)


def write_document(root: Path) -> Path:
    """Put the code of the rungs into docs/ladder.md, and return its path."""
    page = root / "docs" / "ladder.md"
    write_atomically(page, with_code(page.read_text(encoding="utf-8"), root))
    return page
