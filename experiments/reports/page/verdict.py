"""The first section: which framework is ahead, if any, and whether the two began alike."""

from collections.abc import Iterator

from experiments.reports.page.judge import Judgement, judge
from experiments.reports.page.names import name_of, percent
from experiments.reports.page.section import Card, Cards, Part, Section, Text
from experiments.reports.page.source import SECONDS, Pairs, Source
from experiments.reports.pairs import STAND_IN, compare_runs


def verdict(source: Source) -> Section:
    """Return the section."""
    parts: list[Part] = []
    if source.dataset.name == STAND_IN:
        parts.append(Text("The data is the stand-in, scikit-learn's digits: this says nothing about MNIST.", loud=True))
    warnings = [Text(text, loud=True) for pairs in source.pairs for text in _warnings(pairs)]
    judged = {pairs.recipe: judge(pairs) for pairs in source.pairs}
    cards = [_card(pairs, judged[pairs.recipe]) for pairs in source.pairs]
    parts += [*warnings, Cards(cards)]
    return Section("verdict", "Verdict", parts, answer=_answer(source, list(judged.values())))


def _answer(source: Source, judged: list[Judgement | None]) -> str:
    if None in judged:
        return "One framework alone was trained: there is nothing to compare."
    told, count = sum(each.told_apart for each in judged if each), len(judged)
    name = source.dataset.name
    if count == 1:
        return f"Does the framework matter? On {name}, {'a' if told else 'no'} difference is shown."
    shown = f"a difference is shown in {told}" if told else "no difference is shown in any"
    return f"Does the framework matter? On {name}, {shown} of {count} recipes."


def _card(pairs: Pairs, judged: Judgement | None) -> Card:
    accuracy = ", ".join(f"{name_of(each)} {percent(pairs.mean(each, 'test/accuracy'))}" for each in pairs.backends)
    seconds = ", ".join(f"{name_of(each)} {pairs.mean(each, SECONDS):.2f} s" for each in pairs.backends)
    count = len(pairs.by_seed)
    seeds = f"mean of {count} seeds" if count > 1 else f"seed {next(iter(pairs.by_seed))}"
    lines = [f"Of the test images right: {accuracy} ({seeds}).", f"An epoch takes: {seconds}."]
    if judged is None:
        return Card(pairs.recipe, "Nothing to compare", lines)
    starts = all(compare_runs(runs)["same_start"] for runs in pairs.by_seed.values())
    lines.insert(1, judged.reason)
    lines.append("Same start: the same initial weights, the same batches." if starts else "The starts differ.")
    headline = f"{name_of(judged.ahead)} is ahead" if judged.ahead else "Not told apart"
    return Card(pairs.recipe, headline, lines)


def _warnings(pairs: Pairs) -> Iterator[str]:
    for seed, runs in pairs.by_seed.items():
        compared = compare_runs(runs)
        if not compared.get("same_start", True):
            yield f"{pairs.recipe}, seed {seed}: initial weights or batch order differ."
        if differs := compared.get("environment_differs"):
            yield f"{pairs.recipe}, seed {seed}: more than the framework differs: {'; '.join(differs)}."
