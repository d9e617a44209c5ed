"""What the plan of a repetition says: a line on each thing that it takes."""

from dataclasses import dataclass
from typing import Literal

from experiments.system.errors import TandemError

Level = Literal["ok", "warns", "refuses"]


@dataclass(frozen=True)
class Finding:
    """A line of the plan.

    `refuses` stops before anything is trained; `anyway`: unless the user wants it nevertheless. `remedy`: what to do.
    """

    what: str
    level: Level
    text: str
    remedy: str = ""
    anyway: bool = False

    def __str__(self) -> str:
        """Return it as a line of a table."""
        remedy = f"; {self.remedy}" if self.remedy and self.level == "warns" else ""
        return f"  {self.level:<9}{self.what:<11}{self.text}{remedy}"


def refuse(findings: list[Finding], *, anyway: bool) -> None:
    """Raise the first that refuses.

    Raises:
        TandemError: one does, and `anyway` doesn't help.
    """
    for each in findings:
        if each.level == "refuses" and not (anyway and each.anyway):
            more = ", or add --anyway, which gives up the same bits" if each.anyway else ""
            raise TandemError(f"{each.what}: {each.text}", advice=f"{each.remedy}{more}; nothing was trained")
