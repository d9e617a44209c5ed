"""Models in MLflow's own format: written without a store, by the process that trained, and logged by another.

MLflow's `log_model` does both at once, and loads the framework to check what it has written.
"""

import importlib
import re
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from mlflow import MlflowClient
from mlflow.artifacts import download_artifacts
from mlflow.entities import LoggedModel, LoggedModelOutput, LoggedModelStatus, Metric, Run
from mlflow.models import Model as Description
from mlflow.models import infer_signature
from mlflow.models.model import MLMODEL_FILE_NAME

from experiments.contract.model import Model
from experiments.data.dataset import Images
from experiments.system.quiet import quiet_native_stderr

# The folder of a model, until it is logged; in MLflow, it has the name of its run.
FOLDER = "model"
# What MLflow takes in the name of a run, and not in that of a model.
FORBIDDEN = re.compile(r"[/:.%\"']")
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
    """Make a folder that `save_model` wrote the model of a run, unless the run has its model already.

    The run's test metrics become the model's too, on the run's dataset.
    """
    client = MlflowClient()
    run = client.get_run(run_id)
    model = _model_of(run)
    if model.status == LoggedModelStatus.READY:
        return
    description = Description.load(str(folder))
    description.model_id = description.model_uuid = model.model_id
    description.run_id, description.artifact_path = run_id, model.artifact_location
    description.save(str(folder / MLMODEL_FILE_NAME))
    client.log_model_artifacts(model.model_id, str(folder))
    client.log_batch(run_id, metrics=list(_test_metrics(run, model.model_id)))
    client.finalize_logged_model(model.model_id, LoggedModelStatus.READY)


def fetch_model(run_id: str, folder: Path) -> Path | None:
    """Copy a run's model into a folder, and return where the framework's own files are; None: the run has no model."""
    client = MlflowClient()
    experiment = client.get_run(run_id).info.experiment_id
    for model in client.search_logged_models([experiment], f"source_run_id = '{run_id}'"):
        if model.status == LoggedModelStatus.READY:
            return Path(download_artifacts(f"{model.artifact_location}/data", dst_path=str(folder)))
    return None


def _test_metrics(run: Run, model_id: str) -> Iterator[Metric]:
    """Yield the last points of the test metrics, linked to a model; MLflow takes each for the same point of the run."""
    dataset = run.inputs.dataset_inputs[0].dataset if run.inputs and run.inputs.dataset_inputs else None
    about = {"dataset_name": dataset.name, "dataset_digest": dataset.digest} if dataset else {}
    for name in sorted(run.data.metrics):
        if name.startswith("test/"):
            last = max(MlflowClient().get_metric_history(run.info.run_id, name), key=lambda point: point.step)
            yield Metric(name, last.value, last.timestamp, last.step, model_id=model_id, **about)


def _model_of(run: Run) -> LoggedModel:
    """Return the entry of a run's model, a new one if there is none: a kill may have left one without files."""
    client, run_id, experiment = MlflowClient(), run.info.run_id, run.info.experiment_id
    found = client.search_logged_models([experiment], f"source_run_id = '{run_id}'")
    name = FORBIDDEN.sub("-", run.info.run_name)
    model = found[0] if found else client.create_logged_model(experiment, name, run_id, params=run.data.params)
    if model.model_id not in [output.model_id for output in run.outputs.model_outputs]:
        client.log_outputs(run_id, [LoggedModelOutput(model.model_id, step=0)])
    return model
