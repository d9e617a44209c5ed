"""What MLflow's pages show: which runs, in which order, with which pages, tables and descriptions."""

from pathlib import Path

import mlflow
import numpy as np
import pytest
from mlflow import MlflowClient

from experiments.contract.run_log import OUTPUTS
from experiments.settings.project import Project
from experiments.tracking import runs, store
from experiments.tracking.order import put_first
from experiments.tracking.run import open_run
from experiments.tracking.tracker import Tracker
from experiments.tracking.view import STATE


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Project:
    folder = tmp_path_factory.mktemp("project")
    made = Project(folder, folder)
    store.open_experiment(made)
    return made


@pytest.fixture
def experiment(opened: Project) -> str:
    """An experiment of the test's own, in a store that all of them share."""
    mlflow.set_tracking_uri(store.own_uri(opened))
    return str(MlflowClient().create_experiment(f"{len(MlflowClient().search_experiments())}"))


def write(experiment: str, name: str, status: str | None = "FINISHED", **tags: str) -> Tracker:
    """Write a run; None leaves it RUNNING."""
    tracker = Tracker(open_run(name, experiment=experiment, tags=tags, command=""))
    if status:
        tracker.close(status)
    return tracker


def shown(experiment: str) -> set[str]:
    """Return the names of the runs that the view shows."""
    return {run.info.run_name for run in runs.search(experiment, str(STATE["searchFilter"]))}


def test_a_training_that_was_done_again_hides_the_older_one_and_nothing_else(experiment: str, tmp_path: Path) -> None:
    place = {OUTPUTS: "runs/lenet/keras/1"}
    older = write(experiment, "older", **place)
    for name, status, tags in (
        ("stopped", "KILLED", place),
        ("running", None, place),
        ("elsewhere", "FINISHED", {OUTPUTS: "runs/lenet/lightning/1"}),
        ("trial", "FINISHED", {"sweep": "s"}),
        ("sweep", "FINISHED", {}),
    ):
        write(experiment, name, status, **tags)
    (tmp_path / "index.html").write_text("page")
    runs.keep_page(experiment, tmp_path / "index.html")
    newer = write(experiment, "newer", None, **place)
    for _ in range(2):
        runs.supersede(experiment, newer.run_id)
    assert MlflowClient().get_run(older.run_id).data.tags[runs.SUPERSEDED] == newer.run_id
    assert shown(experiment) == {"newer", "stopped", "running", "elsewhere", "trial", "sweep"}
    # Whoever ends last has its outputs there.
    newer.close("FINISHED")
    open_run("older", experiment=experiment, tags=place, command="", resume=older.run_id)
    runs.supersede(experiment, older.run_id)
    assert {"older", "newer"} & shown(experiment) == {"older"}


def test_the_page_is_kept_once_as_it_is_now(experiment: str, tmp_path: Path) -> None:
    page, kept = tmp_path / "index.html", set()
    for content in ("first", "second"):
        page.write_text(content)
        kept.add(runs.keep_page(experiment, page))
    (run_id,) = kept
    assert Path(MlflowClient().download_artifacts(run_id, page.name)).read_text() == "second"
    assert MlflowClient().get_run(run_id).info.status == "FINISHED"


def test_a_table_of_images_is_written_once(experiment: str) -> None:
    tracker = write(experiment, "run", None)
    images = np.arange(2 * 28 * 28, dtype=np.uint8).reshape(2, 28, 28, 1)
    for _ in range(2):
        tracker.images("wrong.json", images, {"number": [3, 8], "answer": [1, 7]})
    table = MlflowClient().load_table(experiment, "wrong.json", [tracker.run_id])
    assert table[["number", "answer"]].to_numpy().tolist() == [[3, 1], [8, 7]]
    picture = mlflow.artifacts.load_image(f"runs:/{tracker.run_id}/{table['image'][1]['filepath']}")
    assert np.array_equal(np.asarray(picture), images[1, ..., 0])


def test_a_description_that_is_too_long_ends_with_a_whole_line(experiment: str) -> None:
    lines = [f"| row {number} |" for number in range(3000)]
    store.describe(experiment, "\n".join(lines))
    *kept, _, last = MlflowClient().get_experiment(experiment).tags[runs.NOTE].split("\n")
    assert len(kept) > 1000
    assert kept == lines[: len(kept)]
    assert last == store.LEFT_OUT.strip()


def test_the_result_is_the_first_metric_of_every_run(experiment: str, opened: Project) -> None:
    names = ("train/step_loss", "test/loss", "test/accuracy")
    for number in range(3):
        tracker = write(experiment, "run", None)
        tracker.metrics([(name, 0.5, step) for step in (1, 2) for name in names])
        tracker.flush()
        # Again and again, as `tandem ui` does, and while runs are written.
        put_first(opened.mlruns / store.FILE)
        put_first(opened.mlruns / store.FILE)
        if number < 2:
            tracker.metrics([("test/accuracy", 0.75, 3)])
            tracker.close("FINISHED")
    first, *rest = runs.search(experiment, "")
    assert [*first.data.metrics] == ["test/accuracy", "train/step_loss", "test/loss"]
    for run in rest:
        assert next(iter(run.data.metrics.items())) == ("test/accuracy", 0.75)
        assert len(MlflowClient().get_metric_history(run.info.run_id, "test/accuracy")) == 3
