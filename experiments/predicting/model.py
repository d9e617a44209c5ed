"""The model of a run, loaded from what its training has saved."""

from experiments.contract.model import SavedModel
from experiments.convert.source import check_no_trial, recipe_of, refusal, saved_model
from experiments.frameworks import backend_name, load_saved
from experiments.reports.measured import Measured
from experiments.settings.project import Project
from experiments.system.errors import TandemError
from experiments.system.urls import one_line
from experiments.tracking import store


def model_of(project: Project, run: Measured) -> SavedModel:
    """Return the model of a run, in its framework, for predictions.

    Raises:
        TandemError: the run is a trial, or keeps none, or it can't be loaded: it is damaged, of an older version, or
            made of classes whose source isn't there.
    """
    check_no_trial(run)
    backend = backend_name(run.settings["backend"])
    with store.opened_briefly():
        if run.folder is None:
            store.open_experiment(project)
        with saved_model(run) as folder:
            try:
                return load_saved(backend, folder, recipe_of(run).architecture)
            except TandemError:
                raise
            except Exception as error:  # the framework's own, of many kinds
                got = f"{type(error).__name__}: {one_line(error, 200).rstrip('.')}"
                raise refusal(run, f"a saved model that {backend} can load; got {got}", "train it again") from None
