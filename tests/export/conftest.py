"""Both frameworks, each in a process of its own, and the stand-in."""

from collections.abc import Iterator

import pytest

from experiments.data.dataset import load_dataset
from experiments.settings.project import Project
from tests import normed
from tests.export.planted import FaultyProcess
from tests.export.workshop import Workshop
from tests.parity.conftest import prepared as prepared


@pytest.fixture(scope="module")
def workshop(prepared: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    with FaultyProcess("lightning") as first, FaultyProcess("keras") as second, normed.registered():
        yield Workshop(load_dataset(prepared.prepared), tmp_path_factory.mktemp("workshop"), [first, second])
