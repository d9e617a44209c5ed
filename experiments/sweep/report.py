"""A sweep as a table and plots, in reports/ and in its MLflow run (`tandem sweep report`)."""

import csv
import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from optuna.trial import FrozenTrial, TrialState
from tabulate import tabulate

from experiments.reports.page.sweeps import SWEEP
from experiments.settings.project import Project
from experiments.settings.recipe import BackendName
from experiments.sweep import pairs, trials
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
    if _paired(plan):
        agreement = pairs.pairs_of(plan, best)
        pairs.draw_pairs(agreement).savefig(folder / "pairs.png", dpi=120)
        write_json(folder / "pairs.json", agreement.to_json())
        text += "\n## Pairs\n\n" + "\n".join(pairs.verdict(agreement)) + "\n"
        files += [folder / "pairs.png", folder / "pairs.json"]
    write_atomically(folder / "report.md", text)
    write_atomically(folder / "trials.csv", to_csv(plan, study.get_trials(deepcopy=False)))
    write_json(folder / SWEEP, to_json(plan, study.get_trials(deepcopy=False)))
    files = [folder / "report.md", folder / "trials.csv", *files]
    store.connect(project)
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


def _paired(plan: Plan) -> Sequence[BackendName]:
    return plan.backends_of_trial if plan.backends == "both" else ()


def _row(plan: Plan, trial: FrozenTrial, *, is_own: bool) -> dict[str, str]:
    return {
        "trial": f"{trial.number}, the recipe's own" if is_own else str(trial.number),
        **{setting: f"{trial.params[setting]:.4g}" for setting in plan.space},
        **{backend: f"{result.value:.4f}" for backend, result in trials.results(trial, _paired(plan)).items()},
        plan.objective: f"{trial.value:.4f}",
    }


def to_json(plan: Plan, every: Sequence[FrozenTrial]) -> dict[str, Any]:
    """Return what the page of all runs shows of a sweep."""
    shown = []
    for trial in every:
        of = {backend: result.value for backend, result in trials.results(trial, _paired(plan)).items()}
        value = trial.value if trial.value is not None and math.isfinite(trial.value) else None
        if trial.state == TrialState.PRUNED and value is None and trial.intermediate_values:
            value = trial.intermediate_values[max(trial.intermediate_values)]
        shown.append(
            {
                "trial": trial.number,
                "state": trial.state.name,
                "params": trial.params,
                "value": value,
                "of": {backend: each for backend, each in of.items() if math.isfinite(each)},
                "own": plan.is_own(trial),
                "reason": str(trial.user_attrs.get(trials.REASON, "")),
            }
        )
    plan_of = {"name": plan.name, "recipe": plan.recipe_name, "backend": plan.backends, "objective": plan.objective}
    return {
        **plan_of,
        "backends": list(_paired(plan)),
        "epochs": plan.settings.epochs,
        "space": plan.space,
        "trials": shown,
    }


def to_csv(plan: Plan, every: Sequence[FrozenTrial]) -> str:
    """Return every trial: number, state, settings, objective (of each framework, too), and why it failed."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["trial", "state", *plan.space, *_paired(plan), plan.objective, trials.REASON])
    for trial in every:
        known = trials.results(trial, _paired(plan))
        values = [trial.params.get(setting) for setting in plan.space]
        values += [known[backend].value if backend in known else None for backend in _paired(plan)]
        writer.writerow([trial.number, trial.state.name, *values, trial.value, trial.user_attrs.get(trials.REASON)])
    return stream.getvalue()
