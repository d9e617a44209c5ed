"""What is kept in memory is what the database has, whatever was written, and whatever failed."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.storages import RDBStorage
from optuna.trial import TrialState

from experiments.sweep.remembered import Remembered

SPACE: dict[str, optuna.distributions.BaseDistribution] = {"x": optuna.distributions.FloatDistribution(0, 1)}


@pytest.fixture
def database(tmp_path: Path) -> RDBStorage:
    return RDBStorage(f"sqlite:///{tmp_path / 'optuna.db'}")


def same(study: optuna.Study, database: RDBStorage) -> bool:
    return study.get_trials(deepcopy=False) == database.get_all_trials(
        database.get_study_id_from_name(study.study_name)
    )


def test_it_has_what_the_database_has(database: RDBStorage) -> None:
    study = optuna.create_study(storage=Remembered(database), sampler=optuna.samplers.TPESampler(seed=1))
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
    "create_new_trial": lambda study, trial: study.ask(SPACE),
    "set_trial_param": lambda study, trial: study.ask(SPACE),
    "set_trial_user_attr": lambda study, trial: trial.set_user_attr("a", 1),
    "set_trial_intermediate_value": lambda study, trial: trial.report(1.0, 1),
    "set_trial_state_values": lambda study, trial: study.tell(trial, 1.0),
}


@pytest.mark.parametrize("write", list(WRITES))
def test_a_write_that_arrived_and_whose_answer_was_lost_is_seen(
    write: str, database: RDBStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = optuna.create_study(storage=Remembered(database))
    trial = study.ask(SPACE)
    study.get_trials()
    real = getattr(database, write)

    def lose(*args: Any, **kwargs: Any) -> None:
        real(*args, **kwargs)
        raise Away

    with monkeypatch.context() as patch:
        patch.setattr(database, write, lose)
        with pytest.raises(Away):
            WRITES[write](study, trial)
    assert same(study, database)
