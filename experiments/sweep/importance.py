"""How much each setting matters to the objective of a sweep: a range over evaluators and seeds, not one number.

Evaluators differ in what they mean by importance, and most of them draw at random: of 40 trials, one may say .38 where
another says .80. What they agree on can be believed.
"""

from collections.abc import Callable
from statistics import median
from typing import Any

import optuna
from optuna.importance import (
    BaseImportanceEvaluator,
    FanovaImportanceEvaluator,
    MeanDecreaseImpurityImportanceEvaluator,
    PedAnovaImportanceEvaluator,
    get_param_importances,
)
from optuna.trial import FrozenTrial

from experiments.sweep.drawing import Ranges
from experiments.sweep.quiet import quiet_optuna
from experiments.sweep.study import complete

# Fewer complete trials tell no importance.
LEAST_TRIALS = 20
SEEDS = 5
Make = Callable[[int], BaseImportanceEvaluator]
# PED-ANOVA draws nothing at random.
EVALUATORS: dict[str, tuple[Make, int]] = {
    "fANOVA": (lambda seed: FanovaImportanceEvaluator(seed=seed), SEEDS),
    "mean decrease impurity": (lambda seed: MeanDecreaseImpurityImportanceEvaluator(seed=seed), SEEDS),
    "PED-ANOVA": (lambda _: PedAnovaImportanceEvaluator(), 1),
}
# The only one that knows settings which not every trial has.
CONDITIONAL = "PED-ANOVA"


def importance(study: optuna.Study, ranges: Ranges) -> dict[str, Any]:
    """Return the importance of each setting, as a share of 1: lowest, median and highest, and each evaluator's values.

    Settings with a condition are known to PED-ANOVA alone.

    With fewer than 20 complete trials, one setting, or nothing but equal values: `why_not`, a reason, in their place.
    """
    known = complete(study)
    if why_not := _why_not(known, ranges):
        return {"why_not": why_not}
    copy = optuna.create_study(direction=study.direction)
    copy.add_trials(known)
    always = [name for name, each in ranges.items() if not each.when]
    with quiet_optuna():
        drawn = {name: _values(copy, name, None if name == CONDITIONAL else always) for name in EVALUATORS}
    settings = sorted(drawn[CONDITIONAL][0])
    evaluators = {
        name: {setting: [each[setting] for each in values] for setting in settings if setting in values[0]}
        for name, values in drawn.items()
    }
    return {
        "trials": len(known),
        "seeds": SEEDS,
        "settings": {
            setting: _range([of[setting] for of in evaluators.values() if setting in of]) for setting in settings
        },
        "evaluators": evaluators,
    }


def _values(study: optuna.Study, evaluator: str, settings: list[str] | None) -> list[dict[str, float]]:
    make, seeds = EVALUATORS[evaluator]
    return [get_param_importances(study, evaluator=make(seed), params=settings) for seed in range(seeds)]


def _why_not(known: list[FrozenTrial], ranges: Ranges) -> str | None:
    if len(known) < LEAST_TRIALS:
        return f"it takes {LEAST_TRIALS} complete trials that didn't diverge, and there are {len(known)}"
    if len(ranges) < 2:
        return "there is one setting only"
    if len({trial.value for trial in known}) == 1:
        return "all trials have the same value"
    return None


def _range(values: list[list[float]]) -> dict[str, float]:
    """Return the range over all values, and the median over the evaluators, each of which counts once."""
    every = [value for each in values for value in each]
    return {"low": min(every), "median": median(median(each) for each in values), "high": max(every)}
