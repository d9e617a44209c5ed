import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from experiments.frameworks import check_architectures
from experiments.settings.engines import Engines
from experiments.settings.params import Params, load_params
from experiments.settings.recipe import Recipe
from experiments.system.errors import TandemError
from tests.conftest import ROOT, Change

Write = Callable[[Change], Path]


def test_the_repository_s_settings_are_valid(params: Params) -> None:
    check_architectures(params)
    assert params.recipe("lenet").momentum == 0.5


def test_the_table_of_a_recipe_s_keys_has_them_all() -> None:
    table = (ROOT / "docs" / "settings.md").read_text().partition("## Keys of a recipe")[2]
    keys = {key for line in table.splitlines() for key in re.findall("`(\\w+)`", line.split(" | ")[0])}
    assert set(Recipe.model_fields) <= keys


def test_settings_are_frozen(params: Params) -> None:
    with pytest.raises(ValueError, match="frozen"):
        params.train.threads = 3


def _set(*path: str, value: Any) -> Change:
    def change(content: dict[str, Any]) -> None:
        for key in path[:-1]:
            content = content[key]
        content[path[-1]] = value

    return change


def _schedule(**keys: Any) -> Change:
    return _set(*LENET, "schedule", value=keys)


def _drop(*path: str) -> Change:
    def change(content: dict[str, Any]) -> None:
        for key in path[:-1]:
            content = content[key]
        del content[path[-1]]

    return change


LENET = ("recipes", "lenet")
SLURM = ("engines", "slurm")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_set(*LENET, "momentum", value=1.2), "recipes.lenet.momentum: expected less than 1; got 1.2"),
        (_set(*LENET, "momentun", value=0.5), "recipes.lenet.momentun: expected one of architecture, "),
        (
            _drop(*LENET, "architecture"),
            "recipes.lenet.architecture: expected a value for this key; got nothing",
        ),
        (
            _set(*LENET, "image_size", value=20),
            "recipes.lenet.image_size: expected greater than or equal to 28",
        ),
        (
            _set(*LENET, "options", value={"width": float("inf")}),
            "recipes.lenet.options.width: expected a finite number, true, false or a text; got inf",
        ),
        (
            _set(*LENET, "options", value={"width": None}),
            "recipes.lenet.options.width: expected a finite number, true, false or a text; got None",
        ),
        (_set(*LENET, "options", value=["width"]), "recipes.lenet.options: expected keys with values; got ['width']"),
        (
            _set(*LENET, "precision", value="float16"),
            "recipes.lenet.precision: expected 'float32', 'bfloat16' or 'tf32'; got 'float16'",
        ),
        (
            _set(*LENET, "early_stopping", value={"patience": 3}),
            "recipes.lenet: expected no early_stopping, since train_on is train+validation, which leaves no validation "
            "images; remove early_stopping (-S '~recipes.lenet.early_stopping')",
        ),
        (
            _set("recipes", "mlp", "early_stopping", value={"patience": 0}),
            "recipes.mlp.early_stopping.patience: expected greater than or equal to 1; got 0",
        ),
        (
            _set("recipes", "mlp", "early_stopping", value={"patience": 3, "monitor": "val/loss"}),
            "recipes.mlp.early_stopping.monitor: expected one of patience, metric, min_delta; got an unknown key",
        ),
        (
            _set("recipes", "mlp", "early_stopping", value={"patience": 3, "metric": "train/loss"}),
            "recipes.mlp.early_stopping.metric: expected 'val/loss' or 'val/accuracy'; got 'train/loss'",
        ),
        (_set(*LENET, "freeze", value="conv1"), "recipes.lenet.freeze: expected a list; got 'conv1'"),
        (_set(*LENET, "weights", value="a.pth"), "recipes.lenet: expected both weights and weights_sha256, a file and"),
        (
            _set(*LENET, "weights_sha256", value=12345678),
            "recipes.lenet.weights_sha256: expected 8 to 64 of the",
        ),
        (
            _set(*LENET, "weights_sha256", value="cd907f"),
            "recipes.lenet.weights_sha256: expected 8 to 64 of the",
        ),
        (_set(*LENET, "lr", value="fast"), "recipes.lenet.lr: expected a number; got 'fast'"),
        (_set(*LENET, "lr", value="0.001"), "recipes.lenet.lr: expected a number; got '0.001'"),
        (_set(*LENET, "lr", value=float("nan")), "recipes.lenet.lr: expected a finite number; got nan"),
        (_set(*LENET, "lr", value=0), "recipes.lenet.lr: expected greater than 0; got 0"),
        (_set(*LENET, "epochs", value=2.5), "recipes.lenet.epochs: expected a whole number; got 2.5"),
        (
            _set(*LENET, "batch_size", value=True),
            "recipes.lenet.batch_size: expected a whole number; got True",
        ),
        (
            _set(*LENET, "optimiser", value="adam"),
            "recipes.lenet: expected no momentum, since the optimiser is adam; "
            "remove momentum (-S '~recipes.lenet.momentum')",
        ),
        (
            _set(*LENET, "optimiser", value="adamw"),
            "recipes.lenet: expected no momentum and a weight_decay (0 for none), since the optimiser is adamw; "
            "remove momentum (-S '~recipes.lenet.momentum') and add weight_decay (-S '+recipes.lenet.weight_decay=0')",
        ),
        (_drop(*LENET, "momentum"), "recipes.lenet: expected a momentum (0 for none), since the optimiser is sgd; add"),
        (
            _set("recipes", "cnn2", "optimiser", value="adamw"),
            "recipes.cnn2: expected a weight_decay (0 for none), since the optimiser is adamw; add weight_decay (-S '+",
        ),
        (_set(*LENET, "weight_decay", value=-0.1), "recipes.lenet.weight_decay: expected greater than or equal to 0"),
        (_set(*LENET, "clip_norm", value=0), "recipes.lenet.clip_norm: expected greater than 0; got 0"),
        (_set(*LENET, "label_smoothing", value=1), "recipes.lenet.label_smoothing: expected less than 1; got 1"),
        (_schedule(kind="linear"), "recipes.lenet.schedule.kind: expected 'constant', 'step', 'cosine' or 'one_cycle'"),
        (_schedule(kind="cosine", gama=1), "recipes.lenet.schedule.gama: expected one of kind, warmup_steps, "),
        (_schedule(kind="cosine", gamma=0.1), "recipes.lenet.schedule: expected no gamma, since the kind is cosine"),
        (_schedule(kind="step"), "recipes.lenet.schedule: expected a value for every_epochs, since the kind is step"),
        (
            _schedule(kind="constant", warmup_steps=3, warmup_epochs=1),
            "recipes.lenet.schedule: expected warmup_steps or warmup_epochs, not both",
        ),
        (
            _schedule(kind="constant", warmup_epochs=5),
            "recipes.lenet: expected a schedule.warmup_epochs below the 5 epochs",
        ),
        (
            _set("train", "threads", value="many"),
            "train.threads: expected a whole number from 1 to 1024, or 'auto'; got 'many'",
        ),
        (_set("train", "threads", value=2000), "train.threads: expected a whole number from 1 to 1024, or 'auto'; got"),
        (_set("train", "threads", value=True), "train.threads: expected a whole number from 1 to 1024, or 'auto'; got"),
        (
            _set("train", "log_every_steps", value=10**30),
            "train.log_every_steps: expected less than or equal to 1000000; got 1000",
        ),
        (_set("train", "log_every_steps", value=1e30), "train.log_every_steps: expected a whole number; got 1e+30"),
        (_set("sweep", "trials", value=10**7), "sweep.trials: expected less than or equal to 1000000; got 10000000"),
        (_set(*LENET, "epochs", value=10**5), "recipes.lenet.epochs: expected less than or equal to 10000; got 100000"),
        (
            _set(*LENET, "batch_size", value=10**7),
            "recipes.lenet.batch_size: expected less than or equal to 1000000; got 10000000",
        ),
        (
            _set("sweep", "default_space", "lr", "lo", value=1),
            "sweep.default_space.lr.lo: expected one of low, high, log, step, type, choices, when; got",
        ),
        (
            _set("sweep", "recipe_spaces", value={"lenet": {"decay": ["a", "b"]}}),
            "sweep.recipe_spaces.lenet.decay: expected one of ",
        ),
        (
            _set("sweep", "default_space", "epochs", value=[1, 2]),
            "sweep.default_space.epochs: expected a setting that a sweep can tune (epochs: all trials have as many",
        ),
        (
            _set("sweep", "default_space", value={}),
            "sweep.default_space: expected bounds for one setting at",
        ),
        (
            _set("sweep", "default_space", "lr", value={"low": 0, "high": 1, "log": True}),
            "sweep.default_space.lr: expected low above 0, since log is true; got",
        ),
        (
            _set("sweep", "default_space", "lr", value={"low": 0.1, "high": 0.1}),
            "sweep.default_space.lr: expected low below high; got",
        ),
        (
            _set("sweep", "default_space", "lr", "low", value="small"),
            "sweep.default_space.lr.low: expected a finite number; got 'small'",
        ),
        (
            _set("sweep", "default_space", "batch_size", value={"low": 16, "high": 64, "step": 10}),
            "sweep.default_space.batch_size: expected a whole number of steps from low to high; got",
        ),
        (
            _set("sweep", "default_space", "batch_size", value={"low": 1.5, "high": 64, "type": "int"}),
            "sweep.default_space.batch_size: expected whole numbers, since type is int; got",
        ),
        (
            _set("sweep", "default_space", "optimiser", value=["sgd"]),
            "sweep.default_space.optimiser.choices: expected a list of two choices at least; got ['sgd']",
        ),
        (
            _set("sweep", "default_space", "optimiser", value=["sgd", "sgd"]),
            "sweep.default_space.optimiser.choices: expected a list without repeats; got ['sgd', 'sgd']",
        ),
        (
            _set("sweep", "default_space", "optimiser", value=["sgd", {"adam": 1}]),
            "sweep.default_space.optimiser.choices: expected plain values: numbers, texts, true, false or null; got",
        ),
        (
            _set("sweep", "default_space", "optimiser", value={"choices": ["sgd", "adam"], "low": 1}),
            "sweep.default_space.optimiser: expected either choices, or low and high; got",
        ),
        (
            _set("sweep", "default_space", "momentum", "when", value={"optimizer": "sgd"}),
            "sweep.default_space.momentum.when.optimizer: expected a setting of a recipe, on which it depends",
        ),
        (_set(*LENET, value=3), "recipes.lenet: expected keys with values; got 3"),
        (_set("train", "recipes", value=["lennet"]), "train.recipes: expected one of the recipes "),
        (_set("train", "seeds", value=[1, 1]), "train.seeds: expected a list without repeats; got [1, 1]"),
        (_set("train", "seeds", value=[]), "train.seeds: expected a list of at least one item; got []"),
        (
            _set("train", "backends", value=["jax"]),
            "train.backends.0: expected 'lightning' or 'keras'; got 'jax'",
        ),
        (_set("recipes", "Le.Net", value={}), "recipes.Le.Net: expected a name of lower-case letters, "),
        (
            _set("data", "mirrors", value=["ftp://x"]),
            "data.mirrors: expected addresses that begin with https:// ",
        ),
        (
            _set("data", "offline_fallback", value="letters"),
            "data.offline_fallback: expected 'digits'; got 'letters'",
        ),
        (_drop("data"), "data: expected a value for this key; got nothing"),
        (
            _set("preproces", value={}),
            "preproces: expected one of data, preprocess, train, sweep, engines, recipes; got an unknown key",
        ),
        (_set(*SLURM, "time", value="1 day"), "engines.slurm.time: expected hours, minutes and seconds in quotes, as"),
        (_set(*SLURM, "time", value="00:00:59"), "engines.slurm.time: expected at least '00:01:00', with minutes"),
        (_set(*SLURM, "time", value="01:60:00"), "engines.slurm.time: expected at least '00:01:00', with minutes"),
        (_set(*SLURM, "memory", value="8 GB"), "engines.slurm.memory: expected a whole number and M or G, as 8G; got"),
        (_set(*SLURM, "partition", value="a b"), "engines.slurm.partition: expected a word without spaces and quotes"),
        (_set(*SLURM, "setup", value=["a\nb"]), "engines.slurm.setup: expected a list of lines, without line breaks"),
        (_set(*SLURM, "gpu", value=1), "engines.slurm.gpu: expected one of account, time, gpus, workers_per_gpu, cpus"),
        (_set("engines", "local", "workers_per_gpu", value=0), "engines.local.workers_per_gpu: expected greater than"),
    ],
)
def test_a_bad_setting_is_named_in_one_line(write_params: Write, change: Change, message: str) -> None:
    with pytest.raises(TandemError) as caught:
        load_params(write_params(change))
    assert str(caught.value).startswith(f"params.yaml: {message}")
    assert "\n" not in str(caught.value)
    assert "'architecture'" not in str(caught.value), "it dumps the recipe"


def test_a_file_from_before_the_engines_is_read(write_params: Write) -> None:
    params = load_params(write_params(lambda content: content.pop("engines")))
    assert params.engines == Engines()


def test_the_file_s_engines_are_the_defaults(params: Params) -> None:
    assert params.engines == Engines()


def test_the_other_bad_settings_are_counted(write_params: Write) -> None:
    def change(content: dict[str, Any]) -> None:
        content["recipes"]["lenet"] |= {"lr": 0, "epochs": 0, "batch_size": "x" * 1000}

    with pytest.raises(TandemError, match=r"lenet\.lr: expected greater than 0; got 0 \(and 2 more\)$"):
        load_params(write_params(change))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a: [1", "expected YAML; "),
        ("a: 1\na: 2", "expected YAML; .*duplicate key"),
        ("- 1", "expected the sections data, preprocess, train, sweep, engines, recipes; got \\[1\\]"),
        ("", "expected the sections data, preprocess, train, sweep, engines, recipes; got None"),
    ],
)
def test_a_file_that_is_no_mapping_is_refused(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(content)
    with pytest.raises(TandemError, match=message) as caught:
        load_params(path)
    assert "\n" not in str(caught.value)


def test_dropout_is_refused_where_the_architecture_has_none(write_params: Write) -> None:
    params = load_params(write_params(_set(*LENET, "dropout", value=0.5)))
    with pytest.raises(
        TandemError, match=r"recipes\.lenet\.dropout: expected none, since lenet has no dropout; got 0\.5"
    ):
        check_architectures(params)


def test_larger_images_are_refused_where_the_architecture_takes_none(write_params: Write) -> None:
    params = load_params(write_params(_set(*LENET, "image_size", value=64)))
    expected = r"recipes\.lenet\.image_size: expected none, since lenet takes the dataset's images as they are; got 64"
    with pytest.raises(TandemError, match=expected):
        check_architectures(params)


def test_an_unknown_architecture_is_refused(write_params: Write) -> None:
    params = load_params(write_params(_set(*LENET, "architecture", value="lennet")))
    with pytest.raises(TandemError, match=r"recipes\.lenet\.architecture: expected one of .*lenet.*; got 'lennet'"):
        check_architectures(params)
