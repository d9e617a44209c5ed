"""The runs page of MLflow's web interface, with the columns that a comparer looks for.

MLflow keeps a view that is shared by its address in a tag of the experiment. The tag's format is MLflow's own, and may
change with a version; the page then opens with MLflow's usual columns. A test in a browser says whether it still holds.
"""

import base64
import json
import time
import zlib

from mlflow import MlflowClient

from experiments.tracking.runs import REPORT, SUPERSEDED

KEY = "tandem"
TAG = f"mlflow.sharedViewState.{KEY}"
# With their widths in pixels. The state of a run is a sign beside the time of its creation.
COLUMNS = {
    "tags.`recipe`": 90,
    "tags.`backend`": 90,
    "tags.`seed`": 60,
    "metrics.`test/accuracy`": 120,
    "metrics.`test/loss`": 110,
    "metrics.`median_epoch_seconds`": 170,
    "metrics.`best`": 100,  # of a sweep
    "metrics.`objective`": 100,  # of a trial
}
# What the page keeps of a view, as MLflow 3.17 writes it.
STATE = {
    "searchFilter": f"tags.{SUPERSEDED} IS NULL AND tags.{REPORT} IS NULL",
    "orderByKey": "attributes.start_time",
    "orderByAsc": False,
    "startTime": "ALL",
    "lifecycleFilter": "Active",
    "datasetsFilter": [],
    "modelVersionFilter": "All Runs",
    "selectedColumns": list(COLUMNS),
    "columnOrder": ["attributes.`Run Name`", "runDateAndNestInfo", *COLUMNS],
    "columnWidths": COLUMNS,
    "runsExpanded": {},
    "runsPinned": [],
    "runsHidden": [],
    "runsVisibilityMap": {},
    "runsHiddenMode": "FIRST_10_RUNS",
    "viewMaximized": False,
    "runListHidden": False,
    "isAccordionReordered": False,
    "useGroupedValuesInCharts": True,
    "hideEmptyCharts": True,
    "groupBy": None,
    "groupsExpanded": {},
    "autoRefreshEnabled": True,
    "globalLineChartConfig": {"xAxisKey": "step", "lineSmoothness": 0, "selectedXAxisMetricKey": ""},
}


def share_view(experiment: str) -> None:
    """Give an experiment the view, in place of an older one."""
    state = "deflate;" + base64.b64encode(zlib.compress(json.dumps(STATE).encode())).decode()
    client = MlflowClient()
    known = json.loads(client.get_experiment(experiment).tags.get(TAG, "{}"))
    if known.get("state") != state:
        now = int(time.time() * 1000)
        value = {"name": "Tandem", "createdAt": now, "updatedAt": now, "state": state}
        client.set_experiment_tag(experiment, TAG, json.dumps(value))


def runs_address(server: str, experiment: str) -> str:
    """Return the address of the runs page, in the mode for trainings."""
    return f"{server}/#/experiments/{experiment}/runs?workflowType=machine_learning&viewStateShareKey={KEY}"
