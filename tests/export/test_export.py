"""A network with state in every format, from one framework; faults on the way leave nothing."""

import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from experiments.convert.source import Source
from experiments.export import alone
from experiments.export.export import Row, Wish, export
from experiments.export.formats import FORMATS, Format, check_packages, format_of, formats_named
from experiments.export.places import check_folder
from experiments.export.reading import describe, logits_of
from experiments.parity.sides import Side
from experiments.predicting.predict import predict
from experiments.settings.params import Params
from experiments.settings.project import Project
from experiments.system.errors import TandemError
from tests import normed
from tests.conftest import ROOT
from tests.convert.test_convert import left
from tests.export.workshop import Workshop


class Exported:
    """A model in every format."""

    def __init__(self, workshop: Workshop, folder: Path) -> None:
        self.source, self.saved = workshop.train("lightning", normed.NAME)
        self.images, self.folder = np.array(workshop.dataset.split("test").images), folder
        self.rows = workshop.export(self.source, self.saved, folder, list(FORMATS))


@pytest.fixture(scope="module")
def exported(workshop: Workshop, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    return Exported(workshop, tmp_path_factory.mktemp("exported"))


@pytest.fixture(scope="module")
def subclassed(workshop: Workshop) -> tuple[Source, Path]:
    """A model of Keras with a class of its own."""
    return workshop.train("keras", "cnn3-subclassed", images=0)


@pytest.mark.parametrize("name", FORMATS)
def test_a_model_in_a_format_answers_as_its_run_does(exported: Exported, name: str) -> None:
    (row,) = (row for row in exported.rows if row["format"] == name)
    folder, kind, found = exported.folder / name, FORMATS[name], row["verdict"]
    assert {path.name for path in folder.iterdir()} == {kind.file, "predict.py", "export.json"}
    assert json.loads((folder / "export.json").read_text()) == json.loads(json.dumps(row))
    assert found["alike"] == found["images"] == 297
    assert 0 <= found["largest_logit_difference"] <= found["bound"] < 1e-2
    assert (row["takes"]["shape"], row["takes"]["dtype"]) == (["n", 28, 28, 1], "uint8")
    assert (row["conversion"] is None) == (row["written_by"] == "lightning") == ("lightning" in kind.writers)
    assert (folder / "predict.py").read_bytes() == kind.program.read_bytes()
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files if path.name not in ("predict.py", "export.json")) == row["bytes"]
    assert not any(str(ROOT).encode() in path.read_bytes() for path in files)
    assert format_of(folder) == format_of(folder / kind.file) == kind


def test_tandem_predict_takes_every_format(exported: Exported, tmp_path: Path) -> None:
    np.save(tmp_path / "images.npy", exported.images)
    found = {name: predict(str(exported.folder / name), [tmp_path / "images.npy"], [3, 7]) for name in FORMATS}
    for row in exported.rows:
        said, first = ([image["logits"] for image in found[name]["images"]] for name in (row["format"], "onnx"))
        assert np.shape(said) == (2, 10)
        assert np.abs(np.subtract(said, first)).max() <= 2 * row["verdict"]["bound"]
        assert found[row["format"]]["kind"] == f"exported as {row['format']}"


def test_a_format_is_told_by_what_is_in_the_file(exported: Exported, tmp_path: Path) -> None:
    for kind in FORMATS.values():
        if (file := exported.folder / kind.name / kind.file).is_file():
            assert format_of(shutil.copyfile(file, tmp_path / "model")) == kind
    for name, text in (("notes.onnx", "no model"), ("empty.tflite", ""), ("notes.txt", "no model")):
        (tmp_path / name).write_text(text)
    for path, got in {
        "notes.onnx": "a damaged file; export it again",
        "empty.tflite": "an empty file; export it again",
        "notes.txt": "another file; name a model",
        "nosuch": "nothing there; correct the name",
        ".": "a folder without one; name another",
    }.items():
        with pytest.raises(TandemError, match=rf"expected a model that `tandem export` writes .*; got {got}$"):
            format_of(tmp_path / path)


def test_the_program_of_an_export_needs_nothing_else(exported: Exported, tmp_path: Path) -> None:
    folder = shutil.copytree(exported.folder / "onnx", tmp_path / "onnx")
    np.save(folder / "images.npy", exported.images[:101])  # two batches, the second of one image
    program = [sys.executable, "-I", "predict.py", "model.onnx"]
    said = subprocess.run(program, cwd=folder, capture_output=True, text=True, check=True).stdout
    assert json.loads(said) == {"image_shape": [28, 28, 1], "dtype": "uint8"}
    subprocess.run([*program, "images.npy", "logits.npy"], cwd=folder, check=True)
    logits = np.load(folder / "logits.npy")
    assert (logits.shape, logits.dtype) == ((101, 10), np.float32)
    assert np.array_equal(logits, logits_of(folder, exported.images[:101]))
    assert describe(folder).image_shape == (28, 28, 1)


def test_other_images_and_a_damaged_file_are_one_line(exported: Exported, tmp_path: Path) -> None:
    with pytest.raises(TandemError, match=r"got expected images \(n, 28, 28, 1\), uint8; got \(2, 8, 8, 1\), uint8"):
        logits_of(exported.folder / "onnx", np.zeros((2, 8, 8, 1), np.uint8))
    with pytest.raises(TandemError, match=r"got expected images .*; got \(2, 28, 28, 1\), float64"):
        logits_of(exported.folder / "onnx", np.zeros((2, 28, 28, 1)))
    part = (exported.folder / "onnx" / "model.onnx").read_bytes()[:2000]
    (tmp_path / "model.onnx").write_bytes(part)
    with pytest.raises(TandemError, match=r"expected a model that predict_onnx.py runs; got .*") as refused:
        describe(tmp_path / "model.onnx")
    assert "\n" not in str(refused.value)


def test_the_sources_are_out_of_reach(tmp_path: Path) -> None:
    for name in sorted(alone.SOURCES):
        (tmp_path / "program.py").write_text(f"import {name}")
        command = [sys.executable, "-P", alone.__file__, str(tmp_path / "program.py")]
        done = subprocess.run(command, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True)
        assert f"No module named '{name}' here: the sources are out of reach" in done.stderr


def test_a_file_that_answers_otherwise_isn_t_kept(workshop: Workshop, exported: Exported, tmp_path: Path) -> None:
    (row,) = workshop.export(exported.source, exported.saved, tmp_path / "out", ["onnx"], "scaling left out")
    assert_refused(row)
    assert list(tmp_path.iterdir()) == []


def test_swapped_axes_are_noticed_and_the_earlier_export_stays(
    workshop: Workshop, subclassed: tuple[Source, Path], tmp_path: Path
) -> None:
    (row,) = workshop.export(*subclassed, tmp_path, ["onnx"])
    assert "verdict" in row
    first = (tmp_path / "onnx" / "model.onnx").read_bytes()
    (row,) = workshop.export(*subclassed, tmp_path, ["onnx"], "axes swapped")
    assert_refused(row)
    assert [path.name for path in tmp_path.iterdir()] == ["onnx"]
    assert (tmp_path / "onnx" / "model.onnx").read_bytes() == first


def assert_refused(row: Row) -> None:
    figures = (
        r"\d+ of 297 answers are the same, and a logit is (\S+) apart, where (\S+) is rounding; nothing was written; "
        "choose another format$"
    )
    found = re.search(figures, row["refused"])
    assert found
    assert float(found[1]) > 100 * float(found[2])


def test_a_class_of_one_s_own_can_t_be_in_a_file_of_keras(
    workshop: Workshop, subclassed: tuple[Source, Path], tmp_path: Path
) -> None:
    (row,) = workshop.export(*subclassed, tmp_path, ["keras"])
    assert row["refused"].startswith("expected layers that Keras has, too; got cnn3 (Cnn3), a class of its own")
    assert row["refused"].endswith("saved-model, onnx and tflite hold it")
    assert list(tmp_path.iterdir()) == []


def compare_with_stock(folder: Path) -> dict[str, tuple[float, str]]:
    """Return how far the stand-ins for Tandem's own layers are from them, and what their file is made of."""
    import keras

    from models_tf.backend import saved
    from models_tf.backend.stock import made_of_stock

    cases: dict[str, tuple[tuple[int, ...], list[Any]]] = {
        "convolution": ((9, 8, 3), [saved.Conv2D(4, 3, strides=2, padding=1), saved.Conv2D(4, 3, padding=1)]),
        "max pooling": ((9, 8, 3), [saved.MaxPooling2D(3, 2, padding=1), saved.MaxPooling2D(2)]),
        "normalisation": ((9, 8, 3), [saved.BatchNormalization()]),
        "enlarging": ((9, 8, 1), [saved.Enlarge((20, 17), 3)]),
        "activations": ((5, 4), [saved.LeakyReLU(), saved.GELU(), saved.GELU(approximate=True)]),
        "positions": ((5, 4), [saved.Positions(5, 4)]),
    }
    generator, found = np.random.default_rng(0), {}
    for name, (shape, made) in cases.items():
        model = keras.Sequential([keras.Input(shape), *made])
        model.set_weights([np.abs(generator.normal(size=value.shape)) for value in model.get_weights()])
        images, file = generator.normal(size=(3, *shape)).astype(np.float32), folder / f"{name}.keras"
        made_of_stock(model).save(file)
        loaded = keras.models.load_model(file)
        found[name] = float(np.abs(model(images) - loaded(images)).max()), zipfile.Path(file, "config.json").read_text()
    return found


def test_keras_s_own_layers_stand_in_for_tandem_s(workshop: Workshop, tmp_path: Path) -> None:
    found = workshop.processes[Side("keras")].call(compare_with_stock, tmp_path)
    assert {name: difference for name, (difference, _) in found.items() if not difference < 1e-5} == {}
    assert [name for name, (_, config) in found.items() if "tandem>" in config or "models_tf" in config] == []


def test_what_is_refused_before_any_work(project: Project, params: Params) -> None:
    left(project, params)
    cases = {
        "jax": r"--to: expected one of onnx, torch-export, saved-model, keras, tflite, all; got 'jax'; name one",
        "onnx": r"preprocess|prepared",
    }
    for name, message in cases.items():
        with pytest.raises(TandemError, match=message):
            export(project, Wish("lenet-keras-12", [name]))
    with pytest.raises(TandemError, match="RUN: expected a folder such as runs/lenet/keras/12, its label"):
        export(project, Wish("nosuch", ["all"]))
    taken = project.exported / "lenet-keras-12" / "onnx"
    taken.mkdir(parents=True)
    (taken / "notes.md").touch()
    with pytest.raises(
        TandemError, match=r"--out: expected .* earlier export to onnx; got .*, which is something else"
    ):
        export(project, Wish("lenet-keras-12", ["onnx"]))
    with pytest.raises(TandemError, match=r"--out: expected a folder; got .*notes.md, which is a file; name another"):
        check_folder(taken / "notes.md" / "onnx", FORMATS["onnx"])


def test_formats_are_named_once_and_take_their_packages() -> None:
    assert [kind.name for kind in formats_named(["keras", "onnx", "keras"])] == ["onnx", "keras"]
    assert formats_named(["onnx", "all"]) == list(FORMATS.values())
    check_packages(FORMATS["onnx"], "keras")
    lacking = Format("onnx", "model.onnx", Path.is_file, {"keras": ("nosuch-converter",)}, ())
    with pytest.raises(TandemError, match=r"--to onnx: expected the package nosuch-converter, .* isn't installed"):
        check_packages(lacking, "keras")
