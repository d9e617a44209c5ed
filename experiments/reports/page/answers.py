"""Which test images the two frameworks answer differently, and which classes they take for which."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from experiments.reports.classes import class_labels, shortened
from experiments.reports.page.confusions import confusion_parts
from experiments.reports.page.names import name_of
from experiments.reports.page.section import Gallery, Part, Picture, Section, picture_source
from experiments.reports.page.source import Pairs, Source
from experiments.training.outputs import Outputs

# More pictures than this say nothing more, and make the page large; it says how many there are.
MOST = 200


def answers_section(source: Source) -> Section:
    """Return pictures and matrices of each recipe: the pictures of its first seed, the counts of all of them."""
    parts: list[Part] = []
    for pairs in source.pairs:
        if len(pairs.backends) == 2:
            parts += _of(source, pairs)
    answer = (
        "Which images do they answer differently? Each has its label, both answers, and the probability that each "
        "framework gives to its own answer; then, which classes are taken for which."
        if parts
        else "One framework alone was trained: there is nothing to compare."
    )
    return Section("answers", "Which images", parts, answer=answer)


def _of(source: Source, pairs: Pairs) -> list[Part]:
    seed, runs = next(iter(pairs.by_seed.items()))
    first, second = runs.values()
    apart = np.flatnonzero(first.predicted != second.predicted)
    wrong = np.flatnonzero((first.predicted == second.predicted) & (first.predicted != first.actual))
    where = f"{pairs.recipe}, seed {seed}"
    what = f"{where}: {len(apart)} of {len(first.actual)} images answered differently"
    both = f"{where}: {len(wrong)} images that both get wrong in the same way"
    return [
        _gallery(source, pairs, apart, what),
        _gallery(source, pairs, wrong, both, folded=True),
        *confusion_parts(pairs, class_labels(source.dataset)),
    ]


def _gallery(
    source: Source, pairs: Pairs, chosen: npt.NDArray[np.int64], title: str, *, folded: bool = False
) -> Gallery:
    images, runs = source.dataset.split("test").images, next(iter(pairs.by_seed.values()))
    actual, labels = next(iter(runs.values())).actual, class_labels(source.dataset)
    pictures = [
        Picture(
            str(index),
            picture_source(images[index]),
            f"label {shortened(labels[actual[index]], 20)}",
            [
                *(_answer(backend, run, index, labels) for backend, run in runs.items()),
                f"image {index}",
            ],
        )
        for index in chosen[:MOST]
    ]
    shown = f"; the first {MOST} of them" if len(chosen) > MOST else ""
    return Gallery(pictures, title + shown, folded=folded, made_from=pairs.made_from)


def _answer(backend: str, run: Outputs, index: int, labels: Sequence[str]) -> str:
    mark = "✓" if run.predicted[index] == run.actual[index] else "✗"
    return (
        f"{name_of(backend)}: {shortened(labels[run.predicted[index]], 20)} {mark} {100 * run.probability[index]:.1f} %"
    )
