"""What the workers of a study are told."""

from collections.abc import Callable
from dataclasses import dataclass

import optuna

from experiments.contract.backend import Device
from experiments.settings.project import Project, RunKey
from experiments.sweep import trials
from experiments.sweep.open_study import OpenStudy
from experiments.sweep.runs import Member
from experiments.system.git import Checkout
from experiments.training.messages import Order, Outcome
from experiments.training.remote import train_order
from experiments.training.training import Code

LOG_EVERY_STEPS = 50


@dataclass(frozen=True)
class Orders:
    """Makes the orders of a study; `task` is what a worker does with one."""

    project: Project
    target: OpenStudy
    device: Device
    threads: int
    checkout: Checkout
    task: Callable[..., Outcome] = train_order

    def order(self, trial: optuna.Trial, member: Member, attempt: int) -> Order:
        """Return the order for an attempt at a member of a trial."""
        plan, folder = self.target.plan, self.target.trial_folder(member.number) / member.backend
        seed = trial.user_attrs.get(trials.SEED, plan.seed)
        return Order(
            project=self.project,
            key=RunKey(f"{plan.name}-{member.number}", member.backend, seed),
            recipe=plan.recipe_of(trial.params),
            dataset=plan.dataset,
            code=Code(self.checkout, plan.code[member.backend]),
            device=self.device,
            threads=self.threads,
            log_every_steps=LOG_EVERY_STEPS,
            folder=folder / f"attempt-{attempt}",
            earlier=[folder / f"attempt-{each}" for each in range(attempt - 1, 0, -1)],
            objective=plan.objective,
        )
