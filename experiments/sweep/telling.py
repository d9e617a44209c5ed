"""What Optuna is told at the end of a trial. Each may be repeated: a trial that has ended is left as it is."""

import math
from collections.abc import Mapping

import optuna
from optuna.trial import FrozenTrial, TrialState

from experiments.settings.recipe import BackendName
from experiments.sweep import trials
from experiments.sweep.open_study import OpenStudy
from experiments.sweep.patience import patiently


def tell_value(target: OpenStudy, trial: optuna.Trial) -> FrozenTrial | None:
    """Tell the value of a trial, and return it as it is then; None: not all of its members are done."""
    done = trials.read_results(trial.user_attrs, target.plan.backends_of_trial)
    if len(done) < len(target.plan.backends_of_trial):
        return None
    if len(done) > 1:
        _report_means(target, trial, done)
    if reasons := [f"{backend}: {each.diverged}" for backend, each in done.items() if each.diverged]:
        patiently(lambda: trial.set_user_attr(trials.REASON, "; ".join(reasons)))
    value = trials.final_value(done, worst=target.plan.sign * math.inf)
    return patiently(lambda: target.study.tell(trial, value, skip_if_finished=True))


def _report_means(target: OpenStudy, trial: optuna.Trial, done: Mapping[BackendName, trials.Result]) -> None:
    """Report the means of a pair, whose members reported none of their epochs to Optuna."""
    known = target.epochs(trial.number)
    means = enumerate(trials.mean_objective(done), 1)
    for epoch, value in [each for each in means if each[0] not in known]:
        patiently(lambda value=value, epoch=epoch: trial.report(value, epoch))  # type: ignore[misc]


def tell_pruned(target: OpenStudy, trial: optuna.Trial) -> FrozenTrial:
    """Tell that a trial was pruned, and return it as it is then."""
    return patiently(lambda: target.study.tell(trial, state=TrialState.PRUNED, skip_if_finished=True))


def tell_failed(target: OpenStudy, trial: optuna.Trial) -> None:
    """Tell that a trial has failed."""
    patiently(lambda: target.study.tell(trial, state=TrialState.FAIL, skip_if_finished=True))
