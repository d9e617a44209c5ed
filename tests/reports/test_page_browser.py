"""The page about the runs, in a real browser, at two widths, without a network."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from selenium.common.exceptions import NoAlertPresentException

from benchmarks.made_up import Size, write_dataset, write_pairs
from experiments.reports.page.write import write_page
from experiments.settings.params import load_params
from experiments.settings.project import Project, RunKey
from tests.browser import Browser, errors, schemes, wait_for
from tests.conftest import ROOT
from tests.reports.made_up import write_reports

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
    "Operations",
    "Ladder",
    "Graphs",
]
UNITS = ("nats", "%", " s", "of the bound", "of the variation")


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a page of two recipes with three seeds each, a sweep, parity and published results."""
    folder = tmp_path_factory.mktemp("page")
    (folder / "dvc.yaml").touch()
    project, size, recipes, seeds = Project(folder, folder), Size(), ["lenet", "mlp"], [1, 2, 3]
    write_dataset(project.prepared, size)
    write_pairs(project, recipes, seeds, size)
    write_reports(project)
    params = load_params(ROOT / "params.yaml")
    train = params.train.model_copy(update={"recipes": recipes, "seeds": seeds})
    return write_page(project, params.model_copy(update={"train": train})).as_uri()


def show_all(browser: Browser, places: str) -> int:
    """Scroll to every chart or gallery, wait until it is made, and return how many there are."""
    count: int = browser.execute_script(f"return document.querySelectorAll('{places}').length")
    for number in range(count):
        browser.execute_script(f"document.querySelectorAll('{places}')[{number}].scrollIntoView()")
        wait_for(browser, f"document.querySelectorAll('{places}')[{number}].querySelector('.main-svg, img')")
    return count


def test_every_section_opens_without_a_network_or_an_error(page: str, browser: Browser) -> None:
    browser.get(page)
    assert wait_for(browser, "[...document.querySelectorAll('h2')].map(each => each.textContent)") == SECTIONS
    assert browser.execute_script("return document.querySelectorAll('section > .answer').length") == len(SECTIONS)
    assert show_all(browser, ".chart") == 16
    browser.execute_script("document.querySelectorAll('details').forEach(each => { each.open = true; })")
    assert show_all(browser, ".gallery") == 4
    # Nothing is wider than the screen: wide tables scroll inside of theirs.
    assert browser.execute_script("return document.documentElement.scrollWidth <= window.innerWidth")
    made = "Made from 6 runs of commit 01234567 by dvc repro"
    assert browser.execute_script("return document.querySelector('#curves .made summary').innerText") == made
    title = browser.execute_script("return document.querySelector('#curves .made .run code').title")
    assert len(title) == 32
    assert errors(browser) == []
    assert schemes(browser) <= {"file", "data", "blob"}


def test_a_point_says_what_it_is_with_its_unit(page: str, browser: Browser) -> None:
    browser.get(page)
    for number in range(show_all(browser, ".chart")):
        chart = f"document.querySelectorAll('.chart')[{number}]"
        traces: list[dict[str, Any]] = browser.execute_script(f"return {chart}.data")
        for place, trace in enumerate(traces):
            if trace["type"] not in ("scatter", "bar") or trace.get("hoverinfo") == "skip" or trace["x"] == [None]:
                continue
            panel = trace.get("xaxis", "x") + trace.get("yaxis", "y")
            point = f"[{{curveNumber: {place}, pointNumber: 0}}]"
            browser.execute_script(f"Plotly.Fx.hover({chart}, {point}, '{panel}')")
            said = browser.execute_script(f"return {chart}.querySelector('.hoverlayer').textContent")
            assert "trace" not in said
            assert any(unit in said for unit in UNITS), said
    heat = browser.execute_script(
        "return document.querySelector('#answers .chart').data.filter(each => each.type === 'heatmap')"
        ".map(each => each.hovertemplate)"
    )
    assert heat == [
        "%{customdata}: %{z:.0f} images<extra></extra>",
        "%{customdata}: %{z:.0f} images<extra></extra>",
        "%{customdata}: %{z:+.0f} images<extra></extra>",
    ]


def test_a_row_opens_to_its_seeds_sorts_and_is_copied(page: str, browser: Browser) -> None:
    browser.execute_cdp_cmd(
        "Browser.grantPermissions", {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]}
    )
    browser.get(page)
    shown = "[...document.querySelectorAll('#pairs tbody tr:not([hidden])')].map(each => each.cells[0].innerText)"
    assert wait_for(browser, shown) == ["lenet", "mlp"]
    browser.execute_script("document.querySelector('#pairs .open').click()")
    assert wait_for(browser, shown) == ["lenet", "seed 1", "seed 2", "seed 3", "mlp"]
    first, accuracy = (
        "document.querySelectorAll('#pairs th button')[0]",
        "document.querySelectorAll('#pairs th button')[2]",
    )
    browser.execute_script(f"{first}.click(); {first}.click()")
    assert wait_for(browser, shown) == ["mlp", "lenet", "seed 3", "seed 2", "seed 1"]
    browser.execute_script(f"{accuracy}.click()")
    assert wait_for(browser, shown)[-3:] == ["seed 3", "seed 2", "seed 1"]  # a seed more, an image less
    browser.execute_script("document.querySelector('#pairs .copy').click()")
    with pytest.raises(NoAlertPresentException):  # which is for where there is no clipboard
        browser.switch_to.alert.accept()
    wait_for(browser, "document.querySelector('#pairs .copy').textContent === 'Copied'")
    copied = browser.execute_async_script("navigator.clipboard.readText().then(arguments[0])")
    lines = copied.splitlines()
    assert lines[0].startswith("| recipe | seeds | test accuracy (%), Lightning | test accuracy (%), Keras |")
    assert lines[1].count("---") == lines[0].count("|") - 1
    assert len(lines) == 2 + 5


def test_an_answer_that_differs_is_bold_and_copied_so(page: str, browser: Browser) -> None:
    browser.execute_cdp_cmd(
        "Browser.grantPermissions", {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]}
    )
    browser.get(page)
    bold = "[...document.querySelectorAll('#operations td b')].map(each => each.textContent)"
    assert wait_for(browser, bold) == ["uint8 () 7 (dtype, values)"]
    browser.execute_script("document.querySelector('#operations details').open = true")
    browser.execute_script("document.querySelector('#operations .copy').click()")
    wait_for(browser, "document.querySelector('#operations .copy').textContent === 'Copied'")
    copied = browser.execute_async_script("navigator.clipboard.readText().then(arguments[0])")
    assert copied.splitlines()[2] == (
        "| sum | u<br>uint8 (2,) [250, 13] | np.sum(u)<br>uint64 () 263 | – "
        "| tf.sum(u \\| u)<br>**uint8 () 7 (dtype, values)** | – | dtype, values | reductions |"
    )


def test_pictures_and_curves_say_what_the_runs_do(page: str, browser: Browser) -> None:
    browser.get(page)
    browser.execute_script("document.querySelector('#answers .gallery').scrollIntoView()")
    shown = wait_for(
        browser,
        "[...document.querySelector('#answers .gallery').querySelectorAll('figcaption')].map(each => each.innerText)",
    )
    # Of the first seed: images 187 and 188 are right in Lightning alone.
    assert [text.split("\n") for text in shown] == [
        ["label 3", "Lightning: 3 ✓ 97.0 %", "Keras: 0 ✗ 97.0 %", "image 187"],
        ["label 0", "Lightning: 0 ✓ 97.2 %", "Keras: 1 ✗ 97.2 %", "image 188"],
    ]
    folded = "[...document.querySelectorAll('#answers details.part')]"
    assert browser.execute_script(f"return {folded}.map(each => each.open)") == [False, False]
    browser.execute_script("document.querySelector('#curves .chart').scrollIntoView()")
    lines = wait_for(
        browser,
        "document.querySelector('#curves .chart').data?.map(each => [each.name, each.line?.color, each.line?.dash])",
    )
    assert ["Lightning, training", "#0072B2", "solid"] in lines
    assert ["Keras, test", "#D55E00", "dot"] in lines
    assert ["difference, training", "#222222", "solid"] in lines


@pytest.mark.parametrize("browser", ["wide"], indirect=True)
def test_a_page_of_500_runs_opens(tmp_path: Path, browser: Browser) -> None:
    project, size, seeds = Project(tmp_path, tmp_path), Size(epochs=1), list(range(1, 251))
    (tmp_path / "dvc.yaml").touch()
    write_dataset(project.prepared, size)
    write_pairs(project, ["lenet"], seeds[:1], size)
    for seed in seeds[1:]:  # copies, since each write waits for the disk
        for backend in ("lightning", "keras"):
            shutil.copytree(project.run(RunKey("lenet", backend, 1)), project.run(RunKey("lenet", backend, seed)))
    project.reports.mkdir()
    params = load_params(ROOT / "params.yaml")
    train = params.train.model_copy(update={"seeds": seeds})
    browser.get(write_page(project, params.model_copy(update={"train": train})).as_uri())
    assert wait_for(browser, "document.querySelectorAll('#pairs tbody tr').length") == 251
    assert "Made from 500 runs" in browser.execute_script("return document.querySelector('.made').innerText")
