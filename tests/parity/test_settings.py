"""Each setting of a training does the same in both frameworks, and what would make it another is noticed."""

import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from experiments.data.dataset import load_dataset
from experiments.frameworks import PACKAGES
from experiments.parity import check, jobs
from experiments.parity.bounds import Key
from experiments.parity.jobs import Steps
from experiments.parity.protocol import TAKEN, base_recipe
from experiments.parity.report import settings_table
from experiments.parity.results import SettingResult
from experiments.parity.settings import SettingsExaminer
from experiments.parity.sides import Side
from experiments.parity.variants import ARCHITECTURE, LENGTH, VARIANTS, Variant
from experiments.settings.params import load_params
from experiments.settings.project import Project
from experiments.settings.recipe import OptimiserName, Recipe
from tests.conftest import ROOT
from tests.parity.planted import BuggyProcess
from tests.parity.planted_settings import BUGS
from tests.parity.rounding import skip_if_products_are_rounded_within

# Each optimiser without a setting of `VARIANTS`.
PLAIN: dict[str, Variant] = {
    "sgd": Variant("sgd", {}),
    "adam": Variant("adam", {}),
    "adamw": Variant("adamw", {"weight_decay": 0.0}),
}
# Those that are compared as any training is; tests/parity/test_mixed.py has bugs in the others.
COMPARED = [name for name, variant in VARIANTS.items() if "precision" not in variant.changes]


class Planted(SettingsExaminer):
    """Keeps the trainings of each setting, to compare them with those that have a bug."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.kept: dict[str, Mapping[Key, Steps]] = {}
        self.network = self.recipe

    def _compared(self, optimiser: OptimiserName, trainings: Mapping[Key, Steps], *perturbed: Any) -> Any:
        folder = self.folder.with_name(self.result.architecture)
        shutil.copytree(self.folder, folder)
        self.kept[self.result.architecture] = {
            key: replace(steps, file=folder / steps.file.name) for key, steps in trainings.items()
        }
        return super()._compared(optimiser, trainings, *perturbed)

    def first_beyond(self, trainings: Mapping[Key, Steps]) -> str:
        rows = check.step_quantities(trainings, self.parameters)["float64"]
        beyond = check.first_beyond([quantity for row in rows for quantity in row])
        return beyond.apart if beyond else "nothing"

    def with_bug(self, bug: str, setting: str) -> str:
        """Train one side again, in float64 and with a bug; return what is beyond its bound first."""
        side, process = next((side, one) for side, one in self.processes.items() if side.backend == BUGS[bug][0])
        names, variant = [parameter.name for parameter in self.parameters], VARIANTS[setting]
        self.recipe, process.bug = variant.recipe(self.network), bug  # type: ignore[attr-defined]
        self.folder.mkdir(exist_ok=True)
        job = self._job("float64", variant.optimiser)
        buggy = process.call(jobs.steps, side, job, self.folder, names, 0.0)
        return self.first_beyond({**self.kept[setting], (side.backend, "float64"): buggy})


@pytest.fixture(scope="module")
def examined(
    prepared: Project, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Planted, dict[str, SettingResult]]]:
    folder = tmp_path_factory.mktemp("settings") / "steps"
    params, dataset = load_params(ROOT / "params.yaml"), load_dataset(prepared.prepared)
    first, second = (BuggyProcess(backend) for backend in PACKAGES)
    first.bugs = second.bugs = "tests.parity.planted_settings:BUGS"
    with first, second:
        sides = dict(zip(map(Side, PACKAGES), (first, second), strict=True))
        examiner = Planted(sides, dataset, base_recipe(params, ARCHITECTURE), folder, LENGTH)
        examiner.structure()
        results = examiner.examine_settings({**PLAIN, **VARIANTS})
        yield examiner, {result.setting: result for result in results}


Examined = tuple[Planted, dict[str, SettingResult]]


@pytest.mark.parametrize("setting", [*PLAIN, *VARIANTS])
def test_a_setting_does_the_same_in_both(examined: Examined, setting: str) -> None:
    result = examined[1][setting]
    if result.problems and VARIANTS.get(setting, PLAIN["sgd"]).changes.get("precision") == "bfloat16":
        skip_if_products_are_rounded_within()
    assert result.problems == []
    if setting in (*PLAIN, *COMPARED):
        assert [(one.precision, len(one.steps)) for one in result.trainings] == [("float64", 10), ("float32", 10)]


@pytest.mark.parametrize("setting", COMPARED)
def test_a_setting_that_one_framework_leaves_out_is_noticed(examined: Examined, setting: str) -> None:
    examiner = examined[0]
    plain = examiner.kept[VARIANTS[setting].optimiser]
    for backend in PACKAGES:
        left_out = {key: steps for key, steps in plain.items() if key[0] == backend}
        assert examiner.first_beyond({**examiner.kept[setting], **left_out}).startswith("step ")


FOUND = [
    ("decoupled SGD", "weight decay, SGD (coupled)", r"step 2: conv1/weight after it"),
    ("decoupled Adam", "weight decay, Adam (coupled)", r"step 1: conv1/weight after it"),
    ("coupled AdamW", "weight decay, AdamW (decoupled)", r"step 1: conv1/weight after it"),
    ("decay without the rate", "weight decay, AdamW (decoupled)", r"step 1: conv1/weight after it"),
    ("biases not decayed", "weight decay, SGD (coupled)", r"step 1: conv1/bias after it"),
    ("a step late", "schedule, step", r"step 6: conv1/weight after it"),
    ("a step late", "schedule, cosine", r"step 2: conv1/weight after it"),
    ("a step early", "schedule, one cycle", r"step 1: conv1/weight after it"),
    ("by epochs", "schedule, cosine", r"step 2: conv1/weight after it"),
    ("warm-up from 0", "schedule, warm-up", r"step 1: conv1/weight after it"),
    ("warm-up from 0", "schedule, warm-up of an epoch, AdamW", r"step 1: conv1/weight after it"),
    ("rates rounded", "schedule, cosine", r"step 1: conv1/weight after it"),
    ("rate in the velocity", "schedule, step", r"step 6: conv1/weight after it"),
    ("clipped one by one", "gradients clipped, SGD", r"step 1: conv1/weight after it"),
    ("clipped as PyTorch does", "gradients clipped, SGD", r"step 1: conv1/weight after it"),
    ("clipped after decay", "gradients clipped, then decayed", r"step 1: conv1/weight after it"),
    ("smoothed over the others", "label smoothing", r"step 1: loss"),
    ("smoothing rounded", "label smoothing", r"step 1: loss"),
]


@pytest.mark.parametrize(("bug", "setting", "place"), FOUND)
def test_a_planted_bug_is_found_where_it_is(examined: Examined, bug: str, setting: str, place: str) -> None:
    assert re.match(f"{place}: .* apart", examined[0].with_bug(bug, setting))


# What isn't a setting of a training's steps, or is proven elsewhere: networks are trained with sgd and adam, batches of
# 16 and dropout; what is frozen is in tests/parity/test_planted.py.
NO_ROWS = {*TAKEN, "architecture", "origin", "test_every_epoch", "image_size", "weights", "weights_sha256", "freeze"}
NO_ROWS |= {"optimiser", "lr", "momentum", "dropout", "batch_size", "drop_last", "epochs", "early_stopping"}


def test_every_setting_of_a_training_has_a_row() -> None:
    proven = {name for variant in VARIANTS.values() for name in variant.changes}
    assert set(Recipe.model_fields) - NO_ROWS == proven


def test_every_bug_is_planted() -> None:
    assert {bug for bug, _, _ in FOUND} == set(BUGS)


def test_the_report_has_a_row_for_each_setting(examined: Examined, tmp_path: Path) -> None:
    text = settings_table(list(examined[1].values()))
    rows = [line.split("|")[1].strip() for line in text.splitlines() if line.startswith("| ")]
    assert rows == ["setting", *PLAIN, *VARIANTS]
    assert "`schedule: {kind: step, every_epochs: 1}`" in text
