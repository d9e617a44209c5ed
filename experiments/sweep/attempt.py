"""An attempt of a worker at a member of a trial, as the controller knows it."""

import math
from collections.abc import Set
from dataclasses import dataclass, field

import optuna

from experiments.dispatch.attempt import Attempt
from experiments.engine.engine import Slot
from experiments.sweep import trials
from experiments.sweep.open_study import OpenStudy
from experiments.sweep.patience import patiently
from experiments.sweep.runs import Member


@dataclass
class TrialAttempt(Attempt[Member]):
    """A member of a trial in a worker.

    `number` counts the attempts at it, from 1; `value` is its last, `known` are the epochs that Optuna has already.
    """

    trial: optuna.Trial = field(kw_only=True)
    number: int = field(kw_only=True)
    known: Set[int] = field(kw_only=True)
    value: float = math.nan

    @property
    def key(self) -> str:
        """What the engine calls the attempt."""
        return f"{self.job.number}.{self.job.backend}.{self.number}"

    @property
    def is_pruned(self) -> bool:
        """Whether a training is where it was pruned; one that was lost right then trains to there again."""
        return bool(self.epoch >= self.trial.user_attrs.get(trials.PRUNED, math.inf))


def begin_attempt(target: OpenStudy, trial: optuna.Trial, member: Member, slot: Slot) -> TrialAttempt:
    """Return the next attempt at a member, once the study has its number: from then on, older ones are refused."""
    name = trials.attempts_key(member.backend)
    number = int(trial.user_attrs.get(name, 0)) + 1
    patiently(lambda: trial.set_user_attr(name, number))
    known = target.epochs(member.number) if number > 1 else frozenset()
    return TrialAttempt(member, slot, trial=trial, number=number, known=known)
