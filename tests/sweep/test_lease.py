"""Only one process writes to a study; one that was suspended and lost its lease can't, on either database."""

import json
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict

import optuna
import pytest
from sqlalchemy import Column, Engine, MetaData, String, Table, create_engine, insert, update

from experiments.settings.project import Project
from experiments.sweep.lease import LEASES, Lease, LeaseLost, holder
from experiments.sweep.storage import connect, storage_url
from experiments.system.errors import TandemError
from experiments.system.processes import ProcessId
from tests.conftest import ROOT
from tests.sweep.conftest import Sweep
from tests.sweep.simulated import Fault, Running, check_steps

TAKES = """
import sys
from pathlib import Path
from experiments.settings.project import Project
from experiments.sweep.lease import Lease
from experiments.sweep.storage import connect
Lease(connect(Project(Path(sys.argv[1]), Path(sys.argv[1]))).engine, "s").acquire()
print("taken", flush=True)
sys.stdin.read()
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, project: Project) -> Callable[[], Engine]:
    """Each call is another controller's connection to the same database."""
    if request.param == "postgresql":
        request.getfixturevalue("postgres")
    return lambda: connect(project).engine


def test_a_second_controller_is_refused_while_the_first_is_alive(engine: Callable[[], Engine]) -> None:
    first = Lease(engine(), "s")
    first.acquire()
    with pytest.raises(TandemError) as caught:
        Lease(engine(), "s").acquire()
    assert str(caught.value).startswith("sweep s: expected no other controller; got process")
    assert str(caught.value).endswith("or, if it is gone, repeat with --take-over")
    first.check()
    Lease(engine(), "t").acquire()  # of another study
    first.release()
    assert holder(engine(), "s") is None
    Lease(engine(), "s").acquire()
    assert holder(engine(), "s") == ProcessId.own()


@pytest.mark.usefixtures("postgres")
def test_of_two_that_take_a_new_study_at_the_same_time_one_is_refused(project: Project) -> None:
    engine, second = connect(project).engine, Lease(connect(project).engine, "s")
    with ThreadPoolExecutor(1) as pool, engine.connect() as connection:
        mine = {"token": "first", "holder": json.dumps(asdict(ProcessId.own()))}
        connection.execute(insert(LEASES).values(study="s", **mine))
        waits = pool.submit(second.acquire)
        with pytest.raises(TimeoutError):
            waits.result(0.5)
        connection.commit()
        with pytest.raises(TandemError, match="sweep s: expected no other controller; got process"):
            waits.result(10)


@pytest.mark.usefixtures("postgres")
@pytest.mark.parametrize("table", [LEASES, Table("alembic_version", MetaData(), Column("version_num", String(32)))])
def test_tables_that_another_checkout_makes_at_the_same_time_are_taken(project: Project, table: Table) -> None:
    address = storage_url(project)
    with ThreadPoolExecutor(1) as pool, create_engine(address).connect() as connection:
        table.create(connection)
        waits = pool.submit(lambda: Lease(connect(project).engine, "s").acquire())
        with pytest.raises(TimeoutError):
            waits.result(2)
        connection.commit()
        waits.result(10)
    assert holder(connect(project).engine, "s") == ProcessId.own()


def test_a_lease_of_a_process_that_is_gone_is_taken(project: Project) -> None:
    command = [sys.executable, "-c", TAKES, str(project.root)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "taken\n"
        with pytest.raises(TandemError, match=f"got process {process.pid}; stop it"):
            Lease(connect(project).engine, "s").acquire()
        process.kill()
        process.wait()
        Lease(connect(project).engine, "s").acquire()


def test_a_lease_of_another_machine_is_taken_only_if_told_so(project: Project) -> None:
    first = Lease(connect(project).engine, "s")
    first.acquire()
    elsewhere = '{"boot_id": "another", "pid_namespace": "", "pid": 7, "started": "1"}'
    other = connect(project).engine
    with other.begin() as connection:
        connection.execute(update(LEASES).values(holder=elsewhere))
    with pytest.raises(TandemError, match="got process 7 of another machine or boot"):
        Lease(other, "s").acquire()
    Lease(other, "s").acquire(take_over=True)


def test_who_lost_the_lease_writes_nothing_more(project: Project, engine: Callable[[], Engine]) -> None:
    storage = connect(project)
    first = Lease(storage.engine, "s")
    first.acquire()
    study = optuna.create_study(storage=storage, study_name="s")
    trial = study.ask()
    Lease(engine(), "s").acquire(take_over=True)
    with pytest.raises(LeaseLost, match="another one has taken it over"):
        first.check()
    writes: list[Callable[[], object]] = [
        study.ask,
        lambda: study.set_user_attr("key", 1),
        lambda: trial.set_user_attr("key", 1),
        lambda: trial.report(0.5, 1),
        lambda: study.tell(trial, 0.5),
        lambda: study.enqueue_trial({"lr": 0.1}),
    ]
    for write in writes:
        with pytest.raises(LeaseLost):
            write()
    first.release()  # it isn't there any more: the other one keeps it
    (left,) = optuna.load_study(study_name="s", storage=connect(project)).trials
    assert (left.state.name, left.user_attrs, left.intermediate_values) == ("RUNNING", {}, {})
    assert holder(engine(), "s") == ProcessId.own()


def test_a_controller_that_is_taken_over_stops_before_its_next_write(sweep: Sweep) -> None:
    second: list[object] = []

    def take_over(task: Running, message: object) -> Fault:
        if task.number == "1" and not second:
            engine = sweep.engine
            second.append(None)
            second[0] = sweep.run(3, take_over=True)
            assert engine is not sweep.engine
        return None

    with pytest.raises(LeaseLost, match="this one stops, and has written nothing since"):
        sweep.run(3, script=take_over)
    records = sweep.records()
    assert records == second[0]
    assert records.states() == ["COMPLETE"] * 3
    assert records.parents == ["FINISHED"]
    for each in records.runs.values():
        check_steps(each, 2)


def test_two_controllers_at_the_same_time_are_one(sweep: Sweep) -> None:
    def begin_another(task: Running, message: object) -> Fault:
        with pytest.raises(TandemError, match="sweep s: expected no other controller"):
            sweep.run(3)
        return None

    engine = sweep.engine
    records = sweep.run(2, script=begin_another)
    assert engine is not sweep.engine
    assert records.states() == ["COMPLETE"] * 2
