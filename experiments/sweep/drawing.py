"""Trials drawn from a search space: ranges as Optuna has them, and settings that only some trials have."""

from collections.abc import Mapping
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from experiments.settings.recipe import Recipe
from experiments.settings.space import Range
from experiments.settings.tuned import get, is_default

# The settings that a trial was enqueued with; an attribute of the trial.
FIXED = "settings"
Settings = Mapping[str, Any]
Ranges = Mapping[str, Range]


def holds(each: Range, settings: Settings) -> bool:
    """Return whether a setting is searched, given those before it; one that a trial lacks meets no condition."""
    return all(name in settings and settings[name] in values for name, values in each.when.items())


def distribution(each: Range) -> BaseDistribution:
    """Return a range as Optuna has it."""
    if each.choices is not None:
        return CategoricalDistribution(each.choices)
    low, high, step = each.bounds
    if each.type == "int":
        return IntDistribution(int(low), int(high), log=each.log, step=int(step or 1))
    return FloatDistribution(low, high, log=each.log, step=step)


def next_trial(study: optuna.Study, ranges: Ranges) -> optuna.Trial:
    """Return the next trial of a study, with its settings: those whose condition holds.

    An enqueued trial has the settings that it was enqueued with.
    """
    trial = study.ask()
    fixed, settings = trial.user_attrs.get(FIXED), dict[str, Any]()
    for name, each in ranges.items():
        if name in fixed if fixed is not None else holds(each, settings):
            settings[name] = _suggest(trial, name, each)
    return trial


def _suggest(trial: optuna.Trial, name: str, each: Range) -> Any:
    if each.choices is not None:
        return trial.suggest_categorical(name, each.choices)
    low, high, step = each.bounds
    if each.type == "int":
        return trial.suggest_int(name, int(low), int(high), log=each.log, step=int(step or 1))
    return trial.suggest_float(name, low, high, log=each.log, step=step)


def enqueue(study: optuna.Study, settings: Settings, **attributes: object) -> None:
    """Let a study's next trial have these settings, and no others."""
    study.enqueue_trial(dict(settings), user_attrs={FIXED: list(settings), **attributes})


def own_settings(recipe: Recipe, ranges: Ranges) -> dict[str, Any]:
    """Return the recipe's own settings of those in a space, without those that it lacks."""
    own: dict[str, Any] = {}
    for name, each in ranges.items():
        value = get(recipe, name)
        lacks = not each.has(value) and (value is None or is_default(recipe, name))
        if not lacks and holds(each, own):
            own[name] = value
    return own
