"""A trial that is drawn with the settings of a complete one has its results: with the same seed, they are the same.

With choices and whole numbers alone, samplers soon draw the same settings again.
"""

from collections.abc import Sequence

import optuna
from optuna.trial import TrialState

from experiments.settings.recipe import BackendName
from experiments.sweep.patience import patiently
from experiments.sweep.trials import result_key, run_key

# The number of the trial whose results these are; an attribute of the trial.
REPEATS = "repeats_trial"


def take_results(study: optuna.Study, trial: optuna.Trial, members: Sequence[BackendName]) -> None:
    """Give a trial the results and the runs of a complete one with the same settings, if there is one.

    A kill in between repeats it.
    """
    if REPEATS not in trial.user_attrs and any(run_key(backend) in trial.user_attrs for backend in members):
        return  # it has been begun
    complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    known = next((each for each in complete if each.params == trial.params), None)
    if known is None:
        return
    for epoch, value in known.intermediate_values.items():
        patiently(lambda epoch=epoch, value=value: trial.report(value, epoch))  # type: ignore[misc]
    keys = [key for backend in members for key in (run_key(backend), result_key(backend))]
    attributes = {REPEATS: known.number, **{key: known.user_attrs[key] for key in keys if key in known.user_attrs}}
    for key, value in attributes.items():
        patiently(lambda key=key, value=value: trial.set_user_attr(key, value))  # type: ignore[misc]
