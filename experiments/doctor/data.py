"""The dataset: what is there, and whether it is what was recorded."""

import os
from collections.abc import Iterator
from pathlib import Path

from experiments.data.dataset import load_dataset
from experiments.data.mnist import answering
from experiments.data.raw import NAME_FILE
from experiments.data.recorded import check_nothing_is_lost, digest_of, recorded_digest
from experiments.doctor.surroundings import Surroundings
from experiments.reports.pairs import STAND_IN
from experiments.system.checks import Check


def raw(here: Surroundings) -> Iterator[Check]:
    """Look whether data/ is what data.dvc records."""
    project = here.project
    if not project.data_file.is_file():
        remedy = "`git checkout data.dvc`, or `dvc add data` for data of your own"
        yield Check("data", "warning", "no data.dvc", remedy)
    elif not project.data.is_dir():
        yield Check("data", "warning", "data/ is not there yet", "`dvc repro` downloads it")
    else:
        check_nothing_is_lost(project)
        name, same = project.data / NAME_FILE, digest_of(project.data) == recorded_digest(project)
        what = name.read_text().strip() if name.is_file() else "your own"
        yield Check.of(
            "data",
            f"data/: {what}, {'as' if same else 'not what'} data.dvc records",
            good=same,
            remedy="`dvc repro` imports downloads/ again; where data.dvc is your own, `dvc add data`",
            otherwise="warning",
        )


def prepared(here: Surroundings) -> Iterator[Check]:
    """Look whether prepared/ is whole, and which dataset it is."""
    folder = here.project.prepared
    if not folder.is_dir():
        yield Check("prepared data", "warning", "prepared/ is not there yet", "`dvc repro preprocess` makes it")
        return
    dataset = load_dataset(folder)
    yield Check.of(
        "prepared data",
        f"{dataset.name}, {dataset.classes} classes, fingerprint {dataset.fingerprint[:12]}",
        good=dataset.name != STAND_IN,
        remedy="the stand-in says nothing about MNIST: where there is a network, or TANDEM_MIRROR, "
        "`dvc repro --force download`, `dvc repro`",
        otherwise="warning",
    )


def mirrors(here: Surroundings) -> Iterator[Check]:
    """Look whether a mirror of MNIST answers, where the data has to be downloaded yet."""
    own = os.environ.get("TANDEM_MIRROR", "")
    if own and not (own.startswith(("http://", "https://")) or Path(own).is_dir()):
        yield Check(
            "mirrors", "problem", f"TANDEM_MIRROR={own}: neither an address nor a folder", "correct or unset it"
        )
    elif here.params is None or here.project.data.is_dir():
        yield Check("mirrors", "ok", "not asked: nothing is to be downloaded")
    else:
        asked, fallback = [*filter(None, [own]), *here.params.data.mirrors], here.params.data.offline_fallback
        answers = answering(asked, here.params.data.timeout_seconds)
        yield Check.of(
            "mirrors",
            f"{len(answers)} of {len(asked)} answer: {', '.join(answers or asked)}",
            good=bool(answers),
            remedy="connect this machine, or set TANDEM_MIRROR to a folder with MNIST's files"
            + (f"; else `dvc repro` takes the stand-in {fallback}" if fallback else ""),
            otherwise="warning" if fallback else "problem",
        )
