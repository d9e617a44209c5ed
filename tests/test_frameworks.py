import ast
from pathlib import Path

import pytest

import models_tf
import models_torch
from experiments.frameworks import ARCHITECTURES, check_architecture, takes_dropout, twins
from experiments.settings.params import Params
from experiments.system.errors import TandemError
from tests.conftest import ROOT


def test_both_frameworks_have_the_same_architectures_in_the_same_order() -> None:
    assert list(models_torch.ARCHITECTURES) == list(models_tf.ARCHITECTURES)


def test_every_architecture_has_a_recipe(params: Params) -> None:
    assert {recipe.architecture for recipe in params.recipes.values()} == set(twins())


def test_styles_are_listed_with_their_architecture() -> None:
    assert twins()["cnn3"] == ["cnn3-functional", "cnn3-subclassed"]
    assert sum(len(styles) for styles in twins().values()) == 2


def test_dropout_is_known_without_importing_a_framework() -> None:
    assert [name for name in ARCHITECTURES["keras"] if takes_dropout(name)] == [
        *("cnn3", "cnn3-functional", "cnn3-subclassed", "basic_cnn")
    ]


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


def test_a_misspelt_architecture_is_one_line() -> None:
    with pytest.raises(TandemError, match=r"^ARCHITECTURE: expected one of mlp, .*; got 'lenett', which models_torch"):
        check_architecture("lenett", asked_by="ARCHITECTURE")


def test_an_architecture_in_one_framework_only_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(models_torch.ARCHITECTURES, "alone", "models_torch.alone:build")
    with pytest.raises(TandemError, match=r"expected one of mlp, [^;]*; got 'alone', which models_tf lacks"):
        check_architecture("alone", asked_by="ARCHITECTURE")
    assert "alone" not in twins()


def layer_names(path: Path) -> list[str]:
    """The names that a file gives its layers, in order: keywords of an OrderedDict, `name=…`, or attributes."""
    names = []
    nodes = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call | ast.Attribute)]
    for node in sorted(nodes, key=lambda node: (node.lineno, node.col_offset)):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and node.attr not in names:
            names.append(node.attr)
        for keyword in node.keywords if isinstance(node, ast.Call) else []:
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "OrderedDict":
                names.append(str(keyword.arg))
            elif keyword.arg == "name" and isinstance(keyword.value, ast.Constant):
                names.append(str(keyword.value.value))
    return names


@pytest.mark.parametrize("name", list(twins()))
def test_twins_read_side_by_side(name: str) -> None:
    torch, keras = (layer_names(ROOT / package / f"{name}.py") for package in ("models_torch", "models_tf"))
    assert torch == [layer for layer in keras if layer != name and not layer.isdigit()]
    assert len(torch) > 5
