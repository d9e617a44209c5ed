"""Whether the best trials are really the best: trained again with fresh seeds (`tandem sweep confirm`).

A trial's value is that of one seed, and the best of many is partly the luckiest. A confirmation trains each candidate
with each of the same fresh seeds, as the sweep's trials were trained, by the same workers. Those trials are kept in a
study, `NAME-confirm`, which all confirmations of as many epochs share; the sweep's study lists the confirmations.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import optuna
from optuna.trial import FrozenTrial

from experiments.data.dataset import load_dataset
from experiments.settings.params import Params
from experiments.settings.project import Project
from experiments.sweep import queue, records
from experiments.sweep.confirm_report import write_confirmation
from experiments.sweep.confirmation import Confirmation
from experiments.sweep.launch import Launcher, Quota
from experiments.sweep.plan import check_data
from experiments.sweep.run import count_workers, run_study
from experiments.sweep.storage import connect
from experiments.sweep.study import load_sweep
from experiments.system.errors import TandemError
from experiments.tracking.run import Tracker

# More candidates than this leave no comparison any power, and their label is no file name.
MOST = 30


@dataclass(frozen=True)
class ConfirmRequest:
    """What the command line asks for; None: as many epochs as the sweep's trials, one worker for each framework."""

    name: str
    top: int = 3
    seeds: int = 5
    epochs: int | None = None
    workers: int | None = None


def confirm(project: Project, params: Params, asked: ConfirmRequest) -> Confirmation:
    """Train the best trials of a study, and the recipe's own settings, with fresh seeds; return their values.

    Trainings that exist are kept; a repeat resumes.

    Raises:
        TandemError: the study doesn't exist or has no complete trial, or an option is out of bounds.
    """
    _check(asked)
    storage = connect(project)
    sweep, plan = load_sweep(storage, asked.name)
    workers = count_workers(params, asked.workers, plan.backends)
    dataset = load_dataset(project.prepared)
    check_data(plan, dataset)
    chosen, seeds = records.candidates_of(sweep, plan, asked.top), records.fresh_seeds(plan, asked.seeds)
    again = records.plan_of(plan, asked.epochs)

    def begin(study: optuna.Study) -> Launcher:
        records.record(sweep, records.read_confirmation(study, plan, chosen, seeds))
        enqueue(study, chosen, seeds)
        budget = len(study.get_trials(deepcopy=False))
        study.set_user_attr(queue.BUDGET, budget)
        return Launcher(project, params, again, study, Quota(budget, workers, refill=lambda: None))

    def end(study: optuna.Study, tracker: Tracker) -> None:
        write_confirmation(project, records.read_confirmation(study, plan, chosen, seeds), tracker)

    study = run_study(project, again, dataset, begin, end)
    return records.read_confirmation(study, plan, chosen, seeds)


def _check(asked: ConfirmRequest) -> None:
    for option, value, least in (("top", asked.top, 1), ("seeds", asked.seeds, 2), ("epochs", asked.epochs, 1)):
        if value is not None and value < least:
            raise TandemError(f"--{option}: expected {least} or more; got {value}")
    if asked.top > MOST:
        raise TandemError(f"--top: expected {MOST} at most, since each candidate widens the intervals; got {asked.top}")


def enqueue(study: optuna.Study, candidates: Sequence[FrozenTrial], seeds: Sequence[int]) -> None:
    """Add the trials that are missing, and again those that failed only because their workers were killed."""
    known = {
        records.key_of(trial)
        for trial in study.get_trials(deepcopy=False)
        if not trial.user_attrs.get(queue.REASON, "").startswith(queue.LOST)
    }
    # Seed by seed, so that a stop leaves whole comparisons of fewer seeds.
    for seed in seeds:
        for candidate in candidates:
            if (candidate.number, seed) not in known:
                study.enqueue_trial(
                    candidate.params, user_attrs={records.CANDIDATE: candidate.number, queue.SEED: seed}
                )
