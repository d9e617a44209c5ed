"""`tandem.load`, by key and by name, on runs that nobody has trained; end_to_end/ predicts with real ones."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import tandem
from experiments.settings.params import Params
from experiments.settings.project import Project
from tests.conftest import ROOT
from tests.reports.recorded import recorded, write


def left(project: Project, params: Params, run_id: str, backend: str = "keras") -> None:
    made = recorded(params, backend)
    write(project, replace(made, record={**made.record, "mlflow_run_id": run_id}))


def refusal(*words: object, project: Path) -> str:
    with pytest.raises(tandem.TandemError) as refused:
        tandem.load(*words, project=project)  # type: ignore[arg-type]
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_a_run_is_loaded_by_its_key_from_the_first_place_that_has_it(project: Project, params: Params) -> None:
    for place, run_id in ((project.for_published(), "c"), (project.for_hand(), "b"), (project, "a")):
        left(place, params, run_id * 32)
        run = tandem.load("lenet", "keras", 12, project=project.root)
        assert run.mlflow_run_id == run_id * 32
    assert (run.label, run.backend, run.seed) == ("lenet-keras-12", "keras", 12)
    assert run.recipe == params.recipe("lenet")
    assert tandem.load("by-hand/runs/lenet/keras/12", project=project.root).mlflow_run_id == "b" * 32
    assert "names 3: runs/lenet/keras/12, by-hand/runs/lenet/keras/12" in refusal(
        "lenet-keras-12", project=project.root
    )


def test_a_run_that_is_not_there_is_one_line(project: Project, params: Params, tmp_path: Path) -> None:
    assert refusal("lenet", "keras", project=project.root) == (
        "load: expected a recipe, a backend and a seed, or one name; got 'lenet', 'keras'"
    )
    assert refusal("lenet", "jax", 1, project=project.root).startswith(
        "load: backend: expected one of lightning, keras"
    )
    assert "got 'lenet-keras-1'; there are no runs yet" in refusal("lenet", "keras", 1, project=project.root)
    assert "expected params.yaml and dvc.yaml" in refusal("lenet", "keras", 1, project=tmp_path.parent)


def test_a_model_that_can_t_be_loaded_is_one_line(project: Project, params: Params) -> None:
    left(project, params, "a" * 32, "lightning")
    run = tandem.load("lenet-lightning-12", project=project.root)
    with pytest.raises(
        tandem.TandemError, match=r"expected a saved model that lightning can load; got .*; train it again"
    ):
        run.predict([])
    (run.folder or Path()).joinpath("model", "model").unlink()
    with pytest.raises(tandem.TandemError, match="expected its saved model; it keeps none"):
        run.predict([])


def test_two_runs_are_needed_to_compare(project: Project, params: Params) -> None:
    left(project, params, "a" * 32)
    run = tandem.load("lenet-keras-12", project=project.root)
    with pytest.raises(tandem.TandemError, match="other: expected another run than"):
        tandem.compare(run, run)
    with pytest.raises(tandem.TandemError, match=r"other: expected a run, as tandem\.load returns it; got 'lenet'"):
        tandem.compare(run, "lenet")  # type: ignore[arg-type]


def test_importing_it_imports_nothing_that_takes_long() -> None:
    heavy = {"torch", "tensorflow", "keras", "mlflow", "pandas", "matplotlib", "optuna", "sklearn"}
    program = f"import sys, tandem; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
