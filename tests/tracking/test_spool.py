"""What is kept for later is delivered once, and only where it still fits. On a real SQLite store."""

import time

import pytest
from mlflow import MlflowClient
from mlflow.entities import Metric, Run

from experiments.settings.project import Project
from experiments.tracking import abandoned, owner, store
from experiments.tracking.spool import Spool, deliver_all

NOW = int(time.time() * 1000)


@pytest.fixture
def run_id(project: Project) -> str:
    """A RUNNING run of this process."""
    experiment = store.connect(project)
    return str(MlflowClient().create_run(experiment, tags=owner.owner_tags()).info.run_id)


def get(run_id: str) -> Run:
    return MlflowClient().get_run(run_id)


def steps(run_id: str) -> list[int]:
    return sorted(point.step for point in MlflowClient().get_metric_history(run_id, "a"))


def keep(run_id: str, *, status: str = "") -> Spool:
    """Keep two steps, and perhaps a status, as a process does that ends then."""
    spool = Spool(run_id)
    spool.add_metrics([Metric("a", float("nan"), NOW, 1), Metric("a", 2.0, NOW, 2)])
    if status:
        spool.add_status(status, NOW)
    spool.release()
    return spool


def test_metrics_and_status_are_delivered_once(run_id: str) -> None:
    MlflowClient().log_metric(run_id, "a", 1.0, step=1)
    path = keep(run_id, status="FINISHED").path
    content = path.read_bytes()
    deliver_all()
    assert not path.exists()
    path.write_bytes(content)  # a kill right after the delivery
    deliver_all()
    assert steps(run_id) == [1, 2]
    assert (get(run_id).info.status, get(run_id).info.end_time) == ("FINISHED", NOW)


def test_a_line_that_a_kill_has_cut_off_costs_no_other(run_id: str) -> None:
    path = keep(run_id).path
    with path.open("a") as file:
        file.write('{"metrics": [["a", 3.0,')
    again = Spool(run_id)
    again.add_metrics([Metric("a", 4.0, NOW, 4)])
    again.release()
    deliver_all()
    assert steps(run_id) == [1, 2, 4]


def test_a_run_that_ended_otherwise_keeps_its_status(run_id: str) -> None:
    MlflowClient().set_terminated(run_id, "FAILED")
    keep(run_id, status="FINISHED")
    deliver_all()
    assert get(run_id).info.status == "FAILED"
    assert steps(run_id) == [1, 2]


def test_a_run_that_another_process_has_resumed_stays_open(run_id: str) -> None:
    keep(run_id, status="KILLED")
    MlflowClient().set_tag(run_id, owner.PID, "1")
    deliver_all()
    assert get(run_id).info.status == "RUNNING"


def test_the_status_replaces_the_one_that_was_guessed_from_elsewhere(run_id: str) -> None:
    keep(run_id, status="FINISHED")
    MlflowClient().set_tag(run_id, abandoned.CLOSED_BECAUSE, abandoned.PROCESS_GONE)
    MlflowClient().set_terminated(run_id, "KILLED")
    deliver_all()
    assert get(run_id).info.status == "FINISHED"
    assert abandoned.CLOSED_BECAUSE not in get(run_id).data.tags


def test_a_run_of_another_store_is_kept_and_one_that_is_being_written_is_left(run_id: str) -> None:
    other = keep("f" * 32)
    writing = Spool(run_id)
    writing.add_metrics([Metric("a", 1.0, NOW, 1)])
    deliver_all()
    assert other.path.exists()
    assert writing.path.exists()
    assert steps(run_id) == []
    writing.release()
    deliver_all()
    assert steps(run_id) == [1]
