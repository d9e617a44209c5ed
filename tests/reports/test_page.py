"""The page about the runs, in a real browser, at two widths, without a network."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from experiments.contract.backend import Model
from experiments.contract.phases import PHASES
from experiments.frameworks import backend_name
from experiments.reports.page.source import read_source
from experiments.reports.page.verdict import verdict
from experiments.reports.page.write import write_page
from experiments.settings.params import Params
from experiments.settings.project import Project, RunKey
from experiments.training.outputs import Outputs, write_outputs
from tests.browser import Browser, errors, schemes, wait_for
from tests.sweep.simulated import write_dataset

IMAGES, EPOCHS, CLASSES = 200, 3, 4
SECTIONS = [
    "Verdict",
    "Pairs",
    "Learning curves",
    "Which images",
    "Where time and memory go",
    "What differs between the runs",
    "Sweeps",
    "Parity",
    "Published results",
]
RIGHT = {"lightning": 190, "keras": 188}


class SavesNothing:
    """The part of a model that writing outputs needs."""

    def save(self, folder: Path) -> None:
        (folder / "model").touch()


def outputs(backend: str, seed: int, right: int) -> Outputs:
    """Return the outputs of a run with so many images right: the last ones are wrong."""
    actual = np.arange(IMAGES) % CLASSES
    predicted = np.where(np.arange(IMAGES) < right, actual, (actual + 1) % CLASSES)
    history = [
        {
            "epoch": float(epoch),
            "train/loss": 1 / epoch,
            "train/accuracy": 0.5 + epoch / 10,
            "test/loss": 1.1 / epoch + seed / 100,
            "test/accuracy": right / IMAGES,
        }
        for epoch in range(1, EPOCHS + 1)
    ]
    metrics = {**history[-1], "median_epoch_seconds": 2.0, "median_images_per_second": 100.0}
    record = {
        "mlflow_run_id": f"id-{backend}-{seed}",
        "first_batch_loss": 0.5,
        "initial_weights": "w",
        "batch_order": "o",
        "environment": {"device": "cpu", "numpy": "2.4.6", backend: "1"},
        "resources": {
            "seconds": {"imports": 6.0 + seed, "compiling": 0.5 if backend == "keras" else 0.0, "training": 20.0},
            "peak_memory_mb": 800.0 + seed,
        },
        "tags": {"pair": "p", "dataset": "small", "backend": backend},
    }
    return Outputs(metrics, history, record, actual, predicted, np.linspace(0.5, 1, IMAGES))


def write_runs(project: Project, seeds: Sequence[int], **right: int) -> None:
    for backend, count in {**RIGHT, **right}.items():
        for seed in seeds:
            key = RunKey("lenet", backend_name(backend), seed)
            write_outputs(project.run(key), outputs(backend, seed, count - seed), cast(Model, SavesNothing()))


@pytest.fixture
def two_seeds(project: Project, params: Params) -> tuple[Project, Params]:
    """A project with two runs in each framework."""
    write_dataset(project.prepared)
    write_runs(project, [1, 2])
    return project, params.model_copy(update={"train": params.train.model_copy(update={"seeds": [1, 2]})})


def text_of(project: Project, params: Params) -> str:
    """Return the verdict."""
    return " ".join(str(vars(part).get("text")) for part in verdict(read_source(project, params)).parts)


def test_the_verdict_over_one_seed_is_mcnemar_s(project: Project, params: Params) -> None:
    write_dataset(project.prepared)
    params = params.model_copy(update={"train": params.train.model_copy(update={"seeds": [1]})})
    write_runs(project, [1])
    text = text_of(project, params)
    assert "Keras minus Lightning: -1.00 points: not told apart; 2 images are right in Lightning alone, 0" in text
    write_runs(project, [1], keras=100)
    assert "-45.00 points: told apart; 90 images are right in Lightning alone" in text_of(project, params)


def test_the_verdict_over_seeds_is_that_of_their_differences(two_seeds: tuple[Project, Params]) -> None:
    text = text_of(*two_seeds)
    # Both differ by one point with each seed: that has no spread.
    assert "-1.00 points ± 0.00 points over 2 seeds (95 % interval of the paired differences): told apart" in text


def test_another_start_and_the_stand_in_are_loud(two_seeds: tuple[Project, Params]) -> None:
    project, params = two_seeds
    other = outputs("keras", 1, 187)
    other = replace(other, record={**other.record, "initial_weights": "others"})
    write_outputs(project.run(RunKey("lenet", "keras", 1)), other, cast(Model, SavesNothing()))
    info = json.loads((project.prepared / "dataset.json").read_text())
    (project.prepared / "dataset.json").write_text(json.dumps({**info, "name": "digits"}))
    loud = [part for part in verdict(read_source(project, params)).parts if vars(part)["loud"]]
    assert [vars(part)["text"].split(":")[0] for part in loud] == [
        "The data is the stand-in, scikit-learn's digits",
        "lenet, seed 1",
    ]


def test_the_page_opens_without_a_network_and_has_every_section(
    two_seeds: tuple[Project, Params], browser: Browser
) -> None:
    browser.get(write_page(*two_seeds).as_uri())
    headings = wait_for(browser, "[...document.querySelectorAll('h2')].map(each => each.textContent)")
    assert headings == SECTIONS
    for number in range(2):  # charts are drawn when they come near the screen
        browser.execute_script(f"document.querySelectorAll('.chart')[{number}].scrollIntoView()")
        wait_for(browser, f"document.querySelectorAll('.chart')[{number}].querySelector('.main-svg')")
    assert errors(browser) == []
    assert schemes(browser) <= {"file", "data", "blob"}
    # Nothing is wider than the screen.
    assert browser.execute_script("return document.documentElement.scrollWidth <= window.innerWidth")


def test_pictures_tables_and_curves_say_what_the_runs_do(two_seeds: tuple[Project, Params], browser: Browser) -> None:
    browser.get(write_page(*two_seeds).as_uri())
    shown = wait_for(browser, "[...document.querySelectorAll('#answers figcaption')].map(each => each.innerText)")
    # Of the first seed: images 187 and 188 are right in Lightning alone; both get 11 wrong.
    assert [text.split("\n")[0] for text in shown[:2]] == ["image 187, label 3", "image 188, label 0"]
    assert shown[0].split("\n")[1:] == ["Lightning: 3 (97.0 %)", "Keras: 0 (97.0 %)"]
    # Folded until they are asked for.
    wrong = "document.querySelectorAll('#answers details')[1]"
    assert browser.execute_script(f"return {wrong}.open") is False
    assert browser.execute_script(f"return {wrong}.querySelectorAll('figure').length") == 11
    # A click sorts, by number.
    cell = "document.querySelector('#pairs tbody').rows[0].cells[3].textContent"
    browser.execute_script("document.querySelectorAll('#pairs th button')[3].click()")
    assert browser.execute_script(f"return {cell}").startswith("-1.00")
    browser.execute_script("document.querySelectorAll('#pairs th button')[3].click()")
    assert browser.execute_script(f"return {cell}").startswith("94.25")
    lines = wait_for(
        browser, "document.querySelector('#curves .chart').data?.map(each => [each.name, each.line?.color])"
    )
    assert ["Lightning, training", "#0072B2"] in lines
    assert ["Keras, test", "#D55E00"] in lines


def test_bars_say_where_the_time_went(two_seeds: tuple[Project, Params], browser: Browser) -> None:
    browser.get(write_page(*two_seeds).as_uri())
    browser.execute_script("document.querySelector('#resources .chart').scrollIntoView()")
    bars = wait_for(
        browser,
        "document.querySelector('#resources .chart').data?.filter(each => each.x[0] !== null)"
        ".map(each => [each.name, each.y, each.x, each.marker.color])",
    )
    assert [name for name, *_ in bars] == list(PHASES)
    assert ["training", ["Keras", "Lightning"], [20, 20], ["#d55e00", "#0072b2"]] in bars
    rows = "[...document.querySelectorAll('#resources tbody')[{}].rows].map(each => each.innerText.split('\\t'))"
    table = browser.execute_script(f"return {rows.format(0)}")
    assert ["imports (s)", "7.50", "7.50"] in table
    assert [*("total (s)", "27.50", "28.00"), *("peak memory (MB)", "802", "802")] == [*table[-2], *table[-1]]
    assert len(browser.execute_script(f"return {rows.format(1)}")) == 4  # each seed, folded
    # What a run took is none of the settings that differ.
    assert "resources" not in browser.execute_script("return document.querySelector('#settings').textContent")


def test_runs_of_a_version_that_did_not_measure_are_shown(two_seeds: tuple[Project, Params]) -> None:
    project, params = two_seeds
    other = outputs("keras", 1, 187)
    record = {name: value for name, value in other.record.items() if name != "resources"}
    history = [{**row, "epoch_seconds": 3.0, "images_per_second": 4.0} for row in other.history]
    metrics = {name: value for name, value in other.metrics.items() if not name.startswith("median")}
    other = replace(other, record=record, history=history, metrics=metrics)
    write_outputs(project.run(RunKey("lenet", "keras", 1)), other, cast(Model, SavesNothing()))
    page = write_page(project, params).read_text()
    assert "lenet: not measured by the version that trained these runs" in page
    assert "Keras 2.50 s" in page  # an epoch, the mean over the seeds


def test_500_runs_open(project: Project, params: Params, browser: Browser) -> None:
    seeds = list(range(1, 251))
    write_dataset(project.prepared)
    write_runs(project, seeds, lightning=400, keras=400)
    many = params.model_copy(update={"train": params.train.model_copy(update={"seeds": seeds})})
    browser.get(write_page(project, many).as_uri())
    assert (
        wait_for(browser, "document.querySelectorAll('#pairs details')[1].querySelectorAll('tbody tr').length") == 500
    )
