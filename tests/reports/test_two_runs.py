"""Any two runs, by any of their names, from files and from a real MLflow store."""

import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binom

from experiments.reports.named import find
from experiments.reports.two_runs import compare_two
from experiments.settings.params import Params
from experiments.settings.project import Project
from experiments.system.errors import TandemError
from experiments.tracking import store
from tests.reports.recorded import log, recorded, write

# A name may be a folder as seen from where one stands: the runs of this clone, say.
pytestmark = pytest.mark.usefixtures("in_folder")

PREFIX = "expected a folder such as runs/lenet/keras/12, its label, an MLflow run's id or name, or STUDY/TRIAL; got"


@pytest.fixture
def with_store(project: Project, stores: Path) -> tuple[Project, str]:
    """A project with an empty store, and the id of its experiment."""
    shutil.copytree(stores, project.mlruns)
    return project, store.connect(project)


def _refusal(project: Project, name: str) -> str:
    with pytest.raises(TandemError) as caught:
        find(project, name, "A")
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_settings_metrics_and_images_of_two_outputs(project: Project, params: Params) -> None:
    write(project, recorded(params, "lightning", right=190))
    write(project, recorded(params, "keras", right=180, lr=0.5))
    found = compare_two(find(project, "lenet-lightning-12"), find(project, "runs/lenet/keras/12"))
    differ = {row["setting"]: (row["first"], row["second"]) for row in found["settings"]}
    assert differ == {
        "lr": ("0.001", "0.5"),
        "code": ("lightning", "keras"),
        "backend": ("lightning", "keras"),
        **{f"version.{name}": (number, None) for name, number in {"torch": "2.13.0", "lightning": "2.6.6"}.items()},
        **{f"version.{name}": (None, number) for name, number in {"tensorflow": "2.21.0", "keras": "3.15.1"}.items()},
    }
    (accuracy,) = [row for row in found["metrics"] if row["metric"] == "test/accuracy"]
    assert (accuracy["first"], accuracy["second"]) == (0.95, 0.9)
    assert accuracy["difference"] == pytest.approx(-0.05)
    images = found["images"]
    assert (images["images"], images["told_differently"]) == (200, 10)
    assert (images["only_first_right"], images["only_second_right"]) == (10, 0)
    assert images["p"] == pytest.approx(2 * binom.cdf(0, 10, 0.5))
    assert images["differently"][0] == {
        **{"image": 180, "label": 0, "first": 0, "second": 1},
        **{side: pytest.approx(0.5 + 180 / 199 / 2) for side in ("first_probability", "second_probability")},
    }


def test_answers_to_other_images_are_not_compared(project: Project, params: Params) -> None:
    one, other = recorded(params, "lightning"), recorded(params, "keras")
    write(project, one)
    write(project, replace(other, actual=np.roll(other.actual, 1)))
    found = compare_two(find(project, "lenet-lightning-12"), find(project, "lenet-keras-12"))
    assert found["images"] == {"not_compared": "the two were scored on different data"}


def test_what_an_older_version_did_not_record_is_no_difference(project: Project, params: Params) -> None:
    one, other = recorded(params, "lightning"), recorded(params, "lightning", lr=0.5)
    del other.record["environment"]["numpy"]
    write(project, one)
    write(project, other, seed=13)
    found = compare_two(find(project, "lenet-lightning-12"), find(project, "lenet-lightning-13"))
    assert [row["setting"] for row in found["settings"]] == ["lr"]


def test_a_run_without_files_is_read_from_mlflow(
    with_store: tuple[Project, str], params: Params, tmp_path: Path
) -> None:
    project, experiment = with_store
    write(project, recorded(params, "lightning", right=190))
    left = recorded(params, "lightning", right=180, lr=0.5)
    run_id = log(experiment, "lenet-lightning-7", left, tmp_path)
    by_id = find(project, run_id)
    assert by_id.run_id == find(project, "lenet-lightning-7").run_id
    found = compare_two(find(project, "lenet-lightning-12"), by_id)
    assert [(row["setting"], row["second"]) for row in found["settings"]] == [("lr", "0.5")]
    assert found["images"]["only_first_right"] == 10
    assert "system/memory" not in {row["metric"] for row in found["metrics"]}


def test_files_come_before_mlflow(with_store: tuple[Project, str], params: Params) -> None:
    project, experiment = with_store
    left = recorded(params, "keras")
    run_id = log(experiment, "lenet-keras-12", left)
    folder = write(project, replace(left, record={**left.record, "mlflow_run_id": run_id}))
    log(experiment, "lenet-keras-12", left)
    for name in (run_id, "lenet-keras-12", "runs/lenet/keras/12", str(folder)):
        assert find(project, name).answers is not None, name


def test_a_trial_is_named_by_its_study(with_store: tuple[Project, str], params: Params) -> None:
    project, experiment = with_store
    for backend in ("lightning", "keras"):
        log(experiment, f"t02-{backend}", recorded(params, backend), sweep="tuned", trial="2")
    log(experiment, "t02-keras", recorded(params, "keras"), sweep="other", trial="2")
    found = find(project, "tuned/t02-keras")
    assert (found.settings["sweep"], found.settings["trial"], found.settings["backend"]) == ("tuned", "2", "keras")
    assert compare_two(found, find(project, "other/2"))["images"] == {
        "not_compared": f"{found.where} keeps no answers to the test images"
    }
    message = _refusal(project, "tuned/2")
    assert message.startswith("A: expected one run; 'tuned/2' names 2: ")
    assert "tuned/t02-keras" in message
    assert "tuned/t02-lightning" in message
    message = _refusal(project, "t02-keras")
    assert "tuned/t02-keras" in message
    assert "other/t02-keras" in message


def test_a_label_of_two_outputs_lists_both(project: Project, params: Params) -> None:
    write(project, recorded(params, "keras"))
    write(project.for_published(), recorded(params, "keras"))
    assert _refusal(project, "lenet-keras-12") == (
        "A: expected one run; 'lenet-keras-12' names 2: runs/lenet/keras/12, "
        "reports/published/lenet/keras/12; name one of them"
    )


def test_an_unknown_name_lists_what_is_like_it(with_store: tuple[Project, str], params: Params) -> None:
    project, experiment = with_store
    assert _refusal(project, "x") == f"A: {PREFIX} 'x'; there are no runs yet: `dvc repro` makes some"
    write(project, recorded(params, "keras"))
    log(experiment, "mlp-keras-1", recorded(params, "keras"))
    assert _refusal(project, "lenet-kears-12") == f"A: {PREFIX} 'lenet-kears-12'; there are lenet-keras-12, mlp-keras-1"
    assert _refusal(project, "nothing like it").endswith("; there are lenet-keras-12, mlp-keras-1")
    assert 'got "it\'s"' in _refusal(project, "it's")


def test_looking_for_a_run_makes_no_store(project: Project) -> None:
    _refusal(project, "x")
    assert not project.mlruns.exists()


def test_outputs_of_an_older_version_are_one_line(project: Project, params: Params) -> None:
    folder = write(project, recorded(params, "keras"))
    (folder / "history.csv").unlink()
    message = _refusal(project, "lenet-keras-12")
    assert message == "runs/lenet/keras/12: expected the outputs of a run; it lacks history.csv; train it again"


@pytest.mark.parametrize(
    ("record", "got"),
    [("{}", "; its run.json lacks 'environment'; "), ("{", "; got a damaged file: Expecting property name .*; ")],
)
def test_a_damaged_record_is_one_line(project: Project, params: Params, record: str, got: str) -> None:
    folder = write(project, recorded(params, "keras"))
    (folder / "run.json").write_text(record)
    message = _refusal(project, "runs/lenet/keras/12")
    assert re.fullmatch(rf"runs/lenet/keras/12: expected the outputs of a run{got}train it again", message)
    assert "lenet-keras-12" in _refusal(project, "nosuch")  # the damaged record is in nobody's way
