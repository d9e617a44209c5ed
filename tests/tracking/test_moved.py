"""A project's folder is moved, with a finished run in its store."""

import shutil
from pathlib import Path

import mlflow
import numpy as np
import pytest
from mlflow import MlflowClient
from sklearn.linear_model import LinearRegression

from experiments.data.dataset import Dataset, Split
from experiments.settings.project import Project
from experiments.tracking import store
from experiments.tracking.run import track

ELSEWHERE = ("s3://bucket/mlruns/artifacts", "file:///another/project/mlruns/artifacts")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path / "old place", tmp_path / "old place")


def train(project: Project) -> tuple[str, str]:
    """Write a run with a file and a model; return the ids of both."""
    model = LinearRegression().fit(np.array([[0.0], [1.0]]), np.array([0.0, 2.0]))
    dataset = Dataset(project.root, "digits", "f" * 64, (28, 28, 1), 10, {})
    with track("lenet-keras-1", experiment=store.connect(project), tags={}, command="") as run:
        run.dataset(dataset, Split(np.zeros((3, 28, 28, 1), np.uint8), np.zeros(3, np.uint16)))
        run.text("content", "note.txt")
        run.metrics([("test/accuracy", 0.5, 1), ("test/accuracy", 0.9, 2), ("train/loss", 0.1, 2)])
        mlflow.sklearn.save_model(model, project.root / "model", pip_requirements=[])
        run.saved_model(project.root / "model")
        run.saved_model(project.root / "model")  # a repeat
    ((output,),) = [MlflowClient().get_run(run.run_id).outputs.model_outputs]
    return run.run_id, str(output.model_id)


def test_a_run_and_its_model_are_found_where_the_project_is_now(
    project: Project, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id, model_id = train(project)
    for number, place in enumerate(ELSEWHERE):
        MlflowClient().create_experiment(f"other {number}", artifact_location=place)
    model = MlflowClient().get_logged_model(model_id)
    assert (model.name, model.source_run_id) == ("lenet-keras-1", run_id)
    (metric,) = model.metrics
    assert (metric.key, metric.value, metric.step) == ("test/accuracy", 0.9, 2)
    assert (metric.dataset_name, metric.dataset_digest) == ("digits", "f" * 32)
    assert len(MlflowClient().get_metric_history(run_id, "test/accuracy")) == 2

    moved = Project(tmp_path / "new #place", tmp_path / "new #place")
    shutil.move(project.root, moved.root)
    capsys.readouterr()
    monkeypatch.delenv("MLFLOW_TRACKING_URI")  # MLflow notes there which store it has
    store.connect(moved)
    said = capsys.readouterr().err
    assert said.startswith(f"mlruns/ was in {project.root}: 4 paths")
    assert said.count("\n") == 1
    assert MlflowClient().download_artifacts(run_id, "note.txt", str(tmp_path)).endswith("note.txt")
    assert mlflow.sklearn.load_model(f"models:/{model_id}").predict([[3.0]]) == pytest.approx(6)
    others = [MlflowClient().get_experiment_by_name(f"other {number}") for number in range(2)]
    assert tuple(each.artifact_location for each in others) == ELSEWHERE

    store.connect(moved)
    assert capsys.readouterr().err == ""


def test_another_name_of_the_same_folder_changes_nothing(
    project: Project, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    store.connect(project)
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    (tmp_path / "mount").symlink_to(project.root)
    store.connect(Project(tmp_path / "mount", tmp_path / "mount"))
    assert capsys.readouterr().err == ""
