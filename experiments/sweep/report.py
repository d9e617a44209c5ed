"""A sweep as a table and plots, in reports/ and in its MLflow run (`tandem sweep report`)."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from optuna.trial import FrozenTrial
from tabulate import tabulate

from experiments.reports.page.sweeps import SWEEP
from experiments.settings.project import Project
from experiments.settings.tuned import cells
from experiments.sweep import pairs, trials
from experiments.sweep.origin import made_from
from experiments.sweep.page_data import paired, to_json
from experiments.sweep.pictures import draw
from experiments.sweep.plan import Plan
from experiments.sweep.status import Status, status_of
from experiments.sweep.storage import connect
from experiments.sweep.study import PARENT, load_sweep, ranked
from experiments.system.console import warn
from experiments.system.files import write_atomically, write_json
from experiments.tracking import runs, store

SHOWN = 10


def report(project: Project, name: str) -> tuple[str, list[Path]]:
    """Write the report of a study; return its text, and the files.

    Raises:
        TandemError: the study doesn't exist, or none of its trials is complete.
    """
    study, plan = load_sweep(connect(project), name)
    best = ranked(study, plan)
    folder = project.sweep_report(plan.name)
    files = draw(study, plan, folder)
    text = to_markdown(plan, status_of(study, plan), best)
    if paired(plan):
        agreement = pairs.pairs_of(plan, best)
        pairs.draw_pairs(agreement).savefig(folder / "pairs.png", dpi=120)
        write_json(folder / "pairs.json", agreement.to_json())
        text += "\n## Pairs\n\n" + "\n".join(pairs.verdict(agreement)) + "\n"
        files += [folder / "pairs.png", folder / "pairs.json"]
    write_atomically(folder / "report.md", text)
    write_atomically(folder / "trials.csv", to_csv(plan, study.get_trials(deepcopy=False)))
    origin = made_from(store.connect(project), plan, f"tandem sweep report {name}")
    write_json(folder / SWEEP, to_json(study, plan, origin))
    files = [folder / "report.md", folder / "trials.csv", folder / SWEEP, *files]
    parent = study.user_attrs.get(PARENT, "")
    if runs.find_run(parent):
        runs.add_files(parent, files)
    else:
        warn(f"the run of sweep {name} is not in MLflow: the report is in {folder.relative_to(project.root)}/ alone")
    return text, files


def to_markdown(plan: Plan, status: Status, best: Sequence[FrozenTrial]) -> str:
    """Return what the sweep was, and its best trials."""
    own = [trial for trial in best if plan.is_own(trial)][:1]
    shown = [*best[:SHOWN], *(trial for trial in own if trial not in best[:SHOWN])]
    rows = [_row(plan, trial, is_own=trial in own) for trial in shown]
    lines = [
        f"# Sweep {plan.name}",
        "",
        f"Recipe `{plan.recipe_name}` in {' and '.join(plan.backends_of_trial)}, {plan.settings.epochs} epoch(s) a "
        f"trial; sampler {plan.sampler}, pruner {plan.pruner}, seed {plan.seed}. "
        f"Objective: {plan.objective}, of a single seed; the test set plays no part.",
        "",
        f"{status.finished} trials finished, {status.pruned} of them pruned; {status.failed} failed, "
        f"{status.running} running, {status.waiting} waiting.",
        "",
        tabulate(rows, headers="keys", tablefmt="github", disable_numparse=True),
        "",
        f"Next: `tandem sweep confirm {plan.name}` trains the best with fresh seeds: a single seed may be luck.",
    ]
    return "\n".join(lines) + "\n"


def _row(plan: Plan, trial: FrozenTrial, *, is_own: bool) -> dict[str, str]:
    return {
        "trial": f"{trial.number}, the recipe's own" if is_own else str(trial.number),
        **cells(trial.params, plan.space),
        **{backend: f"{result.value:.4f}" for backend, result in trials.results(trial, paired(plan)).items()},
        plan.objective: f"{trial.value:.4f}",
    }


def to_csv(plan: Plan, every: Sequence[FrozenTrial]) -> str:
    """Return every trial: number, state, settings, objective (of each framework, too), and why it failed."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["trial", "state", *plan.space, *paired(plan), plan.objective, trials.REASON])
    for trial in every:
        known = trials.results(trial, paired(plan))
        values = [trial.params.get(setting) for setting in plan.space]
        values += [known[backend].value if backend in known else None for backend in paired(plan)]
        writer.writerow([trial.number, trial.state.name, *values, trial.value, trial.user_attrs.get(trials.REASON)])
    return stream.getvalue()
