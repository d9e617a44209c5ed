"""What the report of a sweep is made from: its runs in MLflow, their commits, and the plan that they share."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict

from experiments.reports.made_from import MadeFrom
from experiments.sweep.plan import Plan
from experiments.sweep.runs import SWEEP
from experiments.tracking import runs


def made_from(experiment: str, plan: Plan, command: str) -> MadeFrom:
    """Return the runs of a study, the oldest first: its own, and those of its trials."""
    found: Sequence[runs.Run] = runs.search(experiment, f"tags.`{SWEEP}` = '{plan.name}'")[::-1]
    commits = [run.data.tags["git_commit"] for run in found if "git_commit" in run.data.tags]
    digest = hashlib.sha256(json.dumps(asdict(plan), sort_keys=True).encode()).hexdigest()[:8]
    return MadeFrom(
        command,
        [(str(run.info.run_name), run.info.run_id) for run in found],
        list(dict.fromkeys(commits)),
        [digest],
    )
