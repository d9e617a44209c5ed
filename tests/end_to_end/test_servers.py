"""MLflow's server: the one that `tandem ui` starts, and one of somebody else's that runs are sent to."""

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

import psutil
import pytest
import requests
from mlflow.entities import Run

from experiments.settings.project import Project
from experiments.tracking.ui import server_command, server_environment
from tests.browser import Browser, has_picture, has_text, wait_for
from tests.end_to_end.conftest import Clone
from tests.end_to_end.sweeps import sweep_simulated
from tests.server import free_port, served


@pytest.fixture(scope="module")
def prepared(clone: Clone) -> Clone:
    clone.run("dvc", "repro", "preprocess", "sources")
    return clone


@pytest.fixture(scope="module")
def trained(prepared: Clone) -> Clone:
    prepared.run("tandem", "train", "lenet", "lightning", "1")
    return prepared


def test_ui_serves_the_project_s_runs_on_loopback_with_few_processes(trained: Clone) -> None:
    port = free_port()
    process = trained.start("tandem", "ui", "--port", str(port))
    with served(process, port) as url:
        runs = requests.post(
            f"{url}/api/2.0/mlflow/runs/search", json={"experiment_ids": ["1"], "max_results": 10}, timeout=30
        ).json()["runs"]
        assert [run["info"]["status"] for run in runs] == ["FINISHED"]
        run_id = runs[0]["info"]["run_id"]
        picture = requests.get(
            f"{url}/get-artifact", params={"path": "learning_curves.png", "run_uuid": run_id}, timeout=30
        )
        assert picture.content.startswith(b"\x89PNG")
        server = psutil.Process(process.pid)
        family = [server, *server.children(recursive=True)]
        assert len(family) <= 3
        # Every user of the machine can read command lines; the store's address may hold a password.
        assert not [word for p in family for word in p.cmdline() if "mlflow.db" in word]
        addresses = {c.laddr.ip for p in family for c in p.net_connections("tcp") if c.status == psutil.CONN_LISTEN}
        assert addresses == {"127.0.0.1"}


@dataclass(frozen=True)
class Opened:
    """MLflow's pages: the address that `tandem ui` prints, and the newest run of each name."""

    address: str
    runs: dict[str, Run]

    def page(self, path: str) -> str:
        """Return the address of another page."""
        return f"{self.address.split('#')[0]}#/{path}"


@pytest.fixture(scope="module")
def opened(trained: Clone) -> Iterator[Opened]:
    """A pair of runs, an older one of one of them, and a small sweep of both frameworks, in MLflow's pages."""
    for backend in ("lightning", "keras"):
        trained.run("tandem", "train", "lenet", backend, "1")
    trained.run("tandem", "compare")
    sweep_simulated(trained)
    port = free_port()
    process = trained.start("tandem", "ui", "--port", str(port))
    with served(process, port):
        assert process.stdout is not None
        address = process.stdout.readline().split()[-1]
        yield Opened(address, {run.info.run_name: run for run in reversed(trained.mlflow_runs(query=""))})


# MLflow draws the columns that are on the screen.
wide = pytest.mark.parametrize("browser", ["wide"], indirect=True)


@wide
def test_ui_opens_on_the_runs_with_their_test_accuracy(opened: Opened, browser: Browser) -> None:
    browser.get(opened.address)
    keras = opened.runs["lenet-keras-1"]
    for text in ("lenet-keras-1", "test/accuracy", f"{keras.data.metrics['test/accuracy']:.4f}"[:5], "sweep s"):
        wait_for(browser, has_text(text))
    # Neither the run that was superseded, nor the one that keeps the page.
    assert browser.execute_script("return document.body.innerText.split('lenet-lightning-1').length") == 2
    assert wait_for(browser, "[...document.querySelectorAll('a')].map(each => each.innerText)").count("report") == 0
    assert keras.data.tags["mlflow.runColor"] == "#D55E00"


@wide
def test_a_sweep_s_trials_are_below_it_and_it_shows_the_best(opened: Opened, browser: Browser) -> None:
    browser.get("about:blank")
    browser.get(opened.address)
    wait_for(browser, has_text("sweep s"))
    assert not browser.execute_script(f"return {has_text('t00-keras')}")
    browser.find_element("css selector", "[data-component-id*=runnamecellrenderer]").click()
    for name in ("t00-lightning", "t00-keras", "t01-lightning", "t01-keras"):
        wait_for(browser, has_text(name))
    sweep = opened.runs["sweep s"]
    browser.get(opened.page(f"experiments/1/runs/{sweep.info.run_id}"))
    wait_for(browser, has_text(f"Best: trial {sweep.data.tags['best_trial']}"))
    wait_for(browser, has_text(str(sweep.data.metrics["best"])[:6]))


@wide
def test_the_compare_page_of_a_pair_opens_on_test_accuracy(opened: Opened, browser: Browser) -> None:
    ids = [opened.runs[name].info.run_id for name in ("lenet-lightning-1", "lenet-keras-1")]
    browser.get(opened.page(f"compare-runs?runs={json.dumps(ids)}&experiments={json.dumps(['1'])}"))
    for name in ("lenet-lightning-1", "lenet-keras-1"):
        wait_for(browser, has_text(name))
    axes = "[...document.querySelectorAll('svg .axis-title')].map(each => each.textContent)"
    assert wait_for(browser, f"({axes}).length && {axes}")[-1] == "test/accuracy"


@wide
def test_a_run_shows_its_curves_and_the_images_it_answers_wrongly(opened: Opened, browser: Browser) -> None:
    run_id = opened.runs["lenet-keras-1"].info.run_id
    browser.get(opened.page(f"experiments/1/runs/{run_id}"))
    assert wait_for(browser, has_text(f"tandem reproduce {run_id}"))
    assert wait_for(browser, has_picture("learning_curves.png"))
    browser.get(opened.page(f"experiments/1/runs/{run_id}/artifacts/wrong_answers.json"))
    assert wait_for(browser, has_text("probability"))
    assert wait_for(browser, has_picture("table_images"))


@wide
def test_the_page_of_all_runs_is_in_mlflow(opened: Opened, browser: Browser) -> None:
    browser.get(opened.page(f"experiments/1/runs/{opened.runs['report'].info.run_id}/artifacts/index.html"))
    frame = wait_for(browser, "document.querySelector('iframe')")
    browser.switch_to.frame(frame)
    try:
        assert wait_for(browser, has_text("Verdict"))
    finally:
        browser.switch_to.default_content()


def test_a_training_is_tracked_on_the_server_that_the_environment_names(
    prepared: Clone, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("server")
    port = free_port()
    process = subprocess.Popen(
        server_command(Project(folder, folder), port),
        env=server_environment(f"sqlite:///{folder}/mlflow.db", os.environ),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    before = len(prepared.mlflow_runs())
    with served(process, port) as url:
        environment = {**prepared.environment(), "MLFLOW_TRACKING_URI": url}
        done = subprocess.run(
            ["tandem", "train", "lenet", "keras", "1"],
            cwd=prepared.root,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        (run,) = prepared.mlflow_runs(uri=url)
        assert run.info.status == "FINISHED"
        assert run.data.metrics["test/accuracy"] > 0.5
    assert len(prepared.mlflow_runs()) == before
