"""A sweep of pairs: how far the two frameworks agree on which settings are good."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from optuna.trial import FrozenTrial
from scipy import stats

from experiments.sweep.plan import Plan
from experiments.sweep.trials import results
from experiments.system.colours import COLOURS

# Fewer points say nothing about a rank correlation.
LEAST_POINTS = 4


@dataclass(frozen=True)
class Pairs:
    """The objective of every point in both frameworks, point by point.

    `best` has the number of the best trial of each; `correlation` is Spearman's (1904), None for fewer than 4 points.
    """

    plan: Plan
    trials: Sequence[int]
    values: tuple[Sequence[float], ...]
    best: tuple[int, ...]
    correlation: float | None

    @property
    def agree(self) -> bool:
        """Whether both frameworks have the same best settings."""
        return len(set(self.best)) == 1

    def to_json(self) -> dict[str, Any]:
        """Return the numbers."""
        return {
            "trials": list(self.trials),
            **{name: list(values) for name, values in zip(self.plan.backends_of_trial, self.values, strict=True)},
            "best": dict(zip(self.plan.backends_of_trial, self.best, strict=True)),
            "spearman": self.correlation,
        }


def pairs_of(plan: Plan, complete: Sequence[FrozenTrial]) -> Pairs:
    """Return the pairs of the complete trials of a study with `--backend both`; at least one."""
    by_trial = [results(trial, plan.backends_of_trial) for trial in complete]
    values = tuple([result[backend].value for result in by_trial] for backend in plan.backends_of_trial)
    best = tuple(complete[int(np.argmin(plan.sign * np.array(of_backend)))].number for of_backend in values)
    correlation = float(stats.spearmanr(*values).statistic) if len(complete) >= LEAST_POINTS else None
    return Pairs(plan, [trial.number for trial in complete], values, best, correlation)


def verdict(pairs: Pairs) -> list[str]:
    """Return what the pairs say, in sentences."""
    if pairs.correlation is None:
        lines = [f"Rank correlation: {len(pairs.trials)} point(s) are too few."]
    else:
        lines = [f"Rank correlation (Spearman): {pairs.correlation:.3f} over {len(pairs.trials)} points."]
    if pairs.agree:
        return [*lines, f"Both frameworks have the same best settings: trial {pairs.best[0]}."]
    first, second = pairs.plan.backends_of_trial
    lines.append(f"The best settings differ: trial {pairs.best[0]} in {first}, trial {pairs.best[1]} in {second}.")
    for index, (name, other) in enumerate(((first, second), (second, first))):
        values = pairs.values[1 - index]
        value = values[pairs.trials.index(pairs.best[index])]
        rank = 1 + sum(pairs.plan.sign * each < pairs.plan.sign * value for each in values)
        lines.append(f"{name}'s best is number {rank} of {len(values)} in {other}.")
    return lines


def draw_pairs(pairs: Pairs) -> Figure:
    """Return one framework's objective against the other's: on the diagonal, they agree."""
    figure = Figure(figsize=(6, 6), layout="constrained")
    axes = figure.subplots()
    objective, names = pairs.plan.objective, pairs.plan.backends_of_trial
    x, y = pairs.values
    low, high = min(*x, *y), max(*x, *y)
    axes.plot([low, high], [low, high], color="tab:grey", linewidth=1, label="equal")
    axes.scatter(x, y, color="black", s=20, zorder=2, label="a trial")
    for name, best, marker, size in zip(names, pairs.best, "os", (130, 260), strict=True):
        index = pairs.trials.index(best)
        label = f"best in {name}: trial {best}"
        mark = axes.scatter([x[index]], [y[index]], size, marker=marker, label=label, linewidths=2, zorder=3)
        mark.set(facecolor="none", edgecolor=COLOURS[name])
    if objective.endswith("loss") and low > 0 and high / low > 10:
        axes.set(xscale="log", yscale="log")
    title = f"{pairs.plan.name}: {len(pairs.trials)} points"
    if pairs.correlation is not None:
        title += f", rank correlation {pairs.correlation:.3f}"
    axes.set(title=title, xlabel=f"{objective}, {names[0]}", ylabel=f"{objective}, {names[1]}")
    axes.set_aspect("equal", adjustable="datalim")
    axes.grid(alpha=0.3)
    axes.legend()
    return figure
