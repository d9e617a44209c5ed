"""A sweep whose MLflow server goes away: it waits, ends in one line if the server stays away, and nothing is lost."""

import signal
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.end_to_end.conftest import Clone
from tests.end_to_end.sweeps import check_every_trial_is_there_once, command, start, values
from tests.server import Server

AWAY_SECONDS = 3
TANDEM = ("tandem",)
# The same with two repeats, which take seconds, instead of minutes.
IMPATIENT = (
    "from experiments.tracking import patience; patience.TIMES = 2; from experiments.cli.main import main; main()"
)


@pytest.fixture(scope="module")
def server(clone: Clone, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that the commands in the clone track at."""

    def change(content: dict[str, Any]) -> None:
        content["sweep"].update(epochs=6, sampler="random", pruner="none")
        content["train"].update(threads=1)  # in each worker, however many there are

    clone.change_params(change)
    clone.run("dvc", "repro", "preprocess")
    made = Server(tmp_path_factory.mktemp("server"))
    clone.extra["MLFLOW_TRACKING_URI"] = made.url
    yield made
    made.signal(signal.SIGKILL)


def words(trials: int, workers: int = 2) -> tuple[str, ...]:
    return command("lightning", "--workers", str(workers), "--trials", str(trials))


@pytest.mark.parametrize(
    "program",
    [(sys.executable, "-c", IMPATIENT), pytest.param(TANDEM, marks=pytest.mark.faults)],
    ids=["short", "long"],
)
def test_a_sweep_without_its_server(clone: Clone, server: Server, program: tuple[str, ...]) -> None:
    name = f"away-{len(program)}"
    controller = start(clone, name, *words(2))
    server.signal(signal.SIGKILL)
    said = next(line for line in controller.stdout if "a store is away" in line)
    time.sleep(AWAY_SECONDS)
    server.start()
    said += controller.stdout.read()
    assert controller.wait() == 0, said
    assert "2/2 trials" in said

    controller = start(clone, name, *program, *words(4)[1:])
    server.signal(signal.SIGKILL)
    said, _ = controller.communicate()
    assert controller.returncode == 2, said
    assert said.splitlines()[-1].startswith("tandem: a store failed: MlflowException: ")
    assert "Traceback" not in said
    assert "expected an MLflow server that answers" in clone.run(*words(4), "--name", name, code=2)
    server.start()
    clone.run(*words(4, workers=1), "--name", name)
    runs = check_every_trial_is_there_once(clone, name, 4, "lightning")
    assert not list((clone.root / ".tandem" / "spool").glob("*.jsonl"))
    clone.run(*words(4, workers=1), "--name", f"quiet-{len(program)}")
    assert values(runs) == values(check_every_trial_is_there_once(clone, f"quiet-{len(program)}", 4, "lightning"))
