"""The model of a run."""

import numpy as np

from experiments.convert.source import check_no_trial
from experiments.data.dataset import described
from experiments.predicting.choice import Choice, Takes
from experiments.predicting.model import model_of
from experiments.reports.named import find
from experiments.settings.project import Project
from experiments.system.errors import TandemError


def of_run(project: Project, name: str, asked_by: str) -> Choice:
    """Return the model of a run, as `tandem compare` names runs.

    It isn't loaded yet, unless nothing else says what it takes: the data of the run is no longer in prepared/.

    Raises:
        TandemError: there is no such run, or it is a trial, or no training; the message names `asked_by`.
    """
    run = find(project, name, asked_by)
    check_no_trial(run)
    if "backend" not in run.settings:
        raise TandemError(
            f"{asked_by}: expected the run of a training; got {run.where}, which has no model; name another"
        )
    kind, dataset = f"trained in {run.settings['backend']}", described(project.prepared)
    if dataset is None or dataset.fingerprint != run.settings.get("dataset_fingerprint"):
        model = model_of(project, run)
        return Choice(run.where, kind, Takes(model.image_shape, model.dtype), None, model.predict)
    mean = tuple(np.atleast_1d(dataset.statistics["train"].mean).tolist())
    takes = Takes(dataset.image_shape, np.dtype(dataset.pixel_type), mean)
    return Choice(run.where, kind, takes, dataset.class_names, lambda images: model_of(project, run).predict(images))
