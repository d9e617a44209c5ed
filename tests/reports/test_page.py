"""What the page says: the verdict, the pairs, the sweeps, and what each part is made from."""

import json
from dataclasses import replace
from typing import Any, cast

import pytest
from jinja2 import Environment

from benchmarks.made_up import SavesNothing, Size, outputs, write_dataset, write_run
from experiments.contract.model import Model
from experiments.contract.phases import PHASES
from experiments.reports.page.answers import answers_section
from experiments.reports.page.charts import log_axis, log_ticks
from experiments.reports.page.curves import curves, curves_section
from experiments.reports.page.differences import settings_section
from experiments.reports.page.resources import resources_section
from experiments.reports.page.section import Cards, Chart, Gallery, Section, Table, Text
from experiments.reports.page.source import Source, read_source
from experiments.reports.page.sweeps import sweeps_section
from experiments.reports.page.tables import pairs_section
from experiments.reports.page.verdict import verdict
from experiments.reports.page.write import cell, refresh_page, write_page
from experiments.settings.params import Params
from experiments.settings.project import Project, RunKey
from experiments.training.outputs import write_outputs
from tests.reports.made_up import confirmation, sweep, trial, write_reports

SIZE = Size()


def write_lenet(project: Project, params: Params, *seeds: int, **right: int) -> Params:
    """Write two runs for each seed; Keras gets two images fewer right. Return the settings that ask for them."""
    for backend, count in {"lightning": 190, "keras": 188, **right}.items():
        for seed in seeds:
            write_run(project, RunKey("lenet", cast(Any, backend), seed), count - seed, SIZE)
    return params.model_copy(update={"train": params.train.model_copy(update={"seeds": list(seeds)})})


@pytest.fixture
def source(project: Project, params: Params) -> Source:
    """Two pairs."""
    write_dataset(project.prepared, SIZE)
    return read_source(project, write_lenet(project, params, 1, 2))


def card_of(source: Source) -> str:
    """Return what the verdict says of the first recipe."""
    cards = next(part for part in verdict(source).parts if isinstance(part, Cards)).cards
    return f"{cards[0].headline}. {' '.join(cards[0].lines)}"


def test_the_verdict_over_one_seed_is_mcnemar_s(project: Project, params: Params) -> None:
    write_dataset(project.prepared, SIZE)
    asked = write_lenet(project, params, 1)
    said = card_of(read_source(project, asked))
    assert said.startswith("Not told apart.")
    assert "Keras minus Lightning: -1.00 points. Images right in Lightning alone: 2, in Keras alone: 0" in said
    assert "p = 0.5)" in said
    write_lenet(project, params, 1, keras=100)
    said = card_of(read_source(project, asked))
    assert said.startswith("Lightning is ahead.")
    assert "-45.00 points. Images right in Lightning alone: 90, in" in said


def test_the_verdict_over_seeds_is_that_of_their_differences(project: Project, params: Params) -> None:
    write_dataset(project.prepared, SIZE)
    asked = write_lenet(project, params, 1, 2, 3)
    # All three differ by one point: that has no spread, and proves nothing.
    assert "-1.00 points ± 0.00 points over 3 seeds (equal differences have no spread to judge by)" in card_of(
        read_source(project, asked)
    )
    write_run(project, RunKey("lenet", "keras", 2), 184, SIZE)
    said = card_of(read_source(project, asked))
    # Differences of 2, 4 and 2 images of 200: mean 1.33 points, standard error 1/3, times t(2) = 4.303.
    assert said.startswith("Not told apart.")
    assert "-1.33 points ± 1.43 points over 3 seeds (95 % interval of the paired differences)" in said


def test_another_start_and_the_stand_in_are_loud(project: Project, params: Params) -> None:
    write_dataset(project.prepared, SIZE)
    asked, key = write_lenet(project, params, 1, 2), RunKey("lenet", "keras", 1)
    other = outputs(key, 187, SIZE)
    other = replace(other, record={**other.record, "initial_weights": "others"})
    write_outputs(project.run(key), other, cast(Model, SavesNothing()))
    info = json.loads((project.prepared / "dataset.json").read_text())
    (project.prepared / "dataset.json").write_text(json.dumps({**info, "name": "digits"}))
    loud = [part.text for part in verdict(read_source(project, asked)).parts if isinstance(part, Text) and part.loud]
    assert [text.split(":")[0] for text in loud] == [
        "The data is the stand-in, scikit-learn's digits",
        "lenet, seed 1",
    ]


def test_a_recipe_is_a_row_with_its_seeds_below(source: Source) -> None:
    (table,) = pairs_section(source).parts
    assert isinstance(table, Table)
    (row,) = table.lines
    names = [name for _, name in table.columns]
    cells = dict(zip(names, row.cells, strict=True))
    assert cells["test accuracy (%), difference"] == "-1.00 ±\u00a00.00"
    # Means of 94.5 and 94.0, half an interval of t(1)·0.25.
    assert cells["test accuracy (%), Lightning"] == "94.25 ±\u00a03.18"
    assert (cells["seeds"], cells["answers that differ"], cells["told apart"]) == ("2", "2.0", "no")
    assert [seed[0] for seed in row.below] == ["seed 1", "seed 2"]
    assert dict(zip(names, row.below[0], strict=True))["test accuracy (%), Keras"] == "93.50"


def test_members_that_stopped_after_different_epochs_are_compared_as_far_as_both_go(
    project: Project, params: Params
) -> None:
    write_dataset(project.prepared, SIZE)
    asked = write_lenet(project, params, 1, 2)
    for seed in (1, 2):
        write_run(project, RunKey("lenet", "keras", seed), 188, replace(SIZE, epochs=SIZE.epochs + 3))
    (pairs,) = read_source(project, asked).pairs
    drawn = {line.name: len(line.x) for line in curves(pairs).data if line.mode == "lines+markers"}
    assert drawn["Lightning, training"] == drawn["difference, training"] == SIZE.epochs
    assert drawn["Keras, training"] == SIZE.epochs + 3


def test_bars_say_where_the_time_went(source: Source) -> None:
    chart, table, seeds, _ = resources_section(source).parts
    assert isinstance(chart, Chart)
    bars = [(each.name, list(each.y), list(each.x), list(each.marker.color)) for each in chart.figure.data if each.y[0]]
    assert [name for name, *_ in bars] == list(PHASES)
    assert ("training", ["Keras", "Lightning"], [20, 20], ["#d55e00", "#0072b2"]) in bars
    assert isinstance(table, Table)
    rows = [list(row.cells) for row in table.lines]
    assert ["imports (s)", "7.50", "7.50"] in rows
    assert rows[-2:] == [["total (s)", "27.50", "28.00"], ["peak memory (MB)", "802", "802"]]
    assert isinstance(seeds, Table)
    assert len(seeds.rows) == 4
    # What a run took is none of the settings that differ.
    shown = [
        str(row.cells[0]) for part in settings_section(source).parts if isinstance(part, Table) for row in part.lines
    ]
    assert not [key for key in shown if key.startswith("resources")]


def test_runs_of_a_version_that_did_not_measure_are_shown(project: Project, params: Params) -> None:
    write_dataset(project.prepared, SIZE)
    asked, key = write_lenet(project, params, 1, 2), RunKey("lenet", "keras", 1)
    other = outputs(key, 187, SIZE)
    record = {name: value for name, value in other.record.items() if name != "resources"}
    history = [{**row, "epoch_seconds": 3.0, "images_per_second": 4.0} for row in other.history]
    metrics = {name: value for name, value in other.metrics.items() if not name.startswith("median")}
    other = replace(other, record=record, history=history, metrics=metrics)
    write_outputs(project.run(key), other, cast(Model, SavesNothing()))
    source = read_source(project, asked)
    (said, _) = resources_section(source).parts
    assert isinstance(said, Text)
    assert "lenet: not measured by the version that trained these runs" in said.text
    assert "Keras 2.50 s" in card_of(source)  # an epoch, the mean over the seeds


def test_every_figure_and_table_says_what_it_is_made_from(source: Source, project: Project) -> None:
    write_reports(project)
    sections = [each.with_origin(source.made_from) for each in (pairs_section(source), curves_section(source))]
    sections += [answers_section(source), sweeps_section(project.reports)]
    made = [part for section in sections for part in section.parts if isinstance(part, Chart | Table | Gallery)]
    assert len(made) == 12
    for part in made:
        assert part.made_from
        assert part.made_from.runs
        assert part.made_from.commits
        assert part.made_from.settings
    assert source.made_from.settings == ["5e771235"]
    assert source.made_from.command == "dvc repro"


def charts_of(section: Section) -> dict[str, Any]:
    """Return the figures, by the first words of what they show."""
    return {part.says.split(",")[0]: part.figure for part in section.parts if isinstance(part, Chart)}


def test_a_sweep_marks_what_was_pruned_or_diverged(project: Project) -> None:
    write_reports(project)
    charts = charts_of(sweeps_section(project.reports))
    names = [each.name for each in charts["The objective against each setting"].data if each.showlegend]
    assert names == ["complete", "pruned", "diverged (drawn at the worst value)", "the recipe's own settings"]
    apart = {each.name: each for each in charts["The difference of the frameworks"].data}
    edge = apart["diverged in Keras only"]
    assert (list(edge.x), edge.marker.symbol) == ([0.5], "triangle-up")
    assert edge.y[0] > max(apart["a trial"].y)
    assert "± 1.96 SD" in next(iter(apart))
    ranges = charts["The importance of each setting"].data[0]
    assert dict(zip(ranges.y, zip(ranges.base, ranges.x, strict=True), strict=True))["lr"] == pytest.approx((0.2, 0.5))
    leads = [each for each in charts["s"].data if each.xaxis == "x2" and each.error_x.array]
    assert [(each.x[0], each.error_x.array[0], each.y[0]) for each in leads] == [
        (0.11, 0.025, "over trial 0, own settings")
    ]


def test_a_sweep_shows_choices_whole_numbers_and_what_some_trials_lack(project: Project) -> None:
    space = {
        "optimiser": {"choices": ["sgd", "adam"]},
        "options.filters": {"low": 8, "high": 32, "log": False, "type": "int"},
        "drop_last": {"choices": [True, False]},
        "momentum": {"low": 0.0, "high": 0.9, "log": False, "when": {"optimiser": ["sgd"]}},
    }
    every = [{"optimiser": "sgd", "options.filters": 8, "drop_last": True, "momentum": 0.5}]
    every += [{"optimiser": "adam", "options.filters": 16, "drop_last": False}, {"optimiser": "sgd", "momentum": 0.9}]
    trials = [trial(number, params=params, of={}) for number, params in enumerate(every)]
    known = {**sweep(), "space": space, "trials": trials, "importance": {}, "backends": []}
    (project.sweep_report("s") / "sweep.json").write_text(json.dumps(known))
    charts = charts_of(sweeps_section(project.reports))
    figure = charts["The objective against each setting"]
    drawn = {(each.xaxis, x) for each in figure.data for x in each.x}
    assert drawn == {("x", "sgd"), ("x", "adam"), ("x2", 8), ("x2", 16), ("x3", "True"), ("x3", "False")} | {
        ("x4", 0.5),
        ("x4", 0.9),
    }
    assert figure.layout.xaxis.categoryarray == ("sgd", "adam")
    assert figure.layout.xaxis4.title.text.startswith("momentum<br>")
    assert "with optimiser sgd" in figure.layout.xaxis4.title.text
    lines = charts["The settings of each trial"].data[0].dimensions
    missing = [dict(zip(each.tickvals, each.ticktext, strict=True)) for each in lines[:4] if each.tickvals]
    assert missing[0] == {0: "sgd", 1: "adam"}
    assert [missing[1][value] for value in lines[1].values if value < 8] == ["none"]
    assert [missing[3][value] for value in lines[3].values if value < 0] == ["none"]
    (table,) = [part for part in sweeps_section(project.reports).parts if isinstance(part, Table)]
    second = table.rows[1]
    assert isinstance(second, list)
    assert second[2:6] == ["adam", "16", "False", "–"]


def test_too_few_trials_have_a_sentence_in_place_of_an_importance(project: Project) -> None:
    known = {**sweep(), "importance": {"why_not": "it takes 20 complete trials, and there are 6"}}
    (project.sweep_report("s") / "sweep.json").write_text(json.dumps(known))
    section = sweeps_section(project.reports)
    assert "The importance of each setting" not in charts_of(section)
    said = [part.text for part in section.parts if isinstance(part, Text)]
    assert "Importance of the settings: not shown, since it takes 20 complete trials, and there are 6." in said


def test_a_confirmation_of_an_older_version_is_shown_without_leads(project: Project) -> None:
    old = {key: value for key, value in confirmation().items() if key not in ("leads", "made_from")}
    folder = project.sweep_report("s")
    (folder / "sweep.json").write_text(json.dumps({**sweep(), "importance": {}}))
    (folder / "confirm-1.json").write_text(json.dumps(old))
    assert [each.x for each in charts_of(sweeps_section(project.reports))["s"].data if each.xaxis == "x2"]


@pytest.mark.parametrize(("low", "high"), [(0.149, 1.46), (1.7, 2.3), (1e-4, 0.1), (0.002, 80), (3e-9, 4e4)])
def test_log_ticks_are_few_and_inside(low: float, high: float) -> None:
    inside = [tick for tick in log_ticks(low, high) if low <= tick <= high]
    assert 2 <= len(inside) <= 9
    assert log_axis([low, 0.0]) == {"type": "linear"}


def test_a_page_without_runs_is_not_written_and_says_why(
    project: Project, params: Params, capsys: pytest.CaptureFixture[str]
) -> None:
    write_dataset(project.prepared, SIZE)
    refresh_page(project, params)
    assert not project.page.exists()
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("reports/index.html: not written, since it shows the runs of the pipeline: runs/lenet/")
    assert "dvc repro" in line


def test_of_many_classes_the_most_frequent_errors_are_listed(project: Project, params: Params) -> None:
    size = replace(SIZE, classes=50)
    write_dataset(project.prepared, size)
    for backend, right in (("lightning", 190), ("keras", 188)):
        write_run(project, RunKey("lenet", cast(Any, backend), 12), right, size)
    source = read_source(project, params)
    named = replace(source, dataset=replace(source.dataset, class_names=tuple(f"kind {n}" for n in range(50))))
    chart, table = answers_section(named).parts[-2:]
    assert isinstance(chart, Chart)
    assert isinstance(table, Table)
    first, second = chart.figure.data
    names = chart.figure.layout.yaxis.ticktext
    # The last 10 and 12 images are wrong, of 4 images of each class: taken for the class that comes next.
    assert (len(names), names[0], names[-1]) == (12, "kind 40 → kind 41", "kind 39 → kind 40")
    assert (list(first.x), list(second.x)) == ([1] * 10 + [0] * 2, [1] * 12)
    assert table.rows[0] == ["kind 40", "4", "1", "1", "+0", "kind 41\u00a0(1)", "kind 41\u00a0(1)"]
    assert len(table.rows) == 50


def test_of_few_classes_the_names_are_those_of_the_matrix(source: Source) -> None:
    named = replace(source, dataset=replace(source.dataset, class_names=("a", "b", "c", "a cat of many words")))
    gallery, *_, chart = answers_section(named).parts
    assert isinstance(chart, Chart)
    assert list(chart.figure.layout.xaxis.ticktext) == ["a", "b", "c", "a cat of ma…"]
    assert isinstance(gallery, Gallery)
    assert {picture.title for picture in gallery.pictures} <= {
        "label a",
        "label b",
        "label c",
        "label a cat of many words",
    }


def test_parity_by_hand_has_a_section_beside_that_of_the_pipeline(project: Project, params: Params) -> None:
    write_dataset(project.prepared, SIZE)
    asked = write_lenet(project, params, 1)
    write_reports(project)
    assert "Parity, by hand" not in write_page(project, asked).read_text()
    write_reports(project.for_hand())
    text = write_page(project, asked).read_text()
    assert 'id="parity"' in text
    assert 'id="parity-by-hand"' in text


def test_an_apostrophe_in_a_table_is_escaped_once() -> None:
    environment = Environment(autoescape=True)
    environment.filters["cell"] = cell
    assert environment.from_string("{{ text | cell }}").render(text="it's") == "it&#39;s"
