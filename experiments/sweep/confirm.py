"""Whether the best trials are really the best: trained again with fresh seeds (`tandem sweep confirm`).

A trial's value is that of one seed, and the best of many is partly the luckiest. A confirmation trains each candidate
with each of the same fresh seeds, as the sweep's trials were trained, by the same workers. Those trials are kept in a
study, `NAME-confirm`, which all confirmations of as many epochs share; the sweep's study lists the confirmations.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import optuna
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial

from experiments.data.dataset import load_dataset
from experiments.settings.params import Params
from experiments.settings.project import Project
from experiments.sweep import drawing, trials
from experiments.sweep.confirm_report import write_confirmation
from experiments.sweep.confirmation import Candidate, Confirmation
from experiments.sweep.open_sweep import open_sweep
from experiments.sweep.origin import made_from
from experiments.sweep.plan import Plan, check_data, read_plan
from experiments.sweep.run import Where, control, count_workers
from experiments.sweep.storage import connect
from experiments.sweep.study import complete, load_study, load_sweep, ranked
from experiments.system.errors import TandemError

# More candidates than this leave no comparison any power, and their label is no file name.
MOST = 30
CANDIDATE = "candidate"
# Under this and its label, the sweep's study keeps what a confirmation was asked for. One attribute each: two
# processes that add one at the same time lose none.
ASKED = "confirmation."


@dataclass(frozen=True)
class ConfirmRequest:
    """What the command line asks for; None: as many epochs as the sweep's trials."""

    name: str
    top: int = 3
    seeds: int = 5
    epochs: int | None = None


def confirm(project: Project, params: Params, asked: ConfirmRequest, where: Where) -> Confirmation:
    """Train the best trials of a study, and the recipe's own settings, with fresh seeds; return their values.

    Trainings that exist are kept; a repeat resumes.

    Raises:
        TandemError: the study doesn't exist or has no complete trial, or an option is out of bounds.
    """
    _check(asked)
    sweep, plan = load_sweep(connect(project), asked.name)
    count_workers(where, plan.backends)
    dataset = load_dataset(project.prepared)
    check_data(plan, dataset)
    chosen = candidates_of(sweep, plan, asked.top)
    seeds = [plan.seed + number for number in range(1, asked.seeds + 1)]  # no trial of the sweep had them
    again = plan_of(plan, asked.epochs)
    with open_sweep(project, again, dataset, take_over=where.take_over) as opened:
        record(sweep, read_confirmation(opened.target.study, plan, chosen, seeds))
        enqueue(opened.target.study, chosen, seeds)
        control(opened, project, params, where, budget=len(opened.target.study.get_trials(deepcopy=False)))
        confirmation = read_confirmation(opened.target.study, plan, chosen, seeds)
        origin = made_from(opened.experiment, again, again.command)
        write_confirmation(project, confirmation, opened.tracker, origin)
    return confirmation


def _check(asked: ConfirmRequest) -> None:
    for option, value, least in (("top", asked.top, 1), ("seeds", asked.seeds, 2), ("epochs", asked.epochs, 1)):
        if value is not None and value < least:
            raise TandemError(f"--{option}: expected {least} or more; got {value}")
    if asked.top > MOST:
        raise TandemError(f"--top: expected {MOST} at most, since each candidate widens the intervals; got {asked.top}")


def enqueue(study: optuna.Study, candidates: Sequence[FrozenTrial], seeds: Sequence[int]) -> None:
    """Add the trials that are missing."""
    known = {key_of(trial) for trial in study.get_trials(deepcopy=False)}
    # Seed by seed, so that a stop leaves whole comparisons of fewer seeds.
    for seed in seeds:
        for candidate in candidates:
            if (candidate.number, seed) not in known:
                attributes = {CANDIDATE: candidate.number, trials.SEED: seed}
                drawing.enqueue(study, candidate.params, **attributes)


def plan_of(plan: Plan, epochs: int | None = None) -> Plan:
    """Return the plan of the confirmations of a sweep; each number of epochs has a study of its own."""
    epochs = epochs or plan.settings.epochs
    name = f"{plan.name}-confirm" + ("" if epochs == plan.settings.epochs else f"-{epochs}-epochs")
    return replace(plan, name=name, recipe={**plan.recipe, "epochs": epochs}, pruner="none", confirms=plan.name)


def candidates_of(study: optuna.Study, plan: Plan, top: int) -> list[FrozenTrial]:
    """Return the best trials of different settings, and that with the recipe's own settings."""
    good = ranked(study, plan)
    chosen: list[FrozenTrial] = []
    for trial in good:
        if len(chosen) < top and trial.params not in [other.params for other in chosen]:
            chosen.append(trial)
    own = [trial for trial in good if plan.is_own(trial)][:1]
    return chosen + [trial for trial in own if trial not in chosen]


def key_of(trial: FrozenTrial) -> tuple[int, int]:
    """Return the candidate and the seed that a confirmation's trial trains."""
    return trial.user_attrs[CANDIDATE], trial.user_attrs[trials.SEED]


def read_confirmation(
    study: optuna.Study, plan: Plan, candidates: Sequence[FrozenTrial], seeds: Sequence[int]
) -> Confirmation:
    """Return the candidates with their values so far."""
    values = {key_of(trial): float(trial.value or 0) for trial in complete(study)}
    read = [
        Candidate(
            trial.number,
            trial.params,
            float(trial.value or 0),
            {seed: values[trial.number, seed] for seed in seeds if (trial.number, seed) in values},
            own=plan.is_own(trial),
        )
        for trial in candidates
    ]
    epochs = read_plan(study).settings.epochs
    return Confirmation(plan, epochs, seeds, sorted(read, key=lambda candidate: _order(plan, seeds, candidate)))


def _order(plan: Plan, seeds: Sequence[int], candidate: Candidate) -> tuple[int, float]:
    missing = len(seeds) - len(candidate.values)
    mean = sum(candidate.values.values()) / max(len(candidate.values), 1)
    return missing, plan.sign * mean


def record(sweep: optuna.Study, confirmation: Confirmation) -> None:
    """Add a confirmation to those that the sweep's study lists; one that is asked for again becomes the newest."""
    numbers = [asked["number"] for asked in recorded(sweep).values()]
    asked = {
        "number": 1 + max(numbers, default=0),
        "epochs": confirmation.epochs,
        "seeds": list(confirmation.seeds),
        "candidates": [candidate.trial for candidate in confirmation.candidates],
    }
    sweep.set_user_attr(ASKED + confirmation.label, asked)


def recorded(sweep: optuna.Study) -> dict[str, dict[str, Any]]:
    """Return what the confirmations of a sweep were asked for, by label, the newest first."""
    asked = {key.removeprefix(ASKED): value for key, value in sweep.user_attrs.items() if key.startswith(ASKED)}
    return dict(sorted(asked.items(), key=lambda item: -item[1]["number"]))


def choose_confirmation(storage: BaseStorage, name: str, label: str | None = None) -> Confirmation:
    """Return the confirmation of that label, or the newest one whose trainings have all ended.

    Raises:
        TandemError: the sweep or the confirmation doesn't exist, or trainings are missing.
    """
    sweep, _ = load_sweep(storage, name)
    asked = recorded(sweep)
    if label is not None and label not in asked:
        raise TandemError(f"--confirmation: expected one of {', '.join(asked) or '(none yet)'}; got {label!r}")
    for each in [label] if label else asked:
        if confirmation := _read_ended(storage, sweep, asked[each]):
            return confirmation
    raise TandemError(
        f"NAME: expected a study that is confirmed; got {name!r}; run `tandem sweep confirm {name}` to its end first"
    )


def _read_ended(storage: BaseStorage, sweep: optuna.Study, asked: dict[str, Any]) -> Confirmation | None:
    plan = read_plan(sweep)
    study = load_study(storage, plan_of(plan, asked["epochs"]).name)
    wanted = {(number, seed) for number in asked["candidates"] for seed in asked["seeds"]}
    asked_for = [trial for trial in study.get_trials(deepcopy=False) if key_of(trial) in wanted]
    ended = {key_of(trial) for trial in asked_for if trial.state.is_finished()}
    if ended != wanted or any(trial.state in trials.OPEN for trial in asked_for):
        return None
    candidates = [trial for trial in ranked(sweep, plan) if trial.number in asked["candidates"]]
    return read_confirmation(study, plan, candidates, asked["seeds"])
