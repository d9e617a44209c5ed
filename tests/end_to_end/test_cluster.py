"""Sweeps on the GPU nodes of a real Slurm, two nodes with two GPUs each, by the commands that a user types."""

import time
from pathlib import Path

import pytest

from tests.cluster import Cluster
from tests.end_to_end.conftest import Clone
from tests.end_to_end.sweeps import (
    check_every_trial_is_there_once,
    command,
    inside,
    live,
    status,
    trial_runs,
    values,
)


@pytest.mark.parametrize(
    ("backend", "trials"), [("lightning", 8), pytest.param("keras", 12, marks=pytest.mark.faults), ("both", 6)]
)
def test_trials_go_round_over_four_gpus(on_cluster: Clone, slurm: Cluster, backend: str, trials: int) -> None:
    words = command(backend, "--trials", str(trials))
    on_cluster.run(*words, "--on", "slurm", "--workers", "4", "--name", f"four-{backend}")
    members = ("lightning", "keras") if backend == "both" else (backend,)
    runs = check_every_trial_is_there_once(on_cluster, f"four-{backend}", trials, *members)
    places = {(run.data.tags["worker"], run.data.tags["node"], run.data.tags["gpus"]) for run in runs.values()}
    assert {place[1:] for place in places} <= {("n1", "0"), ("n1", "1"), ("n2", "0"), ("n2", "1")}
    # A worker has one GPU, and no other worker has it.
    assert len(places) == len({worker for worker, _, _ in places}) == len({place[1:] for place in places}) >= 3
    assert not slurm.jobs()
    if backend == "lightning":  # the same trials as on this machine
        on_cluster.run(*words, "--workers", "1", "--name", "here")
        here = check_every_trial_is_there_once(on_cluster, "here", trials, backend)
        for name in ("lr", "momentum", "initial_weights"):
            there = {key: run.data.params[name] for key, run in runs.items()}
            assert {key: run.data.params[name] for key, run in here.items()} == there
        assert values(here) == values(runs)


def test_a_detached_controller_outlives_the_terminal_and_is_stopped(on_cluster: Clone, slurm: Cluster) -> None:
    on_cluster.change_params(lambda content: content["sweep"].update(epochs=20))
    words = command("lightning", "--trials", "2", "--on", "slurm", "--workers", "1", "--name", "alone")
    said = on_cluster.run(*words, "--detach")
    assert "The controller is job" in said
    deadline = time.monotonic() + 120
    while not live(on_cluster, "alone") and time.monotonic() < deadline:
        time.sleep(0.2)
    assert live(on_cluster, "alone"), on_cluster.run("tandem", "sweep", "logs", "alone")
    assert "controller-" in on_cluster.run("tandem", "sweep", "logs", "alone")
    assert "alone: stopped" in on_cluster.run("tandem", "sweep", "stop", "alone")
    deadline = time.monotonic() + 30
    while slurm.jobs() and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not slurm.jobs()
    known = status(on_cluster, "alone")
    assert (known["running"], known["controller"]) == (0, False)
    on_cluster.run(*words)
    check_every_trial_is_there_once(on_cluster, "alone", 2, "lightning")


def test_the_preflight_is_green(on_cluster: Clone) -> None:
    on_cluster.change_params(lambda content: content["train"].update(device="cpu"))
    rows = on_cluster.json("tandem", "sweep", "check", "--on", "slurm", "--workers", "2")
    assert [row for row in rows if row["state"] != "ok"] == []
    assert len(rows) >= 15


def test_the_preflight_names_what_is_missing(on_cluster: Clone, slurm: Cluster, tmp_path: Path) -> None:
    prepared, versions = on_cluster.root / "prepared", tmp_path / "torch-9.9.9.dist-info"
    versions.mkdir()
    (versions / "METADATA").write_text("Metadata-Version: 2.1\nName: torch\nVersion: 9.9.9\n")
    empty = inside("unshare", "--mount", "bash", "-c", f'"mount -t tmpfs none {prepared}; . $0"')
    faults: list[tuple[dict[str, str], list[str]]] = [
        (
            {"lightning: data": "no prepared dataset", "lightning: code, versions": "torch 9.9.9"},
            [empty, f"export PYTHONPATH={tmp_path}:$PYTHONPATH"],
        ),
        ({"workers start": "expected jobs whose workers connect"}, [inside("unshare", "--net", "bash", '"$0"')]),
    ]
    for expected, setup in faults:
        on_cluster.change_params(lambda content, setup=setup: content["engines"]["slurm"].update(setup=setup))  # type: ignore[misc]
        output = on_cluster.run(
            "tandem", "sweep", "check", "--on", "slurm", "--backend", "lightning", "--patience", "90", code=1
        )
        rows = [[cell.strip() for cell in line.split("│")] for line in output.splitlines() if line.count("│") > 3]
        bad, found = [row[2] for row in rows if row[1] == "problem"], " ".join(row[3] for row in rows)
        assert set(expected) <= set(bad), output
        assert all(each in found for each in expected.values()), output
    assert trial_runs(on_cluster, "check-slurm") == {}
    assert not slurm.jobs()
