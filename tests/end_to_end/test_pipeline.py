"""The pipeline as a user runs it, on the stand-in; the tests build on each other, in their order."""

import csv
import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from numpy.testing import assert_allclose

from experiments.settings.recipe import BackendName
from experiments.system.files import read_json
from tests.browser import Browser, errors, schemes, wait_for
from tests.conftest import ROOT
from tests.end_to_end.conftest import Clone, give_environment
from tests.end_to_end.pages import blocks
from tests.end_to_end.programs import LOAD_AND_SCORE, SAVED, THROUGH_TANDEM
from tests.server import free_port, served

BACKENDS: tuple[BackendName, ...] = ("lightning", "keras")
# After the first stage: they look which versions are installed, and which runs there are to compare.
ALWAYS = ["sources", "collect"]


@pytest.fixture(scope="module")
def first_output(clone: Clone) -> str:
    return clone.run("dvc", "repro")


def stages_run(output: str) -> list[str]:
    """Return the stages that ran, but for guard, which runs every time; DVC chooses the order."""
    others = [line.split("'")[1] for line in output.splitlines() if line.startswith("Running stage")]
    others.remove("guard")
    return others


def record(clone: Clone, backend: str, seed: int = 1) -> dict[str, Any]:
    return read_json(clone.root / "runs" / "lenet" / backend / str(seed) / "run.json")


def test_the_first_repro_says_at_both_ends_that_a_stand_in_is_used(clone: Clone, first_output: str) -> None:
    lines = first_output.splitlines()
    assert any("WARNING: no mirror answers" in line for line in lines[:12])
    assert any("stand-in `digits`, not MNIST" in line for line in lines[-25:])
    assert read_json(clone.root / "reports" / "compare.json")["dataset"] == "digits"


def test_a_pair_starts_alike_and_ends_alike(clone: Clone, first_output: str) -> None:
    (pair,) = read_json(clone.root / "reports" / "compare.json")["pairs"]
    assert pair["same_start"] is True
    assert abs(pair["difference"]["first_batch_loss"]) < 1e-5
    a, b = (record(clone, backend) for backend in BACKENDS)
    assert (a["initial_weights"], a["batch_order"]) == (b["initial_weights"], b["batch_order"])
    assert a["tags"]["pair"] == b["tags"]["pair"]
    # 3 epochs from the same start on the same batches: float32's rounding has had no time to grow.
    assert abs(pair["difference"]["test/loss"]) < 1e-3
    assert pair["backends"]["keras"]["test/accuracy"] > 0.5


def test_the_pair_is_proved_to_be_one(clone: Clone, first_output: str) -> None:
    parity = read_json(clone.root / "reports" / "parity.json")
    (lenet,) = parity["architectures"]
    assert (parity["passed"], lenet["architecture"], len(lenet["trainings"])) == (True, "lenet", 4)
    assert "| lenet | 431,080 |" in " ".join(first_output.split())


def test_each_run_keeps_its_layers(clone: Clone, first_output: str) -> None:
    runs = clone.mlflow_runs()
    assert {run.data.params["multiply_adds"] for run in runs} == {"2293000"}
    tables = [(Path(run.info.artifact_uri.removeprefix("file://")) / "layers.md").read_text() for run in runs]
    assert tables[0] == tables[1]
    assert "| conv2 | convolution | 50×8×8 | 25,050 | 1,600,000 |" in " ".join(tables[0].split())


def answers_of(clone: Clone, line: str) -> list[int]:
    """Run a line that `tandem convert` printed, and return the five answers that it prints."""
    printed = clone.run("sh", "-c", f"{line} 2>/dev/null")
    return [int(word) for word in re.findall(r"\d+", printed)]


def recorded_answers(clone: Clone, backend: str) -> list[int]:
    return [int(row["predicted"]) for row in recorded_rows(clone, backend)]


def recorded_rows(clone: Clone, backend: str) -> list[dict[str, str]]:
    """Return what a run has recorded of the first five test images."""
    with (clone.root / "runs" / "lenet" / backend / "1" / "predictions.csv").open() as file:
        return list(csv.DictReader(file))[:5]


def test_a_model_of_lightning_becomes_one_that_keras_loads_and_that_answers_alike(
    clone: Clone, first_output: str
) -> None:
    folder = clone.root / "converted" / "lenet-keras-1"
    output = clone.run("tandem", "convert", "lenet-lightning-1", "--to", "keras")
    assert sorted(path.name for path in folder.rglob("*")) == ["conversion.json", "model", "model.keras"]
    kept, run = read_json(folder / "conversion.json"), record(clone, "lightning")
    assert (kept["weights"], kept["mlflow_run_id"]) == (run["final_weights"], run["mlflow_run_id"])
    assert (kept["from"], kept["to"], kept["code_changed"]) == ("lightning", "keras", False)
    assert kept["test_images"]["alike"] == kept["as_recorded"]["alike"] == 297
    assert kept["as_recorded"]["largest_probability_difference"] < 1e-6
    assert kept["compared"]["float64"]["bound"] < 1e-11
    assert "Test images: 297 of 297 answers are the same in both; a logit differs by" in output
    assert answers_of(clone, output.splitlines()[-1].removeprefix("Next: ")) == recorded_answers(clone, "lightning")


def test_a_model_of_keras_that_mlflow_alone_has_becomes_one_of_lightning(clone: Clone, first_output: str) -> None:
    runs, away = clone.root / "runs" / "lenet" / "keras", clone.root / "away"
    runs.rename(away)
    try:
        found = clone.json("tandem", "convert", "lenet-keras-1", "--out", "mine/net")
    finally:
        away.rename(runs)
    assert found == read_json(clone.root / "mine/net/conversion.json")
    assert found["where"] == f"MLflow run {record(clone, 'keras')['mlflow_run_id']}"
    assert found["test_images"]["alike"] == found["as_recorded"]["alike"] == 297
    line = f"python -c {shlex.quote(found['load'])}"
    assert answers_of(clone, line) == recorded_answers(clone, "keras")
    shutil.rmtree(clone.root / "mine")


def test_an_export_is_verified_and_its_run_in_mlflow_says_so(clone: Clone, first_output: str) -> None:
    folder, run_id = clone.root / "exported" / "lenet-keras-1" / "onnx", record(clone, "keras")["mlflow_run_id"]
    for _ in range(2):  # a repeat replaces it
        (row,) = clone.json("tandem", "export", "lenet-keras-1", "--to", "onnx")
    assert row == read_json(folder / "export.json")
    found = row["verdict"]
    assert found["alike"] == found["images"] == found["as_recorded"]["alike"] == 297
    assert found["largest_logit_difference"] <= found["bound"] < 1e-2
    (run,) = (run for run in clone.mlflow_runs() if run.info.run_id == run_id)
    assert run.data.tags["export.onnx"].startswith("297 of 297 answers, logits ")
    kept = Path(run.info.artifact_uri.removeprefix("file://")) / "exports" / "onnx" / "export.json"
    assert read_json(kept) == row
    assert run.info.status == "FINISHED"
    (clone.root / "mlruns").rename(clone.root / "away")
    try:
        output = clone.run("tandem", "export", "lenet-keras-1", "--to", "onnx")
    finally:
        (clone.root / "away").rename(clone.root / "mlruns")
    assert (
        "WARNING: MLflow's store doesn't have the verdict, export.json beside the file does: it isn't there" in output
    )
    assert "Next: tandem predict exported/lenet-keras-1/onnx IMAGE" in output
    shutil.rmtree(clone.root / "exported")


def test_train_metrics_of_a_pair_agree_in_every_epoch(clone: Clone, first_output: str) -> None:
    from experiments.settings.project import Project, RunKey
    from experiments.training.outputs import read_outputs

    project = Project(clone.root, clone.root)
    a, b = (read_outputs(project.run(RunKey("lenet", backend, 1))).history for backend in BACKENDS)
    assert len(a) == len(b) == 3
    for row_a, row_b in zip(a, b, strict=True):
        assert row_a["train/loss"] == pytest.approx(row_b["train/loss"], abs=1e-3)
        assert row_a["train/accuracy"] == pytest.approx(row_b["train/accuracy"], abs=2e-3)


def test_each_scoring_of_the_test_set_is_on_record(clone: Clone, first_output: str) -> None:
    for backend in BACKENDS:
        epochs = [scoring.split(",")[0] for scoring in record(clone, backend)["test_scorings"]]
        assert epochs == ["epoch 1", "epoch 2", "epoch 3"]


def test_mlflow_has_a_finished_run_a_member_with_all_that_belongs_to_it(clone: Clone, first_output: str) -> None:
    from mlflow import MlflowClient

    runs = clone.mlflow_runs()
    assert sorted(run.data.tags["backend"] for run in runs) == sorted(BACKENDS)
    for run in runs:
        assert run.info.status == "FINISHED"
        tags = run.data.tags
        assert tags["dvc_stage"] == f"train@lenet-{tags['backend']}-1"
        assert tags["dataset"] == "digits"
        assert len(tags["git_commit"]) == 40
        # data.dvc now has the stand-in's hash, which is a change to the checkout.
        assert tags["git_dirty"] == "true"
        assert run.data.params["lr"] == "0.01"
        steps = MlflowClient().get_metric_history(run.info.run_id, "test/accuracy")
        assert [point.step for point in steps] == [1, 2, 3]
        files = {file.path for file in MlflowClient().list_artifacts(run.info.run_id)}
        assert {"learning_curves.png", "confusion_matrix.png", "params.yaml"} <= files
        assert [entry.dataset.name for entry in run.inputs.dataset_inputs] == ["digits"]


def test_each_run_says_where_its_time_and_memory_went(clone: Clone, first_output: str) -> None:
    from mlflow import MlflowClient

    for run in clone.mlflow_runs():
        backend, metrics = run.data.tags["backend"], run.data.metrics
        resources = record(clone, backend)["resources"]
        seconds = resources["seconds"]
        assert {f"time/{phase}": value for phase, value in seconds.items()}.items() <= metrics.items()
        assert [phase for phase, value in seconds.items() if not value] == (["compiling"] if backend != "keras" else [])
        # The run is opened once the model is built, and closed once its figures are logged.
        lasted = (run.info.end_time - run.info.start_time) / 1000
        before = seconds["imports"] + seconds["building"]
        assert sum(seconds.values()) == pytest.approx(before + lasted, abs=2)
        held = [point.value for point in MlflowClient().get_metric_history(run.info.run_id, "memory_mb")]
        assert max(held) <= resources["peak_memory_mb"] == metrics["peak_memory_mb"]
        assert not [name for name in metrics if name.startswith("system/")]  # those of the whole machine


def test_one_name_is_one_number(clone: Clone, first_output: str) -> None:
    from mlflow import MlflowClient

    (pair,) = read_json(clone.root / "reports" / "compare.json")["pairs"]
    for run in clone.mlflow_runs():
        folder = clone.root / "runs" / "lenet" / run.data.tags["backend"] / "1"
        metrics, compared = read_json(folder / "metrics.json"), pair["backends"][run.data.tags["backend"]]
        for name in ("epoch_seconds", "images_per_second"):
            epochs = [point.value for point in MlflowClient().get_metric_history(run.info.run_id, name)]
            assert name not in metrics
            median = metrics[f"median_{name}"]
            assert sorted(epochs)[1] == median == run.data.metrics[f"median_{name}"] == compared[f"median_{name}"]


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_model_from_mlflow_predicts_what_the_stage_did(clone: Clone, first_output: str, backend: str) -> None:
    uri = f"sqlite:///{clone.root}/mlruns/mlflow.db"
    # Outside the clone's code: a logged model must not need its source.
    command = [
        sys.executable,
        "-I",
        "-c",
        LOAD_AND_SCORE,
        backend,
        uri,
        record(clone, backend)["mlflow_run_id"],
    ]
    done = subprocess.run(command, cwd=clone.root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    metrics = read_json(clone.root / "runs" / "lenet" / backend / "1" / "metrics.json")
    assert result == {"differ": 0, "accuracy": metrics["test/accuracy"]}


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_saved_model_predicts_right_by_itself(clone: Clone, first_output: str, backend: str) -> None:
    command = [sys.executable, "-I", "-c", SAVED, backend]
    done = subprocess.run(command, cwd=clone.root, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-1:] == ["0 of 297 differ"], done.stderr


@pytest.mark.parametrize("backend", BACKENDS)
def test_python_gives_what_the_run_has_recorded(
    clone: Clone, first_output: str, backend: BackendName, tmp_path: Path
) -> None:
    command = [sys.executable, "-c", THROUGH_TANDEM, str(clone.root), backend]
    environment = {**clone.environment(), "PYTHONPATH": str(clone.root)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    kept = record(clone, backend)
    assert found["differ"] == {"folder": 0, "MLflow": 0}
    assert found["apart"] < 1e-5
    assert found["frameworks"] == [{"lightning": "torch", "keras": "tensorflow"}[backend]]
    assert found["recipe"] == kept["recipe"]
    assert found["mlflow"] == kept["mlflow_run_id"]
    assert found["same history"] is True
    assert found["store"] is None
    assert found["epochs"] == [1, 2, 3]
    told = clone.json("tandem", "compare", "lenet-lightning-1", "lenet-keras-1")["images"]["told_differently"]
    assert found["told differently"] == told


@pytest.mark.parametrize("backend", BACKENDS)
def test_mlflow_serves_a_model_whose_logits_are_those_of_the_run(
    clone: Clone, first_output: str, backend: BackendName
) -> None:
    label, port = f"lenet-{backend}-1", free_port()
    page = [block.text for block in blocks(ROOT / "docs" / "predict.md")]
    (serve,) = (text for text in page if "mlflow models serve" in text)
    (ask,) = (text for text in page if "/invocations" in text)
    if backend == "lightning":
        ask = ask.replace("[:5]", "[:5].transpose(0, 3, 1, 2)")
    process = clone.start("bash", "-euc", serve.replace("lenet-keras-12", label).replace("5001", str(port)))
    with served(process, port):
        found = clone.json("tandem", "predict", label, "data/t10k-images-idx3-ubyte", "--index", "0-4")
        answers = json.loads(clone.run("python", "-c", ask.replace("5001", str(port))))
    assert [image["class"] for image in found["images"]] == recorded_answers(clone, backend)
    assert_allclose([image["logits"] for image in found["images"]], answers, rtol=0, atol=1e-5)
    recorded = [float(row["probability"]) for row in recorded_rows(clone, backend)]
    for image, probability in zip(found["images"], recorded, strict=True):
        assert sum(image["probabilities"]) == pytest.approx(1, abs=1e-12)
        assert image["probability"] == max(image["probabilities"]) == pytest.approx(probability, abs=1e-5)


def test_the_notebook_runs(clone: Clone, first_output: str, monkeypatch: pytest.MonkeyPatch) -> None:
    notebook = nbformat.read(clone.root / "examples" / "first_look.ipynb", as_version=4)
    kept = [output["output_type"] for cell in notebook.cells for output in cell.get("outputs", [])]
    assert kept == ["stream", "display_data", "execute_result", "display_data", "display_data", "execute_result"]
    (first,) = [cell for cell in notebook.cells if "SEED = 12" in cell.source]
    first.source = first.source.replace("SEED = 12", "SEED = 1")
    monkeypatch.setenv("PYTHONPATH", str(clone.root))
    NotebookClient(notebook, resources={"metadata": {"path": str(clone.root / "examples")}}).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert not [output for output in outputs if output.get("name") == "stderr"]
    pictures = [output["data"]["image/png"] for output in outputs if "image/png" in output.get("data", {})]
    assert [len(picture) > 5000 for picture in pictures][:2] == [True, True]  # a third one if answers differ
    assert outputs[-1]["data"]["text/plain"] == "np.True_"


def test_a_second_repro_runs_nothing(clone: Clone, first_output: str) -> None:
    output = clone.run("dvc", "repro")
    assert stages_run(output) == ALWAYS
    assert len(clone.mlflow_runs()) == 2


def test_a_change_to_an_architecture_that_no_recipe_uses_reruns_no_training(clone: Clone, first_output: str) -> None:
    other = clone.root / "models_torch" / "other.py"
    other.write_text('"""Not used."""\n')
    output = clone.run("dvc", "repro")
    other.unlink()
    assert stages_run(output) == ALWAYS


def _changed(clone: Clone) -> list[str]:
    """Return the stages that `dvc status` calls changed, once `sources` has looked at code and versions."""
    clone.run("dvc", "repro", "sources")
    status = json.loads(clone.run("dvc", "status", "--json"))
    return [stage for stage in status if stage not in ("guard", *ALWAYS)]


def test_a_change_to_plots_or_the_console_retrains_nothing(clone: Clone, first_output: str) -> None:
    files = [clone.root / "experiments" / name for name in ("reports/plots.py", "system/console.py")]
    before = [file.read_text() for file in files]
    files[0].write_text(before[0].replace("#0072B2", "#000000"))
    files[1].write_text(before[1].replace("WARNING", "Warning"))
    changed = _changed(clone)
    for file, text in zip(files, before, strict=True):
        file.write_text(text)
    assert [stage for stage in changed if not stage.startswith("compare")] == []


def test_a_changed_comment_retrains_nothing_and_a_changed_line_does(clone: Clone, first_output: str) -> None:
    file = clone.root / "models_torch" / "lenet.py"
    before = file.read_text()
    file.write_text(before.replace("# → 20×24×24", "# another comment"))
    assert _changed(clone) == []
    file.write_text(before.replace("kernel_size=5),  # → 20", "kernel_size=(5, 5)),  # → 20"))
    changed = _changed(clone)
    file.write_text(before)
    assert "train@lenet-lightning-1" in changed
    assert "train@lenet-keras-1" not in changed


def test_a_changed_version_retrains(clone: Clone, first_output: str) -> None:
    packages = clone.root / ".tandem" / "other-versions"
    for name in ("torch", "keras"):
        info = packages / f"{name}-99.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 99.0\n")
        clone.extra["PYTHONPATH"] = str(packages)
        changed = _changed(clone)
        del clone.extra["PYTHONPATH"]
        shutil.rmtree(info)
        assert ("train@lenet-lightning-1" in changed, "train@lenet-keras-1" in changed) == (
            name == "torch",
            name == "keras",
        )
    assert _changed(clone) == []


def test_dvc_s_metrics_are_those_of_the_pair(clone: Clone, first_output: str) -> None:
    shown = json.loads(clone.run("dvc", "metrics", "show", "--json"))
    metrics = shown[""]["data"]["reports/metrics.json"]["data"]["lenet"]
    (pair,) = read_json(clone.root / "reports" / "compare.json")["pairs"]
    assert metrics["keras"]["accuracy"] == pair["backends"]["keras"]["test/accuracy"]
    assert metrics["loss_difference"] == pair["difference"]["test/loss"]
    assert metrics["mcnemar_p"] == {"1": pair["mcnemar"]["p"]}


def draws(clone: Clone, browser: Browser, *revisions: str) -> None:
    """Assert that DVC's page draws both frameworks of each revision, without a network."""
    browser.get((clone.root / "dvc_plots" / "index.html").as_uri())
    for plot in ("losses", "error_rates"):
        text, colours = (
            f"[...document.querySelectorAll('#{plot} .mark-{mark} > {tag}')].map(each => each.{what})"
            for mark, tag, what in (("text", "text", "textContent"), ("line", "path", "getAttribute('stroke')"))
        )
        wait_for(browser, f"document.querySelector('#{plot} svg.marks')")
        assert {*revisions, "lenet on digits", "epoch"} <= set(browser.execute_script(f"return {text}"))
        assert browser.execute_script(f"return {colours}") == len(revisions) * [
            *2 * ["#0072B2"],  # training and test
            *2 * ["#D55E00"],
        ]
    wait_for(browser, f"document.querySelectorAll('[id^=runs] svg.marks').length === {len(BACKENDS)}")
    assert browser.execute_script("return document.documentElement.scrollWidth <= window.innerWidth")
    assert errors(browser) == []
    assert schemes(browser) <= {"file", "data"}


def test_dvc_s_plots_draw_both_frameworks_without_a_network(clone: Clone, first_output: str, browser: Browser) -> None:
    assert "failed" not in clone.run("dvc", "plots", "show")
    draws(clone, browser, "workspace")


def test_files_put_into_data_by_hand_are_not_replaced(clone: Clone, first_output: str) -> None:
    own = clone.root / "data" / "train-images-idx3-ubyte.gz"
    own.write_bytes(b"own")
    output = clone.run("dvc", "repro", code=255)
    assert "train-images-idx3-ubyte.gz: `dvc repro` would delete it, and it is nowhere else" in output
    assert "tandem: " in clone.run("tandem", "check", code=2)
    assert own.read_bytes() == b"own"
    own.unlink()
    assert stages_run(clone.run("dvc", "repro")) == ALWAYS


def test_bad_settings_stop_dvc_with_one_line(clone: Clone, first_output: str) -> None:
    good = (clone.root / "params.yaml").read_text()
    (clone.root / "params.yaml").write_text(good.replace("momentum: 0.5", "momentum: 1.2", 1))
    output = clone.run("dvc", "repro", code=255)
    (clone.root / "params.yaml").write_text(good)
    assert "tandem: params.yaml: recipes.lenet.momentum: expected less than 1; got 1.2" in output
    assert "Traceback" not in output
    # DVC had deleted the outputs of the stage; its cache has them, and no training runs.
    assert stages_run(clone.run("dvc", "repro")) == ALWAYS
    assert len(clone.mlflow_runs()) == 2


def test_a_changed_recipe_reruns_its_trainings_and_what_follows(clone: Clone, first_output: str) -> None:
    clone.change_params(lambda content: content["recipes"]["lenet"].update(lr=0.02))
    output = clone.run("dvc", "repro")
    # Not parity: it takes its own optimisers.
    assert [stage for stage in stages_run(output) if stage not in ALWAYS] == [
        "train@lenet-lightning-1",
        "train@lenet-keras-1",
        "compare",
    ]
    assert len(clone.mlflow_runs()) == 4


def test_going_back_to_settings_that_were_run_makes_no_run(clone: Clone) -> None:
    clone.change_params(lambda content: content["recipes"]["lenet"].update(lr=0.01))
    before = {run.info.run_id for run in clone.mlflow_runs()}
    clone.run("dvc", "repro")
    assert {run.info.run_id for run in clone.mlflow_runs()} == before
    listed = clone.run("tandem", "runs")
    for backend in BACKENDS:
        (line,) = [line for line in listed.splitlines() if f"runs/lenet/{backend}/1" in line]
        assert record(clone, backend)["mlflow_run_id"] in line
        assert "FINISHED" in line


def test_a_pulled_clone_runs_nothing_again_whatever_is_done_by_hand(clone: Clone, tmp_path: Path) -> None:
    kept = ("dvc", "remote", "add", "--local", "--default", "kept", str(tmp_path / "remote"))
    clone.run(*kept)
    clone.run("dvc", "push")
    clone.commit()
    pulled = Clone(tmp_path / "pulled")
    clone.run("git", "clone", "--quiet", str(clone.root), str(pulled.root))
    pulled.run(*kept)
    pulled.run("dvc", "pull")
    assert {row["status"] for row in pulled.json("tandem", "runs")} == {"MISSING"}
    assert "they were trained elsewhere (`dvc pull`)" in " ".join(pulled.run("tandem", "runs").split())
    assert "by-hand/runs/lenet/keras/1: test accuracy" in pulled.run("tandem", "train", "lenet", "keras", "1")
    shutil.copytree(pulled.root / "runs" / "lenet" / "keras" / "1", pulled.root / "runs" / "lenet" / "keras" / "2")
    assert stages_run(pulled.run("dvc", "repro")) == ALWAYS
    pulled.run("dvc", "checkout")
    shown = {row["output"]: row["status"] for row in pulled.json("tandem", "runs")}
    assert shown["by-hand/runs/lenet/keras/1"] == "FINISHED"
    assert "differently" in pulled.run("tandem", "compare", "runs/lenet/keras/1", "by-hand/runs/lenet/keras/1")


def test_a_folder_without_git_runs_the_pipeline(clone: Clone, tmp_path: Path) -> None:
    names = clone.run("git", "ls-files").split()
    folder = Clone(tmp_path / "archive")
    for name in (name for name in names if name != "dvc.lock"):
        (folder.root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(clone.root / name, folder.root / name)
    give_environment(folder.root)
    assert "not a git repository" in folder.run("dvc", "status", code=255)
    assert "No Git here: runs are recorded without a commit" in folder.run("make", "scm")
    assert stages_run(folder.run("dvc", "repro", "preprocess", "sources"))[:2] == ["download", "preprocess"]
    assert "expected" in folder.run("tandem", "reproduce", "lenet-keras-1", code=2).splitlines()[-1]


def test_an_experiment_of_dvc_s_changes_one_setting(clone: Clone) -> None:
    clone.run(
        "dvc",
        "exp",
        "run",
        "--name",
        "slower",
        "--set-param",
        "recipes.lenet.lr=0.005",
        "train@lenet-keras-1",
    )
    assert record(clone, "keras")["recipe"]["lr"] == 0.005
    assert clone.mlflow_runs()[0].data.tags["dvc_experiment"] == "slower"
    assert "slower" in clone.run("dvc", "exp", "show", "--csv")


def test_two_experiments_are_drawn_side_by_side(clone: Clone, browser: Browser) -> None:
    assert "failed" not in clone.run("dvc", "plots", "diff", "HEAD", "slower")
    draws(clone, browser, "HEAD", "slower")


def test_a_table_of_experiments_fits_a_terminal(clone: Clone) -> None:
    command = re.search(r"^experiments:.*\n\t(.+)", (clone.root / "Makefile").read_text(), re.MULTILINE)
    assert command is not None
    table = clone.run("env", "COLUMNS=1000", "sh", "-c", command[1].replace("$$", "$") + " --no-pager")
    assert all(name in table for name in ("slower", "lenet.lightning.accuracy", "lenet.keras.accuracy", "0.005"))
    assert max(map(len, table.splitlines())) <= 150


def test_a_queued_experiment_is_tracked_in_the_repository_s_store(clone: Clone) -> None:
    clone.run("git", "checkout", "--quiet", "--force", "HEAD")
    before = len(clone.mlflow_runs())
    change = ("--set-param", "recipes.lenet.lr=0.003")
    clone.run("dvc", "exp", "run", "--temp", "--name", "queued", *change, "train@lenet-keras-1")
    runs = clone.mlflow_runs()
    assert len(runs) == before + 1
    assert runs[0].data.params["lr"] == "0.003"
    assert runs[0].info.status == "FINISHED"


def test_your_own_data_replace_the_download(clone: Clone) -> None:
    (clone.root / "data.dvc").unlink()
    (clone.root / "data" / "name.txt").write_text("mine\n")
    clone.run("dvc", "add", "data")
    # As in a fresh clone: without downloads, and without DVC's memory of one.
    shutil.rmtree(clone.root / "downloads")
    clone.change_params(lambda content: content["data"].update(retries=0))
    output = clone.run("dvc", "repro", "download", "preprocess")
    assert sorted(stages_run(output)) == ["download", "preprocess"]  # neither depends on the other
    assert "data/ is your own" in output
    assert "no mirror answers" not in output
    assert read_json(clone.root / "prepared" / "dataset.json")["name"] == "mine"
    assert list((clone.root / "downloads").iterdir()) == []
    assert stages_run(clone.run("dvc", "repro", "download", "preprocess")) == []
    assert "download" not in clone.run("dvc", "dag", "preprocess")
