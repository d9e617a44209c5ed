"""A confirmation as a table and a plot."""

from dataclasses import asdict
from pathlib import Path

from matplotlib.figure import Figure
from tabulate import tabulate

from experiments.reports.intervals import format_interval, format_metric, interval
from experiments.reports.made_from import MadeFrom
from experiments.settings.project import Project
from experiments.settings.tuned import cells
from experiments.sweep.confirmation import Candidate, Confirmation, Lead
from experiments.system.colours import COLOURS
from experiments.system.files import write_atomically, write_json
from experiments.tracking.tracker import Tracker


def report_path(project: Project, confirmation: Confirmation) -> Path:
    """Return the Markdown file of a confirmation; the .json and the .png are beside it."""
    return project.sweep_report(confirmation.plan.name) / f"confirm-{confirmation.label}.md"


def write_confirmation(project: Project, confirmation: Confirmation, tracker: Tracker, origin: MadeFrom) -> None:
    """Write a confirmation as .md, .json and .png to the sweep's folder in reports/, and to its MLflow run.

    `origin`: its runs, and the command that makes it again.
    """
    path = report_path(project, confirmation)
    text, plot = to_markdown(confirmation), draw(confirmation)
    write_atomically(path, text)
    content = {
        "study": confirmation.plan.name,
        "objective": confirmation.plan.objective,
        "epochs": confirmation.epochs,
        "seeds": list(confirmation.seeds),
        "candidates": [asdict(candidate) for candidate in confirmation.candidates],
        "verdicts": verdicts(confirmation),
        "leads": [
            {"trial": lead.other.trial, **asdict(lead.difference), "doubt": lead.doubt} for lead in confirmation.leads()
        ],
        "made_from": asdict(origin),
    }
    write_json(path.with_suffix(".json"), content)
    plot.savefig(path.with_suffix(".png"), dpi=120)
    tracker.text(text, path.name)
    tracker.plot(plot, path.with_suffix(".png").name)


def to_markdown(confirmation: Confirmation) -> str:
    """Return the candidates as a table, and the verdicts on the first."""
    plan, epochs = confirmation.plan, confirmation.epochs
    unit = ", in per cent" if plan.objective.endswith("accuracy") else ""
    in_sweep = "as" if epochs == plan.settings.epochs else str(plan.settings.epochs)
    rows = [_row(confirmation, candidate) for candidate in confirmation.candidates]
    lines = [
        f"# Confirmation of sweep {plan.name}",
        "",
        f"{plan.objective}{unit}: mean ± half of the 95 % interval (Student's t) over the seeds",
        f"{', '.join(map(str, confirmation.seeds))}, none of which the sweep used. The test set plays no part.",
        f"Trained for {epochs} epoch(s), {in_sweep} in the sweep; longer trainings may rank differently.",
        "",
        tabulate(rows, headers="keys", tablefmt="github", disable_numparse=True),
        "",
        *verdicts(confirmation),
    ]
    return "\n".join(lines) + "\n"


def _row(confirmation: Confirmation, candidate: Candidate) -> dict[str, str]:
    objective, missing = confirmation.plan.objective, len(confirmation.seeds) - len(candidate.values)
    spread = "" if missing else format_interval(objective, interval([*candidate.values.values()]))
    return {
        "trial": f"{candidate.trial}, the recipe's own" if candidate.own else str(candidate.trial),
        **cells(candidate.settings, confirmation.plan.space),
        "in the sweep": format_metric(objective, candidate.sweep_value),
        "with fresh seeds": spread or f"failed with {missing} seed(s)",
    }


def verdicts(confirmation: Confirmation) -> list[str]:
    """Return whether the first is really ahead of the recipe's own settings, and of the second."""
    if confirmation.winner.own:
        return ["The recipe's own settings have the best mean: there is nothing to promote."]
    lines = []
    if not any(candidate.own for candidate in confirmation.complete):
        lines.append("The recipe's own settings are missing, or failed with a seed: there is no baseline.")
    lines += [_verdict(confirmation, lead) for lead in confirmation.leads()]
    return [*lines, "The intervals of differences are wide enough for a winner chosen by the same seeds."]


def _verdict(confirmation: Confirmation, lead: Lead) -> str:
    judgement = "not told apart from" if lead.doubt else "really ahead of"
    why = lead.doubt or "the interval does not contain 0"
    difference = format_interval(confirmation.plan.objective, lead.difference)
    return f"Trial {confirmation.winner.trial} is **{judgement}** {lead.other}: by {difference}, seed by seed; {why}."


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
    title = f"{confirmation.plan.name} with fresh seeds, {confirmation.epochs} epoch(s)"
    axes.set(title=title, xlabel=confirmation.plan.objective)
    axes.set_yticks(range(len(candidates)), [str(candidate).replace("the recipe's ", "") for candidate in candidates])
    axes.set_ylim(len(candidates) - 0.5, -0.5)
    axes.grid(alpha=0.3)
    axes.legend()
    return figure
