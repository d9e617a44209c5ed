import math
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

import matplotlib
import mlflow
import numpy as np
import pytest
from mlflow import MlflowClient
from mlflow.entities import Metric, Run

from experiments.data.dataset import Dataset, Split
from experiments.reports.confusion_plots import plot_confusion_matrix
from experiments.settings.project import Project
from experiments.system.errors import Stopped, TandemError
from experiments.tracking import abandoned, metrics, owner, runs, store
from experiments.tracking.run import open_run, track
from experiments.tracking.tracker import Tracker

matplotlib.use("Agg")
COMMAND = "tandem train lenet lightning 1"
TAGS = {"recipe": "lenet", "backend": "keras", "seed": "1", "dataset": "digits"}


@pytest.fixture
def experiment(project: Project) -> str:
    return store.connect(project)


def get(run_id: str) -> Run:
    return MlflowClient().get_run(run_id)


def test_a_run_keeps_everything_and_says_finished(experiment: str, project: Project) -> None:
    with track("name", experiment=experiment, tags=TAGS, command=COMMAND) as tracker:
        tracker.params({"lr": 0.1})
        tracker.metrics(("train/step_loss", 1 / step, step) for step in range(1, 2501))
        tracker.text("content", "git.diff")
        tracker.file(project.params)
        tracker.plot(
            plot_confusion_matrix("title", np.eye(2, dtype=np.int64), ["0", "1"], "#0072B2"), "confusion_matrix.png"
        )
        images = np.zeros((3, 28, 28, 1), np.uint8)
        dataset = Dataset(project.root, "digits", "f" * 64, (28, 28, 1), 10, {})
        tracker.dataset(dataset, Split(images, np.zeros(3, np.uint16)))
    run = get(tracker.run_id)
    assert run.info.status == "FINISHED"
    assert run.data.params == {"lr": "0.1"}
    assert TAGS.items() <= run.data.tags.items()
    history = MlflowClient().get_metric_history(tracker.run_id, "train/step_loss")
    assert {point.step: point.value for point in history} == {step: 1 / step for step in range(1, 2501)}
    assert {file.path for file in MlflowClient().list_artifacts(tracker.run_id)} == {
        *("git.diff", "params.yaml", "confusion_matrix.png"),
    }
    (logged,) = run.inputs.dataset_inputs
    assert (logged.dataset.name, logged.dataset.digest) == ("digits", "f" * 32)
    assert (project.mlruns / "mlflow.db").is_file()
    assert list((project.mlruns / "artifacts").iterdir())


@pytest.mark.parametrize(
    ("error", "status"), [(ValueError("bug"), "FAILED"), (SystemExit(3), "FAILED"), (Stopped(15), "KILLED")]
)
def test_a_run_that_ends_badly_says_so_and_loses_no_metric(experiment: str, error: BaseException, status: str) -> None:
    with pytest.raises(type(error)), track("name", experiment=experiment, tags=TAGS, command=COMMAND) as tracker:  # noqa: PT012
        tracker.metrics([("a", 1.0, 1)])
        raise error
    assert get(tracker.run_id).info.status == status
    assert get(tracker.run_id).data.metrics["a"] == 1.0
    assert mlflow.active_run() is None


def test_a_resumed_run_writes_no_step_twice(experiment: str) -> None:
    with pytest.raises(Stopped), track("name", experiment=experiment, tags=TAGS, command=COMMAND) as tracker:  # noqa: PT012
        tracker.metrics([("a", 1.0, 1), ("a", 2.0, 2)])
        raise Stopped(15)
    with track("name", experiment=experiment, tags=TAGS, command=COMMAND, resume=tracker.run_id) as again:
        again.metrics([("a", 5.0, 2), ("a", 3.0, 3), ("a", 4.0, 3)])
    assert again.run_id == tracker.run_id
    history = MlflowClient().get_metric_history(tracker.run_id, "a")
    assert sorted((point.step, point.value) for point in history) == [(1, 1.0), (2, 2.0), (3, 3.0)]
    assert get(tracker.run_id).info.status == "FINISHED"


def test_metrics_gather_for_as_long_as_they_may(experiment: str) -> None:
    tracker = Tracker(open_run("n", experiment=experiment, tags=TAGS, command=COMMAND), send_seconds=math.inf)
    tracker.metrics(("a", 1 / step, step) for step in (1, 2, 3))
    assert get(tracker.run_id).data.metrics == {}
    tracker.close("FINISHED")
    assert get(tracker.run_id).data.metrics == {"a": 1 / 3}
    assert len(MlflowClient().get_metric_history(tracker.run_id, "a")) == 3


# The beginning of a program that connects to the store of the project that its command line names.
CONNECT = """
import os, sys
from pathlib import Path
from experiments.tracking import metrics, store
from experiments.tracking.run import track
from experiments.data.dataset import Dataset, Split
from experiments.settings.project import Project
folder = Path(sys.argv[1])
e = store.connect(Project(folder, folder))
"""


def _abandon(project: Project) -> str:
    """Leave a run RUNNING, as `kill -9` does, and return its id."""
    code = (
        f"{CONNECT}m = track('n', experiment=e, tags={TAGS!r}, command=''); t = m.__enter__()\n"
        "print(t.run_id, flush=True); os.kill(os.getpid(), 9)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(project.root)], capture_output=True, text=True, check=False)
    assert done.returncode == -9, done.stderr
    return done.stdout.strip()


def test_a_run_whose_process_is_gone_is_closed(
    experiment: str, project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    run_id = _abandon(project)
    assert get(run_id).info.status == "RUNNING"
    store.connect(project)
    assert get(run_id).info.status == "KILLED"
    assert get(run_id).info.end_time is not None
    assert run_id in capsys.readouterr().err


@pytest.mark.parametrize(
    ("tag", "value", "status"),
    [
        (owner.BOOT_ID, "another", "RUNNING"),  # another machine, or this one before a reboot: nobody can tell
        (owner.NAMESPACE, "pid:[1]", "RUNNING"),  # another container
        (owner.PID, str(os.getpid()), "KILLED"),  # the pid exists, but as another process
    ],
    ids=["machine", "container", "pid"],
)
def test_only_processes_that_are_known_to_be_gone_have_their_runs_closed(
    experiment: str, project: Project, tag: str, value: str, status: str
) -> None:
    run_id = _abandon(project)
    MlflowClient().set_tag(run_id, tag, value)
    store.connect(project)
    assert get(run_id).info.status == status


def test_a_run_that_ends_while_its_process_is_looked_for_keeps_its_status(experiment: str, project: Project) -> None:
    run_id = _abandon(project)
    seen = get(run_id)
    MlflowClient().set_terminated(run_id, "FINISHED")  # by its process, right before that ended
    assert owner.is_abandoned(seen)
    assert not abandoned.close_abandoned(seen)
    assert get(run_id).info.status == "FINISHED"


def test_a_run_that_is_resumed_while_its_process_is_looked_for_is_left(experiment: str, project: Project) -> None:
    seen = get(_abandon(project))
    with track("name", experiment=experiment, tags=TAGS, command=COMMAND, resume=seen.info.run_id):
        assert not abandoned.close_abandoned(seen)
    assert get(seen.info.run_id).info.status == "FINISHED"


def test_a_run_whose_process_nobody_can_judge_is_closed_on_demand(experiment: str, project: Project) -> None:
    run_id = _abandon(project)
    MlflowClient().set_tag(run_id, owner.BOOT_ID, "before the reboot")
    abandoned.close_run(run_id)
    assert get(run_id).info.status == "KILLED"
    with pytest.raises(TandemError, match=f"expected a run that is RUNNING; got {run_id}, which is KILLED"):
        abandoned.close_run(run_id)
    with (
        track("name", experiment=experiment, tags=TAGS, command=COMMAND) as tracker,
        pytest.raises(TandemError, match="expected a run without a process"),
    ):
        abandoned.close_run(tracker.run_id)


def test_a_run_of_a_live_process_is_left_alone(experiment: str, project: Project) -> None:
    with track("name", experiment=experiment, tags=TAGS, command=COMMAND) as tracker:
        assert abandoned.close_abandoned_runs(experiment) == []
    assert get(tracker.run_id).info.status == "FINISHED"


def test_a_deleted_run_is_not_found(experiment: str) -> None:
    with track("name", experiment=experiment, tags=TAGS, command=COMMAND) as tracker:
        pass
    MlflowClient().delete_run(tracker.run_id)
    assert runs.find_run(tracker.run_id) is None
    assert runs.find_run("nonsense") is None


def test_processes_that_start_together_share_one_new_store(project: Project) -> None:
    code = f"{CONNECT}print(e)"
    command = [sys.executable, "-c", code, str(project.root)]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    answers = [process.communicate()[0].strip() for process in started]
    assert [process.returncode for process in started] == [0, 0, 0]
    assert len(set(answers)) == 1


def test_a_server_that_does_not_answer_is_one_line(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{taken.getsockname()[1]}")
    with pytest.raises(
        TandemError, match="MLFLOW_TRACKING_URI: expected an MLflow server that answers; got ConnectionError"
    ):
        store.connect(project)


def test_a_metric_that_the_store_refused_is_sent_again(experiment: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with track("name", experiment=experiment, tags=TAGS, command=COMMAND) as tracker:
        _fail_once(monkeypatch)
        tracker.metrics([("a", 1.0, 1)])
        tracker.flush()
        assert get(tracker.run_id).data.metrics == {}
    assert get(tracker.run_id).data.metrics["a"] == 1.0


def _fail_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the store refuse one batch: a lock on a real database can't be timed well enough."""
    real: Callable[..., None] = MlflowClient.log_batch
    failures = iter([True])

    def log_batch(*args: object, **kwargs: object) -> None:
        if next(failures, False):
            raise mlflow.exceptions.MlflowException("database is locked")
        real(*args, **kwargs)

    monkeypatch.setattr(MlflowClient, "log_batch", log_batch)


@pytest.mark.parametrize("uri", ["bogus://x", "postgresql://a/b", "mysql://a/b"])
def test_a_store_that_mlflow_can_not_open_is_one_line(
    project: Project, monkeypatch: pytest.MonkeyPatch, uri: str
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    with pytest.raises(
        TandemError, match="MLFLOW_TRACKING_URI: expected a store that MLflow can open; got '"
    ) as caught:
        store.connect(project)
    assert "\n" not in str(caught.value)


def test_a_folder_s_odd_name_does_not_send_artifacts_elsewhere(tmp_path: Path) -> None:
    folder = tmp_path / "odd #name"
    experiment = store.connect(Project(folder, folder))
    with track("name", experiment=experiment, tags=TAGS, command=COMMAND) as tracker:
        tracker.text("content", "note.txt")
    assert list((folder / "mlruns" / "artifacts").rglob("note.txt"))


def test_a_store_that_is_away_is_not_taken_for_a_run_that_is_gone(
    experiment: str, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*args: object) -> None:
        raise mlflow.exceptions.MlflowException("busy", error_code=1)  # TEMPORARILY_UNAVAILABLE is 2, INTERNAL_ERROR 1

    monkeypatch.setattr(MlflowClient, "get_run", busy)
    with pytest.raises(mlflow.exceptions.MlflowException, match="busy"):
        runs.find_run("run")


def test_the_store_is_where_the_environment_says(
    project: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert store.store_uri(project) == f"sqlite:///{project.root}/mlruns/mlflow.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/other.db")
    assert store.store_uri(project) == f"sqlite:///{tmp_path}/other.db"


def test_a_resumed_run_keeps_its_parameters(experiment: str) -> None:
    with pytest.raises(Stopped), track("name", experiment=experiment, tags=TAGS, command=COMMAND) as tracker:  # noqa: PT012
        tracker.params({"threads": 1, "lr": 0.5})
        raise Stopped(15)
    with track("name", experiment=experiment, tags=TAGS, command=COMMAND, resume=tracker.run_id) as again:
        again.params({"threads": 2, "lr": 0.5, "new": 3})
    data = get(tracker.run_id).data
    assert data.params == {"threads": "1", "lr": "0.5", "new": "3"}
    assert {name: value for name, value in data.tags.items() if name.startswith("resumed.")} == {"resumed.threads": "2"}


def test_the_first_error_is_reported_when_the_store_fails_too(experiment: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*args: object, **kwargs: object) -> None:
        raise mlflow.exceptions.MlflowException("the server is away")

    with pytest.raises(TandemError, match="the disk is full"):  # noqa: PT012, SIM117
        with track("name", experiment=experiment, tags=TAGS, command=COMMAND) as tracker:
            monkeypatch.setattr(MlflowClient, "log_batch", away)
            monkeypatch.setattr(mlflow, "end_run", away)
            tracker.metrics([("a", 1.0, 1)])
            raise TandemError("the disk is full")
    monkeypatch.undo()
    mlflow.end_run("FAILED")


@pytest.mark.parametrize("was_sent", [False, True])
def test_a_signal_while_metrics_are_being_sent_loses_and_doubles_none(
    experiment: str, monkeypatch: pytest.MonkeyPatch, was_sent: bool
) -> None:
    send, signals = metrics._in_background, iter([Stopped(15)])

    def interrupted(run_id: str, batch: list[Metric]) -> Future[None]:
        for stopped in signals:
            if was_sent:
                send(run_id, batch).result()
            raise stopped
        return send(run_id, batch)

    monkeypatch.setattr(metrics, "_in_background", interrupted)
    with pytest.raises(Stopped), track("name", experiment=experiment, tags=TAGS, command=COMMAND) as tracker:  # noqa: PT012
        tracker.metrics([("a", 1.0, 1), ("a", 2.0, 2)])
        tracker.flush()
    history = MlflowClient().get_metric_history(tracker.run_id, "a")
    assert sorted((point.step, point.value) for point in history) == [(1, 1.0), (2, 2.0)]
    assert get(tracker.run_id).info.status == "KILLED"
