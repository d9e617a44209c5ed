"""A confirmation as a table and a picture."""

from matplotlib.figure import Figure

from experiments.reports.intervals import Interval, interval
from experiments.settings.project import Project
from experiments.sweep.confirmation import Candidate, Confirmation
from experiments.system.files import write_atomically, write_json
from experiments.tracking import Tracker


def write_confirmation(project: Project, found: Confirmation, tracker: Tracker) -> None:
    """Write confirm.md, .json and .png to the sweep's folder in reports/, and to its MLflow run."""
    folder = project.sweep_report(found.plan.name)
    text, picture = to_markdown(found), draw(found)
    write_atomically(folder / "confirm.md", text)
    write_json(folder / "confirm.json", to_json(found))
    picture.savefig(folder / "confirm.png", dpi=120)
    tracker.text(text, "confirm.md")
    tracker.plot(picture, "confirm.png")


def to_json(found: Confirmation) -> dict[str, object]:
    """Return the numbers."""
    return {
        "study": found.plan.name,
        "objective": found.plan.objective,
        "epochs": found.epochs,
        "seeds": list(found.seeds),
        "candidates": [
            {
                "trial": one.trial,
                "settings": dict(one.settings),
                "own": one.own,
                "in_the_sweep": one.sweep_value,
                "values": [one.values.get(seed) for seed in found.seeds],
            }
            for one in found.candidates
        ],
    }


def to_markdown(found: Confirmation) -> str:
    """Return the candidates as a table, and who is ahead of whom."""
    plan = found.plan
    settings = list(plan.space)
    unit = ", in per cent" if _is_accuracy(found) else ""
    lines = [f"# Confirmation of sweep {plan.name}", ""]
    lines += [f"{plan.objective}{unit}: mean ± half of the 95 % interval (Student's t) over the seeds"]
    lines += [f"{', '.join(map(str, found.seeds))}, none of which the sweep used. The test set plays no part."]
    in_sweep = "as" if found.epochs == plan.settings.epochs else str(plan.settings.epochs)
    lines += [
        f"Trained for {found.epochs} epoch(s), {in_sweep} in the sweep; longer trainings may order them otherwise."
    ]
    lines += ["", f"| trial | {' | '.join(settings)} | in the sweep | with fresh seeds |"]
    lines += [f"| --- {'| --: ' * len(settings)}| --: | --: |"]
    lines += [_row(found, one, settings) for one in found.candidates]
    return "\n".join([*lines, "", *verdicts(found)]) + "\n"


def _row(found: Confirmation, one: Candidate, settings: list[str]) -> str:
    name = f"{one.trial}, the recipe's own" if one.own else str(one.trial)
    missing = len(found.seeds) - len(one.values)
    value = f"failed with {missing} seed(s)" if missing else _show(found, interval(list(one.values.values())))
    numbers = [f"{one.settings[setting]:.4g}" for setting in settings]
    return f"| {name} | {' | '.join(numbers)} | {_number(found, one.sweep_value)} | {value} |"


def verdicts(found: Confirmation) -> list[str]:
    """Return whether the first is really ahead: of the second, and of the recipe's own settings."""
    lines = []
    if not any(one.own for one in found.candidates):
        lines.append("The recipe's own settings are not among them: their trial did not end well.")
    rest = [one for one in found.candidates[1:] if len(one.values) == len(found.seeds)]
    if not rest or len(found.winner.values) < len(found.seeds):
        return [*lines, "Nothing to compare."]
    others = {rest[0].trial: rest[0], **{one.trial: one for one in rest if one.own}}
    for other in others.values():
        ahead = found.difference(other)
        really = not ahead.holds(0)
        whom = f"trial {other.trial}" + (" (the recipe's own settings)" if other.own else "")
        judgement = "really ahead of" if really else "not told apart from"
        lines.append(
            f"Trial {found.winner.trial} is **{judgement}** {whom}: by {_show(found, ahead)}, seed by seed; "
            f"the interval {'does not contain' if really else 'contains'} 0."
        )
    return lines


def _is_accuracy(found: Confirmation) -> bool:
    return found.plan.objective.endswith("accuracy")


def _number(found: Confirmation, value: float) -> str:
    return f"{100 * value:.2f}" if _is_accuracy(found) else f"{value:.4f}"


def _show(found: Confirmation, one: Interval) -> str:
    return f"{_number(found, one.mean)} ± {_number(found, one.half)}"


def draw(found: Confirmation) -> Figure:
    """Return every value, with mean and interval of each candidate."""
    figure = Figure(figsize=(8, 1.2 + 0.6 * len(found.candidates)), layout="constrained")
    axes = figure.subplots()
    names = []
    for place, one in enumerate(found.candidates):
        names.append(f"trial {one.trial}" + (" (own settings)" if one.own else ""))
        values = list(one.values.values())
        axes.plot(values, [place] * len(values), "o", color="tab:blue", alpha=0.5)
        axes.plot([one.sweep_value], [place], "x", color="tab:grey", label="in the sweep" if place == 0 else None)
        if len(values) > 1:
            spread = interval(values)
            axes.errorbar(
                spread.mean,
                place,
                xerr=spread.half,
                fmt="D",
                color="tab:orange",
                capsize=4,
                label="mean, 95 % interval" if place == 0 else None,
            )
    axes.set(title=f"{found.plan.name} with fresh seeds, {found.epochs} epoch(s)", xlabel=found.plan.objective)
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.grid(alpha=0.3)
    axes.legend()
    return figure
