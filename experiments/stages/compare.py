"""Stage `compare`: the two runs of each pair, side by side; and the page that shows what came of them."""

from experiments.frameworks import PACKAGES
from experiments.reports.dvc import write_for_dvc
from experiments.reports.page.write import write_page
from experiments.reports.pairs import compare_runs, read_pair, to_markdown
from experiments.reports.plots import learning_curves
from experiments.reports.share import share_page
from experiments.settings.params import Params
from experiments.settings.project import Project, RunKey
from experiments.system.files import write_atomically, write_json
from experiments.training.outputs import Outputs


def compare(project: Project, params: Params) -> str:
    """Write the page, tables, a plot a pair and the files of DVC's screens to reports/; return the table as Markdown.

    Raises:
        TandemError: a run that the settings ask for is missing, or the runs of a pair differ in settings or data.
    """
    plots = project.reports / "pairs"
    plots.mkdir(parents=True, exist_ok=True)
    backends = [name for name in PACKAGES if name in params.train.backends]
    pairs = []
    every: dict[RunKey, Outputs] = {}
    for recipe in params.train.recipes:
        for seed in params.train.seeds:
            keys = [RunKey(recipe, backend, seed) for backend in backends]
            runs = read_pair(project, keys)
            every |= dict(zip(keys, runs.values(), strict=True))
            dataset = str(next(iter(runs.values())).record["tags"]["dataset"])
            pairs.append({"recipe": recipe, "seed": seed, **compare_runs(runs)})
            histories = {backend: run.history for backend, run in runs.items()}
            curves = learning_curves(f"{recipe}, seed {seed}, on {dataset}", histories)
            curves.savefig(plots / f"{recipe}-{seed}.png", dpi=120)
    table = to_markdown(dataset, pairs)
    write_json(project.reports / "compare.json", {"dataset": dataset, "pairs": pairs})
    write_for_dvc(project.reports, dataset, every, pairs)
    write_atomically(project.reports / "compare.md", table)
    write_page(project, params)
    share_page(project, table)
    return table
