from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from benchmarks.made_up import Size, outputs, write_dataset
from experiments.contract.run_log import RunLog
from experiments.data.dataset import Images, load_dataset
from experiments.reports.note import log_wrong_answers
from experiments.settings.project import RunKey

SIZE = Size(images=8, classes=4)


class Tables:
    """The part of a run's log that takes tables of images."""

    def __init__(self) -> None:
        self.columns: Mapping[str, Sequence[object]] = {}

    def images(self, name: str, images: Images, columns: Mapping[str, Sequence[object]]) -> None:
        """Keep the columns."""
        self.columns = columns


def test_wrong_answers_have_the_names_of_classes_where_there_are_some(tmp_path: Path) -> None:
    write_dataset(tmp_path / "prepared", SIZE)
    dataset, run = load_dataset(tmp_path / "prepared"), outputs(RunKey("lenet", "keras", 1), 6, SIZE)
    for names, answers in ((None, [3, 0]), (("ant", "bear", "cat", "dog"), ["dog", "ant"])):
        log: Any = Tables()
        log_wrong_answers(cast(RunLog, log), replace(dataset, class_names=names), run)
        assert log.columns["answer"] == answers
        assert log.columns["number"] == [6, 7]
