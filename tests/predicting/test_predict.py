"""Predictions of a model in a file, outside of any clone; tests/end_to_end predicts with trained ones."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from experiments.data.idx import to_idx
from experiments.predicting.choice import Takes
from experiments.predicting.model import model_of
from experiments.predicting.predict import find_model, predict
from experiments.reports.measured import Measured
from experiments.settings.params import Params
from experiments.settings.project import Project
from experiments.system.errors import TandemError
from experiments.system.files import write_json
from tests.conftest import ROOT
from tests.reports.recorded import recorded, write

WEIGHTS = np.random.default_rng(0).normal(0, 0.001, (784, 3)).astype(np.float32)
DIGITS = np.random.default_rng(1).integers(0, 256, (12, 28, 28), np.uint8)
NAMES = ["cat", "dog", "[bird]"]
TAKES = {"shape": ["n", 28, 28, 1], "dtype": "uint8", "what": "raw pixels"}
RECORD = {"file": "model.onnx", "takes": TAKES, "classes": NAMES, "mean": 0.5}


def make(path: Path, shape: tuple[int, ...] = (28, 28, 1)) -> Path:
    """Write a network of one layer, raw pixels in, logits out, as ONNX."""
    nodes = [
        helper.make_node("Cast", ["images"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("Flatten", ["floats"], ["flat"]),
        helper.make_node("MatMul", ["flat", "weights"], ["logits"]),
    ]
    taken = helper.make_tensor_value_info("images", TensorProto.UINT8, ["n", *shape])
    given = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", 3])
    graph = helper.make_graph(nodes, "net", [taken], [given], [numpy_helper.from_array(WEIGHTS, "weights")])
    onnx.save(helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)]), path)
    return path


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def tandem(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    code = "from experiments.cli.main import main; main()"
    command, environment = [sys.executable, "-c", code, "predict", *words], {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_a_file_predicts_outside_of_a_clone_with_the_probabilities_of_its_logits(tmp_path: Path) -> None:
    make(tmp_path / "model.onnx")
    (tmp_path / "digits-idx3-ubyte").write_bytes(to_idx(DIGITS))
    Image.fromarray(DIGITS[0]).save(tmp_path / "digit.png")
    done = tandem(tmp_path, "model.onnx", "digits-idx3-ubyte", "digit.png", "--json")
    assert done.stderr.splitlines() == [
        "digits-idx3-ubyte: the first 10 of 12 images; others with --index, such as --index 10-11"
    ]
    found: dict[str, Any] = json.loads(done.stdout)
    logits = DIGITS.reshape(12, 784).astype(np.float64) @ WEIGHTS
    expected = softmax(logits)[[*range(10), 0]]
    images = found["images"]
    assert [image["image"] for image in images] == [*(f"digits-idx3-ubyte[{n}]" for n in range(10)), "digit.png"]
    assert [image["class"] for image in images] == expected.argmax(axis=1).tolist()
    np.testing.assert_allclose([image["probabilities"] for image in images], expected, atol=1e-6)
    np.testing.assert_allclose([image["logits"] for image in images], logits[[*range(10), 0]], atol=1e-5)
    assert found["classes"] == ["0", "1", "2"]


def test_an_export_says_what_its_classes_are_called(tmp_path: Path) -> None:
    make(tmp_path / "model.onnx")
    write_json(tmp_path / "export.json", RECORD)
    Image.fromarray(DIGITS[0]).save(tmp_path / "digit.png")
    (image,) = predict(str(tmp_path), [tmp_path / "digit.png"])["images"]
    assert image["name"] == NAMES[image["class"]]
    done = tandem(tmp_path, "model.onnx", "digit.png")
    assert all(name in done.stdout for name in NAMES)
    assert done.stderr == ""
    # Of another file, it says nothing.
    write_json(tmp_path / "export.json", RECORD | {"file": "other.onnx"})
    assert predict(str(tmp_path / "model.onnx"), [tmp_path / "digit.png"])["classes"] == ["0", "1", "2"]


@pytest.mark.parametrize(
    ("record", "got"),
    [
        ("{", "got Expecting property name "),
        ("{}", "got file: Field required"),
        ("[]", "got another content: Input should be an object"),
        (json.dumps(RECORD | {"classes": "cats"}), "got classes: Input should be a valid array"),
        (json.dumps(RECORD | {"takes": {"shape": ["n", 28, 28], "dtype": "uint8"}}), "got takes.shape.3: Field "),
        (json.dumps(RECORD | {"classes": NAMES[:2]}), "expected the names of 3 classes; got 2; "),
    ],
)
def test_a_damaged_record_of_an_export_is_pointed_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], record: str, got: str
) -> None:
    make(tmp_path / "model.onnx")
    (tmp_path / "export.json").write_text(record)
    Image.fromarray(DIGITS[0]).save(tmp_path / "digit.png")
    assert predict(str(tmp_path), [tmp_path / "digit.png"])["classes"] == ["0", "1", "2"]
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"WARNING: {tmp_path}")
    assert got in line
    assert "export again" in line


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("missing.onnx", "^FILE-OR-RUN: expected an exported file; got .*, which isn't there; correct the name$"),
        ("lenet-keras-12", "^FILE-OR-RUN: expected an exported file or its folder, or in a clone a run; got "),
        ("digit.png", r"digit\.png: expected a model that `tandem export` writes .*; got another file; name a model$"),
        (".", r"^\.: expected a model that .* or its folder; got a folder without one; name another$"),
        ("damaged.onnx", r"damaged\.onnx: expected a model that predict_onnx\.py runs; got .*; export it again$"),
        ("channels.onnx", r"expected a model of raw pixels, .*; got one of uint8, \(n, 1, 28, 28\); of a run's own"),
    ],
)
def test_a_model_that_is_none_is_refused_in_one_line(in_folder: Path, name: str, message: str) -> None:
    whole = make(Path("channels.onnx"), (1, 28, 28))
    Path("damaged.onnx").write_bytes(whole.read_bytes()[:1000])
    Image.fromarray(DIGITS[0]).save("digit.png")
    with pytest.raises(TandemError, match=message) as refused:
        predict(name, [Path("digit.png")])
    assert "\n" not in str(refused.value)


def test_what_a_run_takes_is_known_before_its_model_is_loaded(project: Project, params: Params) -> None:
    run = write(project, recorded(params, "lightning"))  # with a file of no model
    described = {"name": "pets", "fingerprint": "d" * 64, "image_shape": [28, 28, 3], "classes": 3}
    statistics = {"train": {"mean": [0.1, 0.2, 0.3], "std": [0.2, 0.2, 0.2]}}
    rest = {"class_names": NAMES, "pixel_type": "uint8", "images": {"train": 200}, "statistics": statistics}
    write_json(project.prepared / "dataset.json", described | rest)
    chosen = find_model(str(run))
    assert chosen.takes == Takes((28, 28, 3), np.dtype(np.uint8), (0.1, 0.2, 0.3))
    assert chosen.class_names == tuple(NAMES)
    Image.fromarray(DIGITS[0, :20]).save(project.root / "small.png")
    with pytest.raises(TandemError, match=r"; got 28×20 pixels \(width×height\), 8-bit grey; run"):
        predict(str(run), [project.root / "small.png"])
    # With other data, its model has to say.
    write_json(project.prepared / "dataset.json", described | rest | {"fingerprint": "e" * 64})
    with pytest.raises(TandemError, match="expected a saved model that lightning can load"):
        predict(str(run), [project.root / "small.png"])


def test_a_run_without_a_model_is_refused_in_one_line(project: Project, params: Params) -> None:
    folder = write(project, recorded(params, "keras"))
    Image.fromarray(DIGITS[0]).save(project.root / "digit.png")
    (folder / "model" / "model").unlink()
    for name in (folder, folder / "model"):
        with pytest.raises(TandemError, match=r"expected its saved model; it keeps none; train it again$"):
            predict(str(name), [project.root / "digit.png"])
    trial = Measured("t02-keras", "MLflow run x", "x", {"trial": "2", "backend": "keras"}, {}, None, "")
    with pytest.raises(TandemError, match="got t02-keras, a trial, and a sweep keeps no models of its trials"):
        model_of(project, trial)
