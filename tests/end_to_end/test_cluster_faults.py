"""Faults in the middle of sweeps on a real Slurm: the records, and every value, are those of an undisturbed sweep."""

import re
import signal
import time
from pathlib import Path

import psutil
import pytest

from tests.cluster import Cluster
from tests.end_to_end.conftest import Clone
from tests.end_to_end.sweeps import (
    check_every_trial_is_there_once,
    command,
    inside,
    live,
    start,
    trains,
    values,
    wait_for,
)

TRIALS = 6
WORDS = (*command("lightning", "--trials", str(TRIALS)), "--workers")
Values = dict[tuple[int, str], list[float]]


@pytest.fixture(scope="module")
def undisturbed(prepared_for_cluster: Clone) -> Values:
    """What every sweep here is to bring, as this machine does."""
    prepared_for_cluster.change_params(lambda content: content["sweep"].update(epochs=12))
    prepared_for_cluster.run(*WORDS, "1", "--name", "quiet")
    return values(check_every_trial_is_there_once(prepared_for_cluster, "quiet", TRIALS, "lightning"))


def test_a_cancelled_job_a_lost_node_and_a_killed_controller_lose_nothing(
    on_cluster: Clone, slurm: Cluster, undisturbed: Values
) -> None:
    words = (*WORDS, "4", "--on", "slurm")
    controller = start(on_cluster, "faults", *words, training=2)
    slurm.scancel(next(job for job, node in slurm.jobs().items() if node == "n2"))
    time.sleep(2)
    slurm.power_off("n1")
    time.sleep(2)
    controller.kill()
    controller.communicate()
    deadline = time.monotonic() + 120  # a worker that was about to connect tries it for a minute
    while "n2" in slurm.jobs("RUNNING").values() and time.monotonic() < deadline:
        time.sleep(0.2)
    assert "n2" not in slurm.jobs("RUNNING").values()  # its workers have left by themselves
    slurm.power_on("n1")
    assert f"{TRIALS}/{TRIALS} trials" in on_cluster.run(*words, "--name", "faults")
    assert values(check_every_trial_is_there_once(on_cluster, "faults", TRIALS, "lightning")) == undisturbed


def worker_process(clone: Clone, name: str) -> psutil.Process:
    """Return the process of a worker, whichever node it is on."""
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or []
        if "experiments.engine.worker" in words and name in words and any(str(clone.root) in word for word in words):
            return process
    raise AssertionError(name)


# So much of its minute a job believes to have used before its workers start. With the second, they would stay for
# longer than that, and Slurm itself ends the job.
@pytest.mark.parametrize("used", [25, pytest.param(-600, marks=pytest.mark.faults)])
def test_a_preempted_job_and_one_at_its_time_limit_are_replaced(
    on_cluster: Clone, slurm: Cluster, undisturbed: Values, tmp_path: Path, used: int
) -> None:
    name, late = f"replaced-{abs(used)}", tmp_path / "late"
    job = {"partition": "debug", "time": "00:01:00", "setup": [f"[ ! -e {late} ] || SECONDS={used}"]}
    on_cluster.change_params(lambda content: content["engines"]["slurm"].update(job))
    controller = start(on_cluster, name, *WORDS, "1", "--on", "slurm")
    late.touch()
    slurm.run("sbatch", "--partition=urgent", "--nodes=2", "--exclusive", "--output=/dev/null", "--wrap=sleep 3")
    wait_for(lambda: not trains(on_cluster, name), controller)
    wait_for(lambda: trains(on_cluster, name), controller)
    # However fast this machine is, the training isn't over before its job.
    worker_process(on_cluster, live(on_cluster, name)[0]["worker"]).send_signal(signal.SIGSTOP)
    late.unlink()
    output, _ = controller.communicate()
    assert controller.returncode == 0, output
    assert output.count("on slurm-0-0: its worker is gone") >= 2
    logs = on_cluster.root / ".tandem" / "sweeps" / name / "engine" / "logs"
    assert len(list(logs.glob("tandem-slurm-0-*.log"))) >= 3  # of a job each
    assert values(check_every_trial_is_there_once(on_cluster, name, TRIALS, "lightning")) == undisturbed


def test_a_broken_gpu_and_a_full_disk_are_done_without(
    on_cluster: Clone, slurm: Cluster, undisturbed: Values, tmp_path: Path
) -> None:
    """Of three workers, one is on a GPU of node n1 on which nothing trains, one on n2, which has no room left."""
    (tmp_path / "lightning.py").write_text("raise RuntimeError('CUDA error: uncorrectable ECC error encountered')\n")
    trials = on_cluster.root / ".tandem" / "sweeps" / "broken" / "trials"
    trials.mkdir(parents=True)
    full = inside("unshare", "--mount", "bash", "-c", f'"mount -t tmpfs -o size=200k none {trials}; . $0"')
    setup = [
        f'[ "$SLURMD_NODENAME $CUDA_VISIBLE_DEVICES" != "n1 1" ] || export PYTHONPATH={tmp_path}:$PYTHONPATH',
        f'[ "$SLURMD_NODENAME" != n2 ] || {full}',
    ]
    on_cluster.change_params(lambda content: content["engines"]["slurm"].update(setup=setup))
    output = on_cluster.run(*WORDS, "3", "--on", "slurm", "--name", "broken")
    assert "3 worker(s), 2 put aside" in output
    for reason in ("CUDA error", "No space left on device"):
        assert output.count(reason) == 2, output
    runs = check_every_trial_is_there_once(on_cluster, "broken", TRIALS, "lightning")
    assert {(run.data.tags["node"], run.data.tags["gpus"]) for run in runs.values()} == {("n1", "0")}
    assert values(runs) == undisturbed


@pytest.mark.faults
def test_a_detached_controller_whose_node_dies_is_started_again(
    on_cluster: Clone, slurm: Cluster, undisturbed: Values
) -> None:
    said = on_cluster.run(*WORDS, "2", "--on", "slurm", "--name", "requeued", "--detach")
    (controller,) = re.findall(r"The controller is job (\d+)", said)
    deadline = time.monotonic() + 300
    while not trains(on_cluster, "requeued") and time.monotonic() < deadline:
        time.sleep(0.2)
    slurm.power_off(slurm.jobs()[controller])
    while slurm.jobs() and time.monotonic() < deadline:
        time.sleep(0.2)
    assert values(check_every_trial_is_there_once(on_cluster, "requeued", TRIALS, "lightning")) == undisturbed
