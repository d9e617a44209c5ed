"""Stores that are away for a while, in the middle of a sweep."""

import itertools
import signal
import sqlite3
from typing import Any

import optuna
import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from sqlalchemy import Dialect
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.exc import OperationalError

from experiments.settings.project import Project
from experiments.sweep.patience import patiently
from experiments.sweep.plan import Backends
from experiments.sweep.runs import STATE
from experiments.sweep.storage import connect
from experiments.sweep.watch import Watcher
from experiments.system.errors import Stopped
from experiments.tracking.patience import TIMES, pauses
from tests.sweep.conftest import Postgres, Sweep
from tests.sweep.simulated import Fault, Running, check_steps

# To ask for a trial takes a dozen transactions, and all of them succeed or none counts.
EVERY = 17


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses, which take no time."""
    found: list[float] = []
    monkeypatch.setattr("experiments.tracking.patience.time.sleep", found.append)
    return found


def away() -> OperationalError:
    return OperationalError("SELECT 1", {}, Exception("server closed the connection unexpectedly"))


def test_what_fails_is_repeated_for_minutes(slept: list[float]) -> None:
    calls = itertools.count(1)

    def works_in_the_end() -> str:
        if next(calls) < TIMES:
            raise away()
        return "done"

    assert patiently(works_in_the_end) == "done"
    assert 120 < sum(slept) < 600
    assert slept == sorted(slept)


def test_what_never_works_is_raised_in_the_end(slept: list[float]) -> None:
    def fails() -> None:
        raise away()

    with pytest.raises(OperationalError, match="closed the connection"):
        patiently(fails)
    assert slept == list(pauses())


def test_a_mistake_is_not_repeated(slept: list[float]) -> None:
    def wrong() -> None:
        raise ValueError("no such trial")

    with pytest.raises(ValueError, match="no such trial"):
        patiently(wrong)
    assert slept == []


def test_a_database_that_is_restarted_in_the_middle_of_a_sweep_costs_nothing(sweep: Sweep, postgres: Postgres) -> None:
    restarts: list[str] = []

    def restart(task: Running, message: Any) -> Fault:
        if (task.number, message.epoch) in (("0", 1), ("1", 0), ("2", 2)):
            postgres.restart()
            restarts.append(task.key)
        return None

    records = sweep.run(4, script=restart)
    assert len(restarts) == 3
    assert records.states() == ["COMPLETE"] * 4
    for each in records.runs.values():
        check_steps(each, 2)


@pytest.mark.usefixtures("slept")
@pytest.mark.parametrize("is_written", [False, True])
@pytest.mark.parametrize("backends", ["lightning", "both"])
def test_a_transaction_that_fails_or_whose_answer_is_lost_is_repeated(
    sweep: Sweep, monkeypatch: pytest.MonkeyPatch, backends: Backends, is_written: bool
) -> None:
    """Many of the controller's transactions fail, from the first report on, before they are written or after."""
    undisturbed = sweep.run(4, backends=backends, workers=2, name="undisturbed")
    commit, close, counter = DefaultDialect.do_commit, Watcher.close, itertools.count(1)
    failed: list[Dialect] = []
    dialects: list[Dialect] = []

    def flaky(dialect: DefaultDialect, connection: Any) -> None:
        fails = dialect in dialects and next(counter) % EVERY == 0
        if not fails or is_written:
            commit(dialect, connection)
        if fails:
            failed.append(dialect)
            raise sqlite3.OperationalError("server closed the connection unexpectedly")

    def begin(task: Running, message: Any) -> Fault:
        dialects[:] = engines
        return None

    def end(watcher: Watcher) -> None:
        dialects.clear()
        close(watcher)

    engines: list[Dialect] = []

    def connect_and_note(project: Project) -> optuna.storages.RDBStorage:
        storage = connect(project)
        engines.append(storage.engine.dialect)
        return storage

    monkeypatch.setattr("experiments.sweep.open_sweep.connect", connect_and_note)
    monkeypatch.setattr(DefaultDialect, "do_commit", flaky)
    monkeypatch.setattr(Watcher, "close", end)
    records = sweep.run(4, script=begin, backends=backends, workers=2)
    assert len(failed) > 2
    assert records.states() == ["COMPLETE"] * 4
    assert sorted(records.runs) == sorted(undisturbed.runs)
    for (number, _), each in records.runs.items():
        check_steps(each, 2)
        assert (each.status, each.state) == ("FINISHED", "complete")
        assert list(records.trials[number].intermediate_values) == [1, 2]
    if backends == "lightning":
        values = [records.runs[number, "lightning"].metrics["objective"] for number in range(4)]
        assert values == [[(2, trial.value)] for trial in records.trials]


@pytest.mark.usefixtures("slept")
@pytest.mark.parametrize("when", ["begins", "ends"])
def test_an_mlflow_that_is_away_when_a_run_begins_or_ends_gets_it_all_later(
    sweep: Sweep, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    written, failures = MlflowClient.log_batch, itertools.count(1)

    def flaky(client: MlflowClient, run_id: str, **entries: Any) -> None:
        ends = any(tag.key == STATE for tag in entries.get("tags", ()))
        if (ends if when == "ends" else entries.get("params")) and next(failures) <= 2:
            raise MlflowException("the server is away")
        written(client, run_id, **entries)

    def begin(task: Running, message: Any) -> Fault:
        monkeypatch.setattr(MlflowClient, "log_batch", flaky)
        return None

    records = sweep.run(2, script=begin)
    assert next(failures) > 2
    assert [(each.status, each.state) for each in records.runs.values()] == [("FINISHED", "complete")] * 2


@pytest.mark.usefixtures("slept")
def test_a_run_that_was_created_and_whose_answer_was_lost_is_not_created_again(
    sweep: Sweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_run, calls = MlflowClient.create_run, itertools.count(1)

    def flaky(client: MlflowClient, *args: Any, **settings: Any) -> Any:
        run = create_run(client, *args, **settings)
        if next(calls) == 2:  # the first one is the study's own
            raise MlflowException("no answer within 10 s")
        return run

    monkeypatch.setattr(MlflowClient, "create_run", flaky)
    records = sweep.run(2)  # two runs of one trial would be seen
    assert next(calls) == 4
    assert [(each.status, each.state) for each in records.runs.values()] == [("FINISHED", "complete")] * 2


def test_a_stop_while_the_database_is_away_is_still_a_stop(sweep: Sweep, postgres: Postgres) -> None:
    def stop(task: Running, message: Any) -> Fault:
        if (task.number, message.epoch) == ("1", 1):
            postgres.stop()
            raise Stopped(signal.SIGTERM)
        return None

    with pytest.raises(Stopped):
        sweep.run(3, script=stop)
    postgres.start()
    # It couldn't give the lease back, and it is this process that had it, which is still there.
    records = sweep.run(3, take_over=True)
    assert records.states() == ["COMPLETE"] * 3
    for each in records.runs.values():
        check_steps(each, 2)
