"""Whether a trial is pruned after an epoch."""

from experiments.sweep import trials
from experiments.sweep.attempt import TrialAttempt
from experiments.sweep.patience import patiently
from experiments.sweep.plan import Plan
from experiments.training.messages import EpochDone, Reply


def report_epoch(attempt: TrialAttempt, done: EpochDone, plan: Plan) -> Reply:
    """Report the value of an epoch to Optuna, and return whether the trial goes on."""
    trial = attempt.trial
    if done.epoch not in attempt.known:
        patiently(lambda: trial.report(done.value, done.epoch))
    if plan.pruner == "none" or trial.params == plan.own_settings:
        return Reply.GO_ON
    if trials.PRUNED in trial.user_attrs:  # its worker was lost before it had ended
        return Reply.PRUNE if attempt.is_pruned else Reply.GO_ON
    # Some pruners return NumPy's bool.
    if not bool(patiently(trial.should_prune)):
        return Reply.GO_ON
    # Some answer otherwise when they are asked again.
    patiently(lambda: trial.set_user_attr(trials.PRUNED, done.epoch))
    return Reply.PRUNE
