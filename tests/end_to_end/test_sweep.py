"""A sweep as a user runs it, killed by every means, on the stand-in."""

import os
import signal
import time
from typing import Any

import psutil
import pytest

from tests.end_to_end.conftest import Clone
from tests.end_to_end.sweeps import (
    check_every_trial_is_there_once,
    command,
    runs_of,
    start,
    status,
    trial_runs,
    values,
    workers,
)

TRIALS = 4
SPACE: dict[str, Any] = {
    "lr": {"low": 0.0001, "high": 0.1, "log": True},
    "optimiser": ["sgd", "adam"],
    "momentum": {"low": 0.0, "high": 0.99, "when": {"optimiser": "sgd"}},
    "batch_size": {"low": 64, "high": 128, "step": 32},
}


@pytest.fixture(scope="module")
def prepared(clone: Clone) -> Clone:
    """Random points, so that an undisturbed sweep has the same trials; a trial of Adam has no momentum."""
    clone.change_params(lambda content: content["sweep"].update(epochs=8, retries=5, sampler="random", pruner="none"))
    clone.change_params(lambda content: content["sweep"].update(recipe_spaces={"lenet": SPACE}))
    clone.change_params(lambda content: content["train"].update(threads=2))
    clone.run("dvc", "repro", "preprocess")
    return clone


def kill_a_worker(controller: Any) -> None:
    """Another takes its place, and its trial."""
    workers(controller.pid)[0].kill()


def kill_the_controller(controller: Any) -> None:
    """Its workers end by themselves."""
    left = workers(controller.pid)
    controller.kill()
    controller.communicate()
    _, alive = psutil.wait_procs(left, timeout=5)
    assert not alive


def kill_both(controller: Any) -> None:
    left = workers(controller.pid)
    for process in [*left, controller]:
        process.kill()
    controller.communicate()


# Keras's trainings are killed in test_sweep_winner.py, test_published.py and test_interruptions.py too.
@pytest.mark.parametrize("backend", ["lightning", pytest.param("keras", marks=pytest.mark.faults)])
def test_a_sweep_that_is_killed_again_and_again_ends_as_if_undisturbed(prepared: Clone, backend: str) -> None:
    words, killed_name = command(backend, "--trials", str(TRIALS), "--workers", "2"), f"killed-{backend}"
    controller = start(prepared, killed_name, *words)
    kill_a_worker(controller)
    time.sleep(1)
    kill_the_controller(controller)
    kill_both(start(prepared, killed_name, *words))
    assert f"{TRIALS}/{TRIALS} trials" in prepared.run(*words, "--name", killed_name)
    killed = check_every_trial_is_there_once(prepared, killed_name, TRIALS, backend)
    prepared.run(*words, "--name", f"quiet-{backend}")
    undisturbed = check_every_trial_is_there_once(prepared, f"quiet-{backend}", TRIALS, backend)
    for name in ("lr", "optimiser", "momentum", "batch_size"):
        assert {key: run.data.params.get(name) for key, run in killed.items()} == {
            key: run.data.params.get(name) for key, run in undisturbed.items()
        }
    optimisers = {run.data.params["optimiser"]: run.data.params.get("momentum") for run in killed.values()}
    assert optimisers.keys() == {"sgd", "adam"}
    assert optimisers["adam"] is None
    assert values(killed) == values(undisturbed)


def test_a_finished_sweep_does_nothing_and_more_trials_are_added(prepared: Clone) -> None:
    prepared.change_params(lambda content: content["sweep"].update(epochs=2))
    words = command("lightning", "--workers", "1")
    prepared.run(*words, "--trials", "2")
    before = len(prepared.mlflow_runs())
    prepared.run(*words, "--trials", "2")
    assert len(prepared.mlflow_runs()) == before
    prepared.run(*words, "--trials", "3")
    assert len(prepared.mlflow_runs()) == before + 1
    check_every_trial_is_there_once(prepared, "lenet-lightning", 3, "lightning")


def test_ctrl_c_puts_the_trials_back(prepared: Clone) -> None:
    prepared.change_params(lambda content: content["sweep"].update(epochs=10))
    words = command("lightning", "--trials", "3", "--workers", "2")
    controller = start(prepared, "stopped", *words)
    left, began = workers(controller.pid), time.monotonic()
    os.killpg(controller.pid, signal.SIGINT)
    output, _ = controller.communicate()
    assert time.monotonic() - began < 15  # 5 s on a machine that does nothing else
    assert controller.returncode == 130, output
    assert "Traceback" not in output
    assert not psutil.wait_procs(left, timeout=2)[1]
    known = status(prepared, "stopped")
    assert (known["running"], known["controller"]) == (0, False)
    assert known["finished"] + known["waiting"] <= 3
    assert known["waiting"] >= 1
    assert not [run for run in prepared.mlflow_runs() if run.info.status == "RUNNING"]
    # With another number of workers, each has other threads; the trials go on all the same.
    prepared.run(*words[:-1], "1", "--name", "stopped")
    check_every_trial_is_there_once(prepared, "stopped", 3, "lightning")


def test_a_sweep_is_stopped_from_elsewhere_and_has_one_controller(prepared: Clone) -> None:
    prepared.change_params(lambda content: content["sweep"].update(epochs=20))
    words = command("lightning", "--trials", "3", "--workers", "1")
    controller = start(prepared, "elsewhere", *words)
    *_, said = prepared.run(*words, "--name", "elsewhere", code=2).splitlines()
    assert said.startswith(f"tandem: sweep elsewhere: expected no other controller; got process {controller.pid}")
    assert "elsewhere: stopped" in prepared.run("tandem", "sweep", "stop", "elsewhere")
    output, _ = controller.communicate()
    assert controller.returncode == 143, output
    assert status(prepared, "elsewhere")["running"] == 0
    *_, said = prepared.run("tandem", "sweep", "stop", "elsewhere", code=2).splitlines()
    assert "which isn't" in said
    # Its worker may have been killed before it had said anything.
    assert "engine/logs" in prepared.run("tandem", "sweep", "logs", "elsewhere")


def test_a_suspended_controller_that_lost_its_lease_writes_nothing(prepared: Clone) -> None:
    prepared.change_params(lambda content: content["sweep"].update(epochs=6))
    words = command("lightning", "--trials", "2", "--workers", "1")
    controller = start(prepared, "lease", *words)
    controller.send_signal(signal.SIGSTOP)
    prepared.run(*words, "--name", "lease", "--take-over")
    before = {member: run.info.end_time for member, run in trial_runs(prepared, "lease").items()}
    controller.send_signal(signal.SIGCONT)
    output, _ = controller.communicate(timeout=60)
    assert controller.returncode == 2, output
    assert "another one has taken it over" in output
    assert before == {member: run.info.end_time for member, run in trial_runs(prepared, "lease").items()}
    check_every_trial_is_there_once(prepared, "lease", 2, "lightning")


def test_a_full_disk_is_nobody_s_fault(prepared: Clone) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small disk")
    folder = prepared.root / ".tandem" / "sweeps" / "full" / "trials"
    folder.mkdir(parents=True)
    prepared.run("mount", "-t", "tmpfs", "-o", "size=200k", "none", str(folder))
    words = command("lightning", "--trials", "2", "--workers", "2", "--name", "full")
    try:
        output = prepared.run(*words, code=2)
    finally:
        prepared.run("umount", str(folder))
    assert "Traceback" not in output
    assert "sweep full: expected workers that train; got 2 put aside after failures" in output
    assert "No space left on device" in output
    known = status(prepared, "full")
    assert (known["finished"], known["failed"], known["running"]) == (0, 0, 0)
    prepared.run(*words)
    check_every_trial_is_there_once(prepared, "full", 2, "lightning")


def test_trials_that_diverge_are_noted_and_count(prepared: Clone) -> None:
    wild = {"lenet": {"lr": {"low": 0.001, "high": 1e12, "log": True}}}
    prepared.change_params(lambda content: content["sweep"].update(recipe_spaces=wild, epochs=3))
    try:
        prepared.run(*command("lightning", "--name", "wild", "--trials", "5"))
    finally:
        prepared.change_params(lambda content: content["sweep"].update(recipe_spaces={"lenet": SPACE}))
    known = status(prepared, "wild")
    assert (known["finished"], known["failed"], known["running"], known["waiting"]) == (5, 0, 0, 0)
    assert known["diverged"] >= 1
    assert "lightning: train/loss is" in known["last_failure"]
    failed = [run for run in runs_of(prepared, "wild") if run.info.status == "FAILED"]
    assert len(failed) == known["diverged"]
    assert all(run.data.tags["trial_state"].startswith("diverged: ") for run in failed)
    assert "agree" in prepared.run("tandem", "sweep", "reconcile", "wild")


@pytest.mark.parametrize(
    ("more", "line"),
    [
        (("--trials", "0"), "tandem: --trials: expected 1 or more; got 0"),
        (("--workers", "0"), "tandem: --workers: expected 1 or more, one for each framework; got 0"),
        (("--recipe", "nothing"), "tandem: params.yaml: --recipe: expected one of the recipes"),
        (("--backend", "jax"), "tandem: --backend: expected one of lightning, keras, both; got 'jax'"),
        (("--backend", "both", "--workers", "1"), "tandem: --workers: expected 2 or more, one for each framework"),
        (("--name", "../up"), "tandem: --name: expected lower-case letters"),
        (("--on", "moon"), "tandem: --on: expected one of inline, local, slurm"),
        (("--detach",), "tandem: --detach: expected --on slurm; got --on local"),
    ],
)
def test_a_user_s_mistake_is_one_line(prepared: Clone, more: tuple[str, ...], line: str) -> None:
    *_, said = prepared.run(*command("lightning", *more), code=2).splitlines()
    assert said.startswith(line)


def test_a_storage_that_can_t_be_reached_is_one_line(prepared: Clone) -> None:
    before = len(prepared.mlflow_runs())
    prepared.extra["TANDEM_SWEEP_STORAGE"] = "postgresql://nobody@127.0.0.1:9/none"
    try:
        *_, said = prepared.run(*command("lightning", "--name", "nowhere"), code=2).splitlines()
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
        prepared.change_params(lambda content: content["sweep"].update(recipe_spaces={"lenet": SPACE}))
    assert said.startswith("tandem: params.yaml: sweep.recipe_spaces.lenet.lr: expected low below high; got")


def test_a_study_is_continued_with_the_same_settings_and_code_alone(prepared: Clone) -> None:
    begun = "tandem: --name: expected a new name, since study 'wild' was begun with"
    *_, said = prepared.run(*command("lightning", "--name", "wild"), code=2).splitlines()
    assert said.startswith(f"{begun} space.lr =") or said.startswith(f"{begun} space =")
    file = prepared.root / "experiments" / "training" / "scoring.py"
    original = file.read_text()
    file.write_text(original.replace("float((predicted == labels).mean())", "float((predicted == labels).mean() + 0)"))
    prepared.extra["PYTHONPATH"] = str(prepared.root)
    try:
        *_, said = prepared.run(*command("lightning", "--name", "elsewhere", "--trials", "3"), code=2).splitlines()
    finally:
        file.write_text(original)
        del prepared.extra["PYTHONPATH"]
    assert "since study 'elsewhere' was begun with code.lightning =" in said or "with recipe.epochs" in said
