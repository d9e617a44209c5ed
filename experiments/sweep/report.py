"""A sweep as a table and pictures, in reports/ and in its MLflow run (`tandem sweep report`)."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import optuna
from optuna.trial import FrozenTrial

from experiments import tracking
from experiments.settings.project import Project
from experiments.sweep.confirm import load_sweep
from experiments.sweep.members import results
from experiments.sweep.pairs import draw_pairs, pairs_of, verdict
from experiments.sweep.pictures import draw
from experiments.sweep.plan import Plan
from experiments.sweep.queue import REASON
from experiments.sweep.ranking import own_settings, ranked
from experiments.sweep.status import Status, status_of
from experiments.sweep.storage import connect
from experiments.sweep.study import PARENT
from experiments.system.console import warn
from experiments.system.files import write_atomically, write_json

SHOWN = 10


def report(project: Project, name: str) -> tuple[str, list[Path]]:
    """Write the report of a study; return its text, and the files.

    Raises:
        TandemError: there is no such study, or none of its trials is complete.
    """
    study, plan = load_sweep(connect(project), name)
    best = ranked(study, plan)
    folder = project.sweep_report(plan.name)
    files = draw(study, plan, folder)
    text = to_markdown(plan, status_of(study, plan), best)
    if len(plan.backends_of_trial) > 1:
        pairs = pairs_of(plan, best)
        draw_pairs(plan, pairs).savefig(folder / "pairs.png", dpi=120)
        write_json(folder / "pairs.json", pairs.to_json())
        text += "\n## Pairs\n\n" + "\n".join(verdict(pairs)) + "\n"
        files += [folder / "pairs.png", folder / "pairs.json"]
    write_atomically(folder / "report.md", text)
    write_atomically(folder / "trials.csv", to_csv(plan, study.get_trials(deepcopy=False)))
    files = [folder / "report.md", folder / "trials.csv", *files]
    tracking.connect(project)
    parent = study.user_attrs.get(PARENT, "")
    if tracking.find_run(parent):
        tracking.add_files(parent, files)
    else:
        warn(f"the run of sweep {name} is not in MLflow: the report is in {folder.relative_to(project.root)}/ alone")
    return text, files


def to_markdown(plan: Plan, status: Status, best: Sequence[FrozenTrial]) -> str:
    """Return what the sweep was, and its best trials."""
    settings = list(plan.space)
    lines = [f"# Sweep {plan.name}", ""]
    lines += [
        f"Recipe `{plan.recipe_name}` in {' and '.join(plan.backends_of_trial)}, {plan.settings.epochs} epoch(s) a trial; "
        f"sampler {plan.sampler}, pruner {plan.pruner}, seed {plan.seed}. "
        f"Objective: {plan.objective}, of one seed each; the test set plays no part.",
        "",
        f"{status.finished} trials finished, {status.pruned} of them pruned; {status.failed} failed, "
        f"{status.running} running, {status.waiting} waiting.",
        "",
    ]
    columns = [*settings, *(plan.backends_of_trial if len(plan.backends_of_trial) > 1 else ()), plan.objective]
    lines += [f"| trial | {' | '.join(columns)} |", f"| --- {'| --: ' * len(columns)}|"]
    own = own_settings(best, plan)
    shown = list(best[:SHOWN])
    if own is not None and own not in shown:
        shown.append(own)
    lines += [_row(plan, trial, settings, is_own=trial is own) for trial in shown]
    lines += ["", f"Next: `tandem sweep confirm {plan.name}` tells luck from merit."]
    return "\n".join(lines) + "\n"


def _row(plan: Plan, trial: FrozenTrial, settings: Sequence[str], *, is_own: bool) -> str:
    name = f"{trial.number}, the recipe's own" if is_own else str(trial.number)
    cells = [f"{trial.params[setting]:.4g}" for setting in settings]
    if len(plan.backends_of_trial) > 1:
        cells += [f"{one.value:.4f}" for one in results(trial, plan.backends_of_trial).values()]
    return f"| {name} | {' | '.join(cells)} | {trial.value:.4f} |"


def to_csv(plan: Plan, trials: Sequence[optuna.trial.FrozenTrial]) -> str:
    """Return every trial: number, state, settings, objective (of each framework, too), and why it failed."""
    stream = io.StringIO()
    settings = list(plan.space)
    members = list(plan.backends_of_trial) if len(plan.backends_of_trial) > 1 else []
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["trial", "state", *settings, *members, plan.objective, REASON])
    for trial in trials:
        found = results(trial, plan.backends_of_trial)
        of_each = (
            [found[backend].value if backend in found else "" for backend in plan.backends_of_trial] if members else []
        )
        values = [trial.params.get(setting, "") for setting in settings]
        value = trial.value if trial.state.is_finished() and trial.value is not None else ""
        writer.writerow([trial.number, trial.state.name, *values, *of_each, value, trial.user_attrs.get(REASON, "")])
    return stream.getvalue()
