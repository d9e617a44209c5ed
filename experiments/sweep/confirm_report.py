"""A confirmation as a table and a plot."""

from pathlib import Path

from matplotlib.figure import Figure
from tabulate import tabulate

from experiments.reports.intervals import Interval, interval
from experiments.reports.plots import COLOURS
from experiments.settings.project import Project
from experiments.sweep.confirmation import Candidate, Confirmation, Lead
from experiments.system.files import write_atomically, write_json
from experiments.tracking import Tracker


def report_path(project: Project, confirmation: Confirmation) -> Path:
    """Return the Markdown file of a confirmation; the .json and the .png are beside it."""
    return project.sweep_report(confirmation.plan.name) / f"confirm-{confirmation.label}.md"


def write_confirmation(project: Project, confirmation: Confirmation, tracker: Tracker) -> None:
    """Write a confirmation as .md, .json and .png to the sweep's folder in reports/, and to its MLflow run."""
    path = report_path(project, confirmation)
    text, plot = to_markdown(confirmation), draw(confirmation)
    write_atomically(path, text)
    write_json(path.with_suffix(".json"), to_json(confirmation))
    plot.savefig(path.with_suffix(".png"), dpi=120)
    tracker.text(text, path.name)
    tracker.plot(plot, path.with_suffix(".png").name)


def to_json(confirmation: Confirmation) -> dict[str, object]:
    """Return the numbers and the verdicts."""
    return {
        "study": confirmation.plan.name,
        "objective": confirmation.plan.objective,
        "epochs": confirmation.epochs,
        "seeds": list(confirmation.seeds),
        "candidates": [
            {
                "trial": candidate.trial,
                "settings": dict(candidate.settings),
                "own": candidate.own,
                "in_the_sweep": candidate.sweep_value,
                "values": [candidate.values.get(seed) for seed in confirmation.seeds],
            }
            for candidate in confirmation.candidates
        ],
        "verdicts": verdicts(confirmation),
    }


def to_markdown(confirmation: Confirmation) -> str:
    """Return the candidates as a table, and the verdicts on the first."""
    plan, settings = confirmation.plan, list(confirmation.plan.space)
    unit = ", in per cent" if _is_accuracy(confirmation) else ""
    in_sweep = "as" if confirmation.epochs == plan.settings.epochs else str(plan.settings.epochs)
    lines = [
        f"# Confirmation of sweep {plan.name}",
        "",
        f"{plan.objective}{unit}: mean ± half of the 95 % interval (Student's t) over the seeds",
        f"{', '.join(map(str, confirmation.seeds))}, none of which the sweep used. The test set plays no part.",
        f"Trained for {confirmation.epochs} epoch(s), {in_sweep} in the sweep; longer trainings may rank differently.",
        "",
        tabulate(
            [_row(confirmation, candidate) for candidate in confirmation.candidates],
            ["trial", *settings, "in the sweep", "with fresh seeds"],
            tablefmt="pipe",
            disable_numparse=True,
            colalign=["left", *["right"] * (len(settings) + 2)],
        ),
        "",
        *verdicts(confirmation),
    ]
    return "\n".join(lines) + "\n"


def _row(confirmation: Confirmation, candidate: Candidate) -> list[str]:
    name = f"{candidate.trial}, the recipe's own" if candidate.own else str(candidate.trial)
    numbers = [f"{candidate.settings[setting]:.4g}" for setting in confirmation.plan.space]
    missing = len(confirmation.seeds) - len(candidate.values)
    value = f"failed with {missing} seed(s)" if missing else _show(confirmation, interval([*candidate.values.values()]))
    return [name, *numbers, _number(confirmation, candidate.sweep_value), value]


def verdicts(confirmation: Confirmation) -> list[str]:
    """Return whether the first is really ahead of the recipe's own settings, and of the second."""
    lines = []
    if not any(candidate.own for candidate in confirmation.complete):
        lines.append("The recipe's own settings are missing, or failed with a seed: there is no baseline.")
    if confirmation.winner.own:
        return ["The recipe's own settings have the best mean: there is nothing to promote."]
    leads = confirmation.leads()
    if not leads:
        return [*lines, "Nothing to compare."]
    lines += [_verdict(confirmation, lead) for lead in leads]
    return [*lines, "The intervals of these differences are wide enough for a winner chosen by the same seeds."]


def _verdict(confirmation: Confirmation, lead: Lead) -> str:
    judgement = "not told apart from" if lead.doubt else "really ahead of"
    why = lead.doubt or "the interval does not contain 0"
    difference = _show(confirmation, lead.difference)
    return f"Trial {confirmation.winner.trial} is **{judgement}** {lead.other}: by {difference}, seed by seed; {why}."


def _is_accuracy(confirmation: Confirmation) -> bool:
    return confirmation.plan.objective.endswith("accuracy")


def _number(confirmation: Confirmation, value: float) -> str:
    return f"{100 * value:.2f}" if _is_accuracy(confirmation) else f"{value:.4f}"


def _show(confirmation: Confirmation, spread: Interval) -> str:
    return f"{_number(confirmation, spread.mean)} ± {_number(confirmation, spread.half)}"


def draw(confirmation: Confirmation) -> Figure:
    """Return a plot of every value, with mean and interval of each candidate; the colour is the framework's."""
    candidates = confirmation.candidates
    figure = Figure(figsize=(8, 1.2 + 0.6 * len(candidates)), layout="constrained")
    axes = figure.subplots()
    colour = COLOURS.get(confirmation.plan.backends, "black")
    for row, candidate in enumerate(candidates):
        values = list(candidate.values.values())
        labels = ["a seed", "in the sweep", "mean, 95 % interval"] if row == 0 else [None] * 3
        axes.plot(values, [row] * len(values), "o", color=colour, alpha=0.5, label=labels[0])
        axes.plot([candidate.sweep_value], [row], "x", color="tab:grey", label=labels[1])
        if len(values) > 1:
            spread = interval(values)
            axes.errorbar(spread.mean, row, xerr=spread.half, fmt="D", color="black", capsize=4, label=labels[2])
    axes.set(title=f"{confirmation.plan.name} with fresh seeds, {confirmation.epochs} epoch(s)")
    axes.set_xlabel(confirmation.plan.objective)
    axes.set_yticks(range(len(candidates)), [str(candidate).replace("the recipe's ", "") for candidate in candidates])
    axes.set_ylim(len(candidates) - 0.5, -0.5)
    axes.grid(alpha=0.3)
    axes.legend()
    return figure
