"""The first section: which framework is ahead, if any, and whether the two began alike."""

from collections.abc import Iterator

from experiments.reports.intervals import interval
from experiments.reports.page.names import name_of, percent, points
from experiments.reports.page.section import Part, Section, Text
from experiments.reports.page.source import Pairs, Source
from experiments.reports.pairs import STAND_IN, compare_runs, mcnemar

# The usual level of significance, as in the confirmation of a sweep.
LEVEL = 0.05


def verdict(source: Source) -> Section:
    """Return the section."""
    parts: list[Part] = []
    if source.dataset.name == STAND_IN:
        parts.append(Text("The data is the stand-in, scikit-learn's digits: this says nothing about MNIST.", loud=True))
    for pairs in source.pairs:
        parts += _of(pairs)
    return Section("verdict", "Verdict", parts)


def _of(pairs: Pairs) -> Iterator[Part]:
    accuracies = ", ".join(
        f"{name_of(backend)} {percent(pairs.mean(backend, 'test/accuracy'))}" for backend in pairs.backends
    )
    seconds = ", ".join(
        f"{name_of(backend)} {pairs.mean(backend, 'median_epoch_seconds'):.2f} s" for backend in pairs.backends
    )
    yield Text(f"{pairs.recipe}: {accuracies} of the test images right. {judge(pairs)} An epoch: {seconds}.")
    for seed, runs in pairs.by_seed.items():
        compared = compare_runs(runs)
        if not compared.get("same_start", True):
            yield Text(f"{pairs.recipe}, seed {seed}: initial weights or batch order differ.", loud=True)
        if differs := compared.get("environment_differs"):
            yield Text(
                f"{pairs.recipe}, seed {seed}: more than the framework differs: {'; '.join(differs)}.", loud=True
            )


def judge(pairs: Pairs) -> str:
    """Return whether the two are told apart: over several seeds by their differences, over one by the images."""
    differences = pairs.differences("test/accuracy")
    if not differences:
        return "One framework alone was trained: there is nothing to compare."
    first, second = (name_of(backend) for backend in pairs.backends)
    if len(differences) > 1:
        difference = interval(differences)
        half = points(difference.half).lstrip("+")
        told = "not told apart" if difference.holds(0) else "told apart"
        return (
            f"{second} minus {first}: {points(difference.mean)} ± {half} over {len(differences)} seeds "
            f"(95 % interval of the paired differences): {told}."
        )
    (runs,) = pairs.by_seed.values()
    found = mcnemar(*runs.values())
    here, there = found["only_first_right"], found["only_second_right"]
    told = "not told apart" if found["p"] > LEVEL else "told apart"
    alone = f"{here:.0f} images are right in {first} alone, {there:.0f} in {second} alone"
    return (
        f"{second} minus {first}: {points(differences[0])}: {told}; {alone} (exact McNemar test, p = {found['p']:.2f})."
    )
