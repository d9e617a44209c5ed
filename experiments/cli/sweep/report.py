"""`tandem sweep report`: a study on the page."""

from experiments.cli.common import load_project
from experiments.cli.output import JsonOption, show
from experiments.cli.sweep.options import NameArgument


def report(name: NameArgument, as_json: JsonOption = False) -> None:
    """Show a study on the page that `tandem report` opens: slices, importance, its trials; for pairs, the differences.

    With a table and plots in reports/sweeps/NAME/, and in the study's run in MLflow.
    """
    from experiments.reports.page.sweeps import SWEEP
    from experiments.reports.page.write import refresh_page
    from experiments.sweep.report import report
    from experiments.system.files import read_json

    project, params = load_project()
    text, files = report(project, name)
    refresh_page(project, params)
    content = read_json(project.sweep_report(name) / SWEEP)
    show(content, text, *(str(path.relative_to(project.root)) for path in files), as_json=as_json)
