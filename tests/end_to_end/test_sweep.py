"""A sweep as a user runs it, killed by every means, on the stand-in."""

import contextlib
import json
import os
import random
import signal
import time
from collections import Counter
from typing import Any

import mlflow
import psutil
import pytest
from mlflow import MlflowClient
from mlflow.entities import Run

from tests.end_to_end.conftest import Clone, make_clone, nobody

TRIALS = 8
MNIST = os.environ.get("TANDEM_MIRROR")


@pytest.fixture(scope="module")
def prepared(clone: Clone) -> Clone:
    clone.change_params(lambda content: content["sweep"].update(epochs=40, retries=5))
    clone.run("dvc", "repro", "preprocess")
    return clone


def command(backend: str, *more: str) -> tuple[str, ...]:
    return ("tandem", "sweep", "run", "--recipe", "lenet", "--backend", backend, "--workers", "2", *more)


def status(clone: Clone, name: str) -> dict[str, Any]:
    (found,) = json.loads(clone.run("tandem", "sweep", "status", name, "--json"))
    return dict(found)


def workers(launcher: int) -> list[psutil.Process]:
    found = []
    for child in psutil.Process(launcher).children():
        with contextlib.suppress(psutil.NoSuchProcess):  # or a zombie, which is one for psutil
            if "worker" in child.cmdline():
                found.append(child)
    return found


def runs_of(clone: Clone, name: str) -> list[Run]:
    if not (clone.root / "mlruns" / "mlflow.db").is_file():
        return []
    return [run for run in clone.mlflow_runs() if run.data.tags.get("sweep") == name]


def start_and_wait_for_trials(clone: Clone, *words: str) -> Any:
    """Start a sweep, and return when its workers have begun a trial's run in MLflow."""
    started = clone.start(*words)
    name = words[words.index("--name") + 1] if "--name" in words else f"lenet-{words[words.index('--backend') + 1]}"
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and started.poll() is None:
        if len(workers(started.pid)) == 2 and any(
            run.info.status == "RUNNING" and "trial" in run.data.tags for run in runs_of(clone, name)
        ):
            return started
        time.sleep(0.2)
    started.kill()
    raise AssertionError(started.communicate()[0])


def kill_a_worker(launcher: Any) -> None:
    """Another takes its place, and its trial. Nothing is left to kill where the last trial has just ended."""
    for worker in workers(launcher.pid)[:1]:
        worker.kill()


def kill_the_launcher(launcher: Any) -> None:
    """Its workers stop by themselves."""
    left = workers(launcher.pid)
    launcher.kill()
    launcher.communicate()
    psutil.wait_procs(left, timeout=30)


def kill_both(launcher: Any) -> None:
    os.killpg(launcher.pid, signal.SIGKILL)
    launcher.communicate()


def check_every_trial_is_there_once(clone: Clone, name: str, trials: int, backends: tuple[str, ...]) -> None:
    found = status(clone, name)
    assert (found["finished"], found["failed"], found["running"], found["waiting"]) == (trials, 0, 0, 0)
    runs = runs_of(clone, name)
    parents = [run for run in runs if "trial" not in run.data.tags]
    assert len(parents) == 1
    children = [run for run in runs if "trial" in run.data.tags]
    assert sorted((int(run.data.tags["trial"]), run.data.tags["backend"]) for run in children) == [
        (number, backend) for number in range(trials) for backend in backends
    ]
    assert {run.data.tags["mlflow.parentRunId"] for run in children} == {parents[0].info.run_id}
    assert {run.info.status for run in runs} == {"FINISHED"}
    for run in children:
        assert "test/accuracy" not in run.data.metrics
        # What MLflow's parallel coordinates draw.
        assert {"lr", "momentum"} <= run.data.params.keys()
        assert "objective" in run.data.metrics
        for metric in ("val/loss", "train/step_loss", "objective"):
            history = MlflowClient().get_metric_history(run.info.run_id, metric)
            assert max(Counter(point.step for point in history).values()) == 1
    assert "agree" in clone.run("tandem", "sweep", "reconcile", name)
    assert not list((clone.root / ".tandem" / "checkpoints").glob(f"sweep-{name}/*"))


@pytest.mark.parametrize("backend", ["lightning", "keras"])
def test_a_sweep_that_is_killed_again_and_again_ends_with_every_trial_once(prepared: Clone, backend: str) -> None:
    words = command(backend, "--trials", str(TRIALS))
    launcher = start_and_wait_for_trials(prepared, *words)
    kill_a_worker(launcher)
    time.sleep(1)
    kill_the_launcher(launcher)
    kill_both(start_and_wait_for_trials(prepared, *words))
    assert f"{TRIALS}/{TRIALS} trials" in prepared.run(*words)
    check_every_trial_is_there_once(prepared, f"lenet-{backend}", TRIALS, (backend,))


@pytest.fixture(scope="module")
def mnist(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A clone with MNIST prepared, whose trials last one epoch."""
    if MNIST is None:
        pytest.skip("TANDEM_MIRROR is not set: no MNIST without asking the network")
    clone = make_clone(tmp_path_factory.mktemp("mnist"))
    clone.change_params(lambda content: content["data"].update(mirrors=[nobody()], offline_fallback=None))
    clone.change_params(lambda content: content["sweep"].update(epochs=1, retries=5))
    clone.extra["TANDEM_MIRROR"] = MNIST
    clone.run("dvc", "repro", "preprocess")
    return clone


@pytest.mark.parametrize("backend", ["lightning", "keras"])
def test_twelve_trials_on_mnist_killed_at_random_moments(mnist: Clone, backend: str) -> None:
    words = command(backend, "--trials", "12")
    moments = random.Random()  # noqa: S311 - another moment every time
    kills = [kill_a_worker, kill_the_launcher, kill_both]
    moments.shuffle(kills)
    launcher = None
    for kill in kills:
        launcher = launcher or start_and_wait_for_trials(mnist, *words)
        wait = moments.uniform(0, 10)
        print(f"{kill.__name__} after {wait:.3f} s")  # shown if the test fails
        time.sleep(wait)
        kill(launcher)
        launcher = launcher if kill is kill_a_worker else None
        if launcher:
            time.sleep(moments.uniform(0, 3))
    if launcher:
        output, _ = launcher.communicate()
        assert launcher.returncode == 0, output
    assert "12/12 trials" in mnist.run(*words)
    check_every_trial_is_there_once(mnist, f"lenet-{backend}", 12, (backend,))


def test_a_finished_sweep_does_nothing_and_more_trials_are_added(prepared: Clone) -> None:
    before = len(prepared.mlflow_runs())
    prepared.run(*command("lightning", "--trials", str(TRIALS)))
    assert len(prepared.mlflow_runs()) == before
    prepared.run(*command("lightning", "--trials", str(TRIALS + 1)))
    assert len(prepared.mlflow_runs()) == before + 1
    assert status(prepared, "lenet-lightning")["finished"] == TRIALS + 1


def test_ctrl_c_puts_the_trials_back(prepared: Clone) -> None:
    launcher = prepared.start(*command("lightning", "--trials", "3", "--name", "stopped"))
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        (prepared.root / "mlruns").mkdir(exist_ok=True)
        runs = [run for run in prepared.mlflow_runs() if run.data.tags.get("sweep") == "stopped"]
        if any("trial" in run.data.tags for run in runs):
            break
        time.sleep(0.2)
    os.killpg(launcher.pid, signal.SIGINT)
    output, _ = launcher.communicate()
    assert launcher.returncode == 130, output
    assert "Traceback" not in output
    (found,) = json.loads(prepared.run("tandem", "sweep", "status", "stopped", "--json"))
    assert found["running"] == 0
    assert found["finished"] + found["waiting"] == 3
    mlflow.set_tracking_uri(f"sqlite:///{prepared.root}/mlruns/mlflow.db")
    assert not [run for run in prepared.mlflow_runs() if run.info.status == "RUNNING"]
    # With another number of workers, each has other threads; the trials go on all the same.
    prepared.run(*command("lightning", "--trials", "3", "--name", "stopped", "--workers", "1"))
    check_every_trial_is_there_once(prepared, "stopped", 3, ("lightning",))


def test_trials_that_diverge_are_noted_and_replaced(prepared: Clone) -> None:
    wild = {"lenet": {"lr": {"low": 0.001, "high": 100_000.0, "log": True}}}
    prepared.change_params(lambda content: content["sweep"].update(recipe_spaces=wild))
    try:
        prepared.run(*command("lightning", "--name", "wild", "--trials", "4"))
    finally:
        prepared.change_params(lambda content: content["sweep"].update(recipe_spaces={}))
    found = status(prepared, "wild")
    assert (found["finished"], found["running"], found["waiting"]) == (4, 0, 0)
    assert found["failed"] >= 1
    assert found["last_failure"].startswith("lightning: NotFinite: train/loss is")
    failed = [run for run in runs_of(prepared, "wild") if run.info.status == "FAILED"]
    assert len(failed) == found["failed"]
    assert all(run.data.tags["trial_state"].startswith("failed: train/loss is") for run in failed)
    assert "agree" in prepared.run("tandem", "sweep", "reconcile", "wild")


@pytest.mark.parametrize(
    ("more", "line"),
    [
        (("--trials", "0"), "tandem: --trials: expected 1 or more; got 0"),
        (("--workers", "0"), "tandem: --workers: expected 1 or more; got 0"),
        (("--recipe", "nothing"), "tandem: params.yaml: --recipe: expected one of the recipes"),
        (("--backend", "jax"), "tandem: --backend: expected one of lightning, keras, both; got 'jax'"),
        (("--backend", "both", "--workers", "3"), "tandem: --workers: expected an even number"),
        (("--name", "../up"), "tandem: --name: expected lower-case letters"),
    ],
)
def test_a_user_s_mistake_is_one_line(prepared: Clone, more: tuple[str, ...], line: str) -> None:
    *_, said = prepared.run(*command("lightning", *more), code=2).splitlines()
    assert said.startswith(line)


def test_a_storage_that_can_t_be_reached_is_one_line(prepared: Clone) -> None:
    before = len(prepared.mlflow_runs())
    prepared.extra["TANDEM_SWEEP_STORAGE"] = "postgresql://nobody@127.0.0.1:9/none"
    try:
        *_, said = prepared.run(*command("lightning", "--name", "elsewhere"), code=2).splitlines()
    finally:
        del prepared.extra["TANDEM_SWEEP_STORAGE"]
    assert said.startswith("tandem: TANDEM_SWEEP_STORAGE: expected a database that can be reached; got 'postgresql")
    assert len(prepared.mlflow_runs()) == before


def test_bounds_the_wrong_way_round_are_one_line(prepared: Clone) -> None:
    prepared.change_params(
        lambda content: content["sweep"].update(recipe_spaces={"lenet": {"lr": {"low": 1.0, "high": 0.1}}})
    )
    try:
        *_, said = prepared.run(*command("lightning"), code=2).splitlines()
    finally:
        prepared.change_params(lambda content: content["sweep"].update(recipe_spaces={}))
    assert said.startswith("tandem: params.yaml: sweep.recipe_spaces.lenet.lr: expected low below high; got")


def test_a_study_begun_with_other_settings_is_one_line(prepared: Clone) -> None:
    prepared.change_params(lambda content: content["sweep"]["default_space"]["lr"].update(high=0.2))
    *_, said = prepared.run(*command("lightning"), code=2).splitlines()
    assert said.startswith(
        "tandem: --name: expected a new name, since study 'lenet-lightning' was begun with space.lr ="
    )
    assert status(prepared, "lenet-lightning")["finished"] == TRIALS + 1
