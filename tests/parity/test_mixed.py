"""Both frameworks compute the steps of a training in bfloat16, and a framework that doesn't is found."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest

from experiments.contract.backend import TrainingSettings
from experiments.contract.model_settings import Precision, model_settings
from experiments.data.dataset import load_dataset
from experiments.frameworks import PACKAGES
from experiments.parity import jobs
from experiments.parity.jobs import Job
from experiments.parity.mixed import Mixed, Trained, mixed_quantities
from experiments.parity.sides import Side, run_on_all
from experiments.settings.project import Project
from experiments.settings.recipe import Arithmetic
from tests.models.backend_probe import recipe
from tests.parity.planted import BuggyProcess
from tests.parity.rounding import skip_if_products_are_rounded_within

Run = Callable[[str, str], list[str]]


@pytest.fixture(scope="module")
def run(prepared: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """Train with a bug in either framework, and return what is beyond its bound."""
    dataset, folder = load_dataset(prepared.prepared), tmp_path_factory.mktemp("mixed")
    split = dataset.split("train")
    images, labels = np.array(split.images[:70]), np.array(split.labels[:70])
    first, second = (BuggyProcess(backend) for backend in PACKAGES)
    processes = dict(zip(map(Side, PACKAGES), (first, second), strict=True))

    def job(precision: Precision, arithmetic: Arithmetic) -> Job:
        settings = recipe(architecture="conv5x5", batch_size=16, epochs=1, precision=arithmetic)
        training = TrainingSettings(settings, 1, log_every_steps=1)
        return Job(model_settings(settings, dataset, precision), training, images, labels)

    with first, second:
        described = run_on_all(processes, "conv5x5", jobs.describe, job("float64", "float32").model)
        parameters = described["keras"].parameters
        names = [parameter.name for parameter in parameters]

        def steps(kind: Precision | Mixed, precision: Precision, arithmetic: Arithmetic) -> Trained:
            trained = run_on_all(processes, kind, jobs.steps, job(precision, arithmetic), folder, names, 0.0)
            return {(backend, kind): each for backend, each in trained.items()}

        plain = {**steps("float64", "float64", "float32"), **steps("float32", "float32", "float32")}

        def with_bugs(in_torch: str, in_keras: str) -> list[str]:
            first.bug, second.bug = in_torch, in_keras
            quantities = mixed_quantities({**plain, **steps("bfloat16", "float32", "bfloat16")}, parameters)
            return [quantity.where for quantity in quantities if quantity.ratio > 1]

        yield with_bugs


def test_both_compute_the_same_in_bfloat16(run: Run) -> None:
    if found := run("", ""):
        skip_if_products_are_rounded_within()
    assert found == []


@pytest.mark.parametrize(
    ("in_torch", "in_keras"),
    [
        ("bfloat16 ignored by PyTorch", ""),
        ("", "bfloat16 ignored by Keras"),
        ("float16 in PyTorch", ""),
        ("", "float16 for bfloat16"),
        ("weights in bfloat16", ""),
    ],
)
def test_another_format_in_one_framework_is_found(run: Run, in_torch: str, in_keras: str) -> None:
    assert run(in_torch, in_keras)[0] == "step 1: difference in bfloat16, in gaps"


def test_the_setting_ignored_by_both_is_found(run: Run) -> None:
    found = run("bfloat16 ignored by PyTorch", "bfloat16 ignored by Keras")
    assert {f"gap of float32 in {backend}, in those of bfloat16" for backend in PACKAGES} <= set(found)
