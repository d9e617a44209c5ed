"""The commands that prove something, as a user types them, on the stand-in."""

import os
import signal
import time

import pytest

from experiments.system.files import read_json
from tests.end_to_end.conftest import Clone


@pytest.fixture(scope="module")
def prepared(clone: Clone) -> Clone:
    clone.run("dvc", "repro", "preprocess")
    return clone


@pytest.mark.parametrize(
    ("command", "line"),
    [
        (("parity", "lenett"), "tandem: ARCHITECTURE: expected one of mlp, conv5x5,"),
        (("parity", "--backends", "keras"), "tandem: --backends: expected two different ones, as in lightning,keras"),
        (("shapes", "lenett"), "tandem: ARCHITECTURE: expected one of mlp, conv5x5,"),
        (("published", "lenett"), "tandem: params.yaml: RECIPE: expected one of the recipes basic_cnn, cnn2,"),
    ],
)
def test_a_user_s_mistake_is_one_line(prepared: Clone, command: tuple[str, ...], line: str) -> None:
    (said,) = prepared.run("tandem", *command, code=2).splitlines()
    assert said.startswith(line)


def test_published_goes_on_where_it_was_killed(prepared: Clone) -> None:
    command = ("tandem", "published", "lenet", "--seeds", "2")
    killed = prepared.start(*command)
    done = prepared.root / "reports" / "published" / "lenet" / "lightning" / "1" / "metrics.json"
    second = prepared.root / ".tandem" / "trainings" / "lenet-lightning-2"
    deadline = time.monotonic() + 120
    while not list(second.glob("*/*/state.json")) and time.monotonic() < deadline:
        time.sleep(0.05)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.communicate()
    first = done.read_bytes()
    output = prepared.run(*command)
    assert "1 of 4 trainings are done already" in output
    assert "training 3/3: lenet, lightning, seed 2" in output
    assert done.read_bytes() == first
    runs = prepared.mlflow_runs()
    assert sorted(run.info.status for run in runs if run.info.status != "KILLED") == ["FINISHED"] * 4
    report = read_json(prepared.root / "reports" / "published.json")
    (recipe,) = report["recipes"]
    assert len(recipe["rows"]) == 6  # the clone trains for 3 epochs: accuracy and loss of each
    assert len(recipe["paired"]) == 2
    assert prepared.json(*command) == report
    assert len(prepared.mlflow_runs()) == len(runs)
