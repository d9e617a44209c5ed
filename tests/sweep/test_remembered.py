"""What is kept in memory is what the database has, whatever was written, and whatever failed."""

import itertools
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, TrialState

from experiments.sweep.remembered import Remembered
from experiments.system.errors import TandemError

SPACE: dict[str, optuna.distributions.BaseDistribution] = {"x": optuna.distributions.FloatDistribution(0, 1)}


@pytest.fixture
def database(tmp_path: Path) -> RDBStorage:
    return RDBStorage(f"sqlite:///{tmp_path / 'optuna.db'}")


FACTS = ("number", "state", "values", "params", "distributions", "user_attrs", "system_attrs", "intermediate_values")


def facts(trials: list[FrozenTrial]) -> list[dict[str, Any]]:
    """Return all of the trials but their ids, and the moments at which they ended."""
    return [
        {name: getattr(trial, name) for name in FACTS} | {"ended": bool(trial.datetime_complete)} for trial in trials
    ]


def stored(database: RDBStorage) -> list[FrozenTrial]:
    return database.get_all_trials(database.get_study_id_from_name("s"))


def same(study: optuna.Study, database: RDBStorage) -> bool:
    return facts(study.get_trials(deepcopy=False)) == facts(stored(database))


def test_it_has_what_the_database_has(database: RDBStorage) -> None:
    study = optuna.create_study(
        storage=Remembered(database), study_name="s", sampler=optuna.samplers.TPESampler(seed=1)
    )
    study.enqueue_trial({"x": 0.5})
    generator = random.Random(1)  # noqa: S311
    for number in range(20):
        trial = study.ask(SPACE)
        trial.set_user_attr("number", number)
        for step in range(3):
            trial.report(generator.random(), step)
            trial.should_prune()
        if number % 4:
            study.tell(trial, 1.0 if number % 3 == 0 else None, TrialState.PRUNED if number % 3 else None)
        assert same(study, database)


class Away(Exception):
    """Stands for a database that doesn't answer."""


WRITES: dict[str, Callable[[optuna.Study, optuna.Trial], object]] = {
    "set_trial_user_attr": lambda study, trial: trial.set_user_attr("a", [1, (2, 3)]),
    "set_trial_intermediate_value": lambda study, trial: trial.report(1.0, 1),
    "set_trial_state_values": lambda study, trial: study.tell(trial, 1.0, skip_if_finished=True),
}


def loses(real: Callable[..., Any], *, arrives: bool) -> Callable[..., Any]:
    """Return a write whose first answer is lost."""
    calls = itertools.count()

    def write(*args: Any, **kwargs: Any) -> Any:
        if next(calls):
            return real(*args, **kwargs)
        if arrives:
            real(*args, **kwargs)
        raise Away

    return write


@pytest.mark.parametrize("arrives", [True, False])
@pytest.mark.parametrize("write", list(WRITES))
def test_a_write_whose_answer_was_lost_is_seen_and_can_be_repeated(
    write: str, arrives: bool, database: RDBStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = optuna.create_study(storage=Remembered(database), study_name="s")
    trial = study.ask(SPACE)
    trial.set_user_attr("attempts", 1)
    study.get_trials()
    monkeypatch.setattr(database, write, loses(getattr(database, write), arrives=arrives))
    with pytest.raises(Away):
        WRITES[write](study, trial)
    assert same(study, database)
    WRITES[write](study, trial)
    assert same(study, database)


def test_a_trial_is_written_with_its_first_attribute_and_all_at_once(database: RDBStorage) -> None:
    study = optuna.create_study(storage=Remembered(database), study_name="s")
    trial = study.ask(SPACE)
    assert stored(database) == []
    trial.set_user_attr("attempts", 1)
    (written,) = stored(database)
    assert (written.params, written.user_attrs) == (trial.params, {"attempts": 1})
    assert written.state == TrialState.RUNNING
    assert same(study, database)


@pytest.mark.parametrize("arrives", [True, False])
def test_a_trial_that_was_drawn_is_written_once(
    arrives: bool, database: RDBStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = optuna.create_study(storage=Remembered(database), study_name="s")
    trial = study.ask(SPACE)
    monkeypatch.setattr(database, "create_new_trial", loses(database.create_new_trial, arrives=arrives))
    with pytest.raises(Away):
        trial.set_user_attr("attempts", 1)
    trial.set_user_attr("attempts", 1)
    trial.report(1.0, 1)
    study.tell(trial, 1.0)
    (written,) = stored(database)
    assert (written.params, written.user_attrs, written.value) == (trial.params, {"attempts": 1}, 1.0)
    assert same(study, database)


@pytest.mark.parametrize("is_sent", [True, False])
def test_a_trial_of_another_process_is_not_taken_for_one_that_was_drawn(
    is_sent: bool, database: RDBStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = optuna.create_study(storage=Remembered(database), study_name="s")
    trial = study.ask(SPACE)
    if is_sent:
        monkeypatch.setattr(database, "create_new_trial", loses(database.create_new_trial, arrives=False))
        with pytest.raises(Away):
            trial.set_user_attr("attempts", 1)
    optuna.load_study(study_name="s", storage=RDBStorage(database.url)).ask(SPACE)
    with pytest.raises(TandemError, match="expected to be the only writer of the study; got a trial 0 of another"):
        trial.set_user_attr("attempts", 1)
    assert stored(database)[0].user_attrs == {}


def test_trials_are_drawn_as_without_it(tmp_path: Path) -> None:
    drawn: list[list[dict[str, Any]]] = []
    for wrap in (Remembered, lambda storage: storage):
        database = RDBStorage(f"sqlite:///{tmp_path / str(len(drawn))}.db")
        study = optuna.create_study(storage=wrap(database), sampler=optuna.samplers.TPESampler(seed=1))
        for number in range(15):  # TPE draws ten at random
            trial = study.ask(SPACE)
            trial.set_user_attr("attempts", 1)
            if number % 3:  # others go on
                study.tell(trial, trial.params["x"] ** 2)
        drawn.append([trial.params for trial in study.trials])
    assert drawn[0] == drawn[1]
