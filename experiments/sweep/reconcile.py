"""Trials, MLflow runs and what trainings left on disk, compared with each other (`tandem sweep reconcile`).

A sweep repairs what kills leave when it is resumed; this is for a sweep that nobody resumes, and for what
happens outside of it: runs that were deleted, a database that was restored, a power cut in the wrong millisecond.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import optuna

from experiments.settings.project import Project
from experiments.sweep.disagreements import Disagreement, Records
from experiments.sweep.lease import Lease, holder
from experiments.sweep.open_study import OpenStudy
from experiments.sweep.storage import connect
from experiments.sweep.study import load_studies
from experiments.tracking import store


def reconcile(project: Project, name: str | None, *, apply: bool) -> list[Disagreement]:
    """Return what disagrees in a study, or in all of them, after repairing it if asked to.

    Raises:
        TandemError: the study doesn't exist, or a store can't be reached.
    """
    storage = connect(project)
    experiment = store.open_experiment(project)
    disagreements: list[Disagreement] = []
    for study, plan in load_studies(storage, name):
        with _only_writer(storage, plan.name, apply=apply) as is_held:
            records = Records(OpenStudy(study, storage, plan, project.sweep(plan.name)), experiment, is_held=is_held)
            of_study = list(records.disagreements())
            for disagreement in of_study if apply else []:
                if disagreement.repair is not None:
                    disagreement.repair()
        disagreements += of_study
    return disagreements


@contextmanager
def _only_writer(storage: optuna.storages.RDBStorage, name: str, *, apply: bool) -> Iterator[bool]:
    """Hold the lease of a study while it is repaired; yield whether a controller may be at work on it."""
    if not apply:
        process = holder(storage.engine, name)
        yield process is not None and process.liveness() != "gone"
        return
    lease = Lease(storage.engine, name)
    lease.acquire()
    try:
        yield False
    finally:
        lease.release()
