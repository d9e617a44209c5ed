"""Models in MLflow's own format: written without a store, by the process that trained, and logged by another.

MLflow's `log_model` does both at once, and loads the framework to check what it has written.
"""

import importlib
from importlib.metadata import version
from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities import LoggedModel, LoggedModelOutput, LoggedModelStatus
from mlflow.models import Model as Description
from mlflow.models import infer_signature
from mlflow.models.model import MLMODEL_FILE_NAME

from experiments.contract.backend import Model
from experiments.data.dataset import Images
from experiments.system.quiet import quiet_native_stderr

NAME = "model"
# `mlflow.keras` fails when it is given an input example (mlflow issue 16183); `mlflow.tensorflow` writes .keras too.
_FLAVOURS = {"lightning": ("pytorch", ("torch", "numpy")), "keras": ("tensorflow", ("tensorflow", "keras", "numpy"))}


def save_model(folder: Path, backend: str, model: Model, images: Images) -> None:
    """Write a model in its framework's own flavour into a new folder, with a signature from at least 2 images.

    Its requirements are the installed versions of the framework, written out: MLflow would take long to guess.
    """
    flavour, packages = _FLAVOURS[backend]
    module = importlib.import_module(f"mlflow.{flavour}")
    # A local build's suffix (2.13.0+cpu) can't be installed elsewhere.
    requirements = [f"{name}=={version(name).split('+')[0]}" for name in packages]
    example = model.native_input(images)
    with quiet_native_stderr():
        module.save_model(
            model.native(),
            str(folder),
            signature=infer_signature(example, model.predict(images)),
            input_example=example,
            pip_requirements=requirements,
        )


def log_saved_model(run_id: str, folder: Path) -> None:
    """Make a folder that `save_model` wrote the model of a run, unless the run has its model already."""
    client, model = MlflowClient(), _model_of(run_id)
    if model.status == LoggedModelStatus.READY:
        return
    description = Description.load(str(folder))
    description.model_id = description.model_uuid = model.model_id
    description.run_id, description.artifact_path = run_id, model.artifact_location
    description.save(str(folder / MLMODEL_FILE_NAME))
    client.log_model_artifacts(model.model_id, str(folder))
    client.finalize_logged_model(model.model_id, LoggedModelStatus.READY)


def _model_of(run_id: str) -> LoggedModel:
    """Return the entry of a run's model, a new one if there is none: a kill may have left one without files."""
    client = MlflowClient()
    run = client.get_run(run_id)
    found = client.search_logged_models([run.info.experiment_id], f"source_run_id = '{run_id}'")
    model = (
        found[0] if found else client.create_logged_model(run.info.experiment_id, NAME, run_id, params=run.data.params)
    )
    if model.model_id not in [output.model_id for output in run.outputs.model_outputs]:
        client.log_outputs(run_id, [LoggedModelOutput(model.model_id, step=0)])
    return model
