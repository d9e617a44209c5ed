"""Stage `guard`: refuses before data.dvc replaces files of the user's in data/.

DVC makes data.dvc's import without a question. So this stage, which takes a second, runs every time, before
`download`, from which the import follows. What it writes is always the same: nothing runs again because of it.
"""

from experiments.data.recorded import check_nothing_is_lost
from experiments.settings.project import Project
from experiments.system.files import write_atomically


def guard(project: Project) -> None:
    """Check data/, and leave a file for DVC.

    Raises:
        TandemError: the import would lose files.
    """
    check_nothing_is_lost(project)
    write_atomically(project.guarded, "data.dvc replaces nothing that is only in data/\n")
