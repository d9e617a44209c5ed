"""Whether the best trials are really the best: trained again with fresh seeds (`tandem sweep confirm`).

A trial's value is that of one seed, and the best of many is partly the luckiest. The confirmation is a study of its
own, `NAME-confirm`, of fixed trials: each candidate with each of the same fresh seeds, trained as the sweep's trials
were, by the same workers.
"""

from collections.abc import Sequence
from dataclasses import replace

import optuna
from optuna.trial import FrozenTrial, TrialState

from experiments import tracking
from experiments.data.dataset import load_dataset
from experiments.settings.params import Params
from experiments.settings.project import Project
from experiments.sweep import queue
from experiments.sweep.confirm_report import write_confirmation
from experiments.sweep.confirmation import Candidate, Confirmation
from experiments.sweep.launch import Launcher
from experiments.sweep.plan import Plan, check_data, read_plan
from experiments.sweep.ranking import better, own_settings, ranked
from experiments.sweep.run import count_workers, run_study
from experiments.sweep.storage import connect
from experiments.sweep.study import load_study
from experiments.system.errors import TandemError

CANDIDATE = "candidate"
# What the last `tandem sweep confirm` was asked for: which candidates, and which seeds; and, on the sweep's study, the
# name of the one that it is kept in.
ASKED, CONFIRMED_BY = "asked", "confirmed_by"


def confirm(
    project: Project, params: Params, name: str, *, top: int, seeds: int, epochs: int | None, workers: int | None
) -> Confirmation:
    """Train the `top` best trials of a study, and the recipe's own settings, with fresh seeds; return what came of it.

    For as many epochs as the sweep's trials, unless told otherwise. What is there already stays; a repeat goes on where
    it was stopped.

    Raises:
        TandemError: there is no such study, it has no complete trial, or numbers make no sense.
    """
    for option, value, least in (("--top", top, 1), ("--seeds", seeds, 2), ("--epochs", epochs, 1)):
        if value is not None and value < least:
            raise TandemError(f"{option}: expected {least} or more; got {value}")
    storage = connect(project)
    sweep, plan = load_sweep(storage, name)
    many = count_workers(params, workers, plan.backends)
    dataset = load_dataset(project.prepared)
    check_data(plan, dataset)
    chosen = candidates_of(sweep, plan, top)
    fresh = fresh_seeds(plan, seeds)
    again = plan_of(plan, epochs)

    def begin(study: optuna.Study) -> Launcher:
        study.set_user_attr(ASKED, {"candidates": [trial.number for trial in chosen], "seeds": fresh})
        enqueue(study, chosen, fresh)
        budget = len(study.get_trials(deepcopy=False))
        study.set_user_attr(queue.BUDGET, budget)
        sweep.set_user_attr(CONFIRMED_BY, again.name)
        return Launcher(project, params, again, study, budget=budget, workers=many, refill=lambda: None)

    def end(study: optuna.Study, tracker: tracking.Tracker) -> None:
        write_confirmation(project, read_confirmation(study, plan, chosen, fresh), tracker)

    study = run_study(project, again, dataset, begin, end)
    return read_confirmation(study, plan, chosen, fresh)


def load_sweep(storage: optuna.storages.BaseStorage, name: str) -> tuple[optuna.Study, Plan]:
    """Return a study and its plan.

    Raises:
        TandemError: there is none, or it is a confirmation.
    """
    study = load_study(storage, name)
    plan = read_plan(study)
    if plan.confirms:
        raise TandemError(f"NAME: expected a sweep; got {name!r}, the confirmation of {plan.confirms!r}: name that")
    return study, plan


def plan_of(plan: Plan, epochs: int | None = None) -> Plan:
    """Return the plan of the confirmation of a sweep; each number of epochs has a study of its own."""
    name = f"{plan.name}-confirm"
    if epochs is None or epochs == plan.settings.epochs:
        return replace(plan, name=name, pruner="none", confirms=plan.name)
    recipe = {**plan.recipe, "epochs": epochs}
    return replace(plan, name=f"{name}-{epochs}-epochs", recipe=recipe, pruner="none", confirms=plan.name)


def fresh_seeds(plan: Plan, count: int) -> list[int]:
    """Return seeds that no trial of the sweep had."""
    return [plan.seed + number for number in range(1, count + 1)]


def candidates_of(study: optuna.Study, plan: Plan, top: int) -> list[FrozenTrial]:
    """Return the best trials of different settings, and that with the recipe's own settings."""
    trials = ranked(study, plan)
    found: list[FrozenTrial] = []
    for trial in trials:
        if len(found) < top and trial.params not in [one.params for one in found]:
            found.append(trial)
    own = own_settings(trials, plan)
    return found if own is None or own in found else [*found, own]


def enqueue(study: optuna.Study, candidates: Sequence[FrozenTrial], seeds: Sequence[int]) -> None:
    """Add the trials that are not there yet, and again those that failed only because their workers were killed."""
    known = {
        (trial.user_attrs[CANDIDATE], trial.user_attrs[queue.SEED])
        for trial in study.get_trials(deepcopy=False)
        if not trial.user_attrs.get(queue.REASON, "").startswith(queue.LOST)
    }
    # Seed by seed, so that a stop leaves whole comparisons of fewer seeds.
    for seed in seeds:
        for candidate in candidates:
            if (candidate.number, seed) not in known:
                study.enqueue_trial(candidate.params, user_attrs={CANDIDATE: candidate.number, queue.SEED: seed})


def read_confirmation(
    study: optuna.Study, plan: Plan, candidates: Sequence[FrozenTrial], seeds: Sequence[int]
) -> Confirmation:
    """Return what the confirmation's trials have brought."""
    complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    values: dict[int, dict[int, float]] = {}
    for trial in complete:
        values.setdefault(trial.user_attrs[CANDIDATE], {})[trial.user_attrs[queue.SEED]] = float(trial.value or 0)
    own = own_settings(candidates, plan)
    found = [
        Candidate(
            trial.number,
            trial.params,
            float(trial.value or 0),
            {seed: values.get(trial.number, {})[seed] for seed in seeds if seed in values.get(trial.number, {})},
            own=own is not None and trial.number == own.number,
        )
        for trial in candidates
    ]
    epochs = read_plan(study).settings.epochs
    return Confirmation(plan, epochs, seeds, sorted(found, key=lambda one: _order(plan, seeds, one)))


def _order(plan: Plan, seeds: Sequence[int], candidate: Candidate) -> tuple[int, float]:
    missing = len(seeds) - len(candidate.values)
    mean = sum(candidate.values.values()) / max(len(candidate.values), 1)
    return missing, better(plan) * mean


def last_confirmation(storage: optuna.storages.BaseStorage, name: str) -> Confirmation | None:
    """Return what the last `confirm` of a sweep was asked for, with its values; None if it has not ended."""
    sweep, plan = load_sweep(storage, name)
    if CONFIRMED_BY not in sweep.user_attrs:
        return None
    study = load_study(storage, sweep.user_attrs[CONFIRMED_BY])
    asked = study.user_attrs.get(ASKED)
    if asked is None or study.get_trials(deepcopy=False, states=queue.OPEN):
        return None
    candidates = [trial for trial in ranked(sweep, plan) if trial.number in asked["candidates"]]
    return read_confirmation(study, plan, candidates, asked["seeds"])
