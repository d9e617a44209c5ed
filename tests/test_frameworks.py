from pathlib import Path

import pytest

import models_tf
import models_torch
from experiments.frameworks import check_architecture, check_options, takes_dropout, twins
from experiments.system.errors import TandemError


def test_both_frameworks_have_the_same_architectures() -> None:
    assert models_torch.ARCHITECTURES.keys() == models_tf.ARCHITECTURES.keys()


def test_styles_are_listed_with_their_architecture() -> None:
    assert twins()["cnn3"] == ["cnn3-functional", "cnn3-subclassed"]
    assert twins()["lenet"] == []


def test_dropout_is_known_without_importing_a_framework() -> None:
    assert all(map(takes_dropout, ("cnn3", "cnn3-functional", "cnn3-subclassed", "basic_cnn")))
    assert not any(map(takes_dropout, ("mlp", "lenet", "inception")))


STYLES = {
    "def build(classes, *, dropout): ...": True,
    "def build(classes): ...": False,
    "class Net:\n    def __init__(self, classes, dropout): ...\nbuild = Net": True,
    "class build:\n    def __init__(self, classes): ...": False,
    "def net(classes, depth, dropout): ...\nbuild = partial(net, depth=20)": True,
    "def net(classes, depth, dropout): ...\nbuild = partial(net, depth=20, dropout=0.5)": False,
    "build = lambda classes: None": False,
}


@pytest.mark.parametrize("source", list(STYLES))
def test_dropout_is_known_whatever_a_factory_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str) -> None:
    (tmp_path / "styled.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    for package in (models_torch, models_tf):
        monkeypatch.setitem(package.ARCHITECTURES, "styled", "styled:build")
    assert takes_dropout("styled") is STYLES[source]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("def build(classes):\n    return (\n", r"broken\.py, line 2: expected Python; .*'\(' was never closed"),
        ("x = '\0'", r"broken\.py, line 1: expected Python; .*null bytes"),
        (
            "def make(classes): ...\n",
            r"broken\.py: expected a function build; got none; add it, or correct ARCHITECTURES",
        ),
        (None, r"^models_torch\.broken:build: expected a module models_torch\.broken; got none; add its file"),
    ],
)
def test_an_architecture_that_can_not_be_read_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str | None, message: str
) -> None:
    monkeypatch.setattr(models_torch, "__path__", [*models_torch.__path__, str(tmp_path)])
    monkeypatch.setitem(models_torch.ARCHITECTURES, "lenet", "models_torch.broken:build")
    if source is not None:
        (tmp_path / "broken.py").write_text(source)
    with pytest.raises(TandemError, match=message) as caught:
        takes_dropout("lenet")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("target", ["modles_torch.lenet:build", ":build", ""])
def test_a_misspelt_target_is_one_line(monkeypatch: pytest.MonkeyPatch, target: str) -> None:
    monkeypatch.setitem(models_torch.ARCHITECTURES, "lenet", target)
    with pytest.raises(TandemError, match=f"^{target}: expected a module "):
        takes_dropout("lenet")


def test_dropout_in_one_framework_only_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(models_torch.ARCHITECTURES, "lenet", "models_torch.cnn3:build")
    with pytest.raises(TandemError, match=r"of both factories, or of none; got one in models_torch\.cnn3:build"):
        takes_dropout("lenet")


@pytest.mark.parametrize(
    ("architecture", "name", "message"),
    [
        ("cnn3", "filtres", "expected one of filters, units, the options of cnn3; got filtres; correct or remove it"),
        ("cnn3-functional", "width", "expected one of filters, units, the options of cnn3-functional; got width; "),
        ("lenet", "filters", "expected none, since lenet has no options; got filters; correct or remove it"),
        ("cnn3", "dropout", "expected no dropout, since it is a key of the recipe; got 3; remove it"),
        ("cnn3", "classes", "expected no classes, since the dataset has it; got 3; remove it"),
        ("cnn3", "image_shape", "expected no image_shape, since the dataset has it; got 3; remove it"),
    ],
)
def test_an_unknown_option_is_one_line(architecture: str, name: str, message: str) -> None:
    check_options("recipes.a.options", "cnn3", {"filters": 4, "units": 8})
    with pytest.raises(TandemError, match=f"^recipes.a.options: {message}"):
        check_options("recipes.a.options", architecture, {name: 3})


def test_an_option_that_a_twin_or_a_style_lacks_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "styled.py").write_text("def build(classes, dropout, filters=32): ...")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(models_tf.ARCHITECTURES, "cnn3-functional", "styled:build")
    check_options("options", "cnn3", {"filters": 4})
    expected = "^options: expected one of filters, the options of cnn3; got units, which styled:build lack"
    with pytest.raises(TandemError, match=expected):
        check_options("options", "cnn3", {"units": 4})


def test_a_misspelt_architecture_is_one_line() -> None:
    with pytest.raises(TandemError, match=r"^ARCHITECTURE: expected one of mlp, .*; got 'lenett', which models_torch"):
        check_architecture("lenett", asked_by="ARCHITECTURE")


def test_an_architecture_in_one_framework_only_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(models_torch.ARCHITECTURES, "alone", "models_torch.alone:build")
    with pytest.raises(TandemError, match=r"expected one of mlp, [^;]*; got 'alone', which models_tf lacks"):
        check_architecture("alone", asked_by="ARCHITECTURE")
    assert "alone" not in twins()
