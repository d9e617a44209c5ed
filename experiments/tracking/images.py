"""Images in a run, as a table that MLflow's pages show: a row an image, with what is to be said of it."""

from collections.abc import Mapping, Sequence

import mlflow
import numpy as np
from mlflow import MlflowClient

from experiments.data.dataset import Images, to_bytes

IMAGE = "image"


def log_images(run_id: str, name: str, images: Images, columns: Mapping[str, Sequence[object]]) -> None:
    """Keep images and their columns as a table `name`, which ends in .json; a table that is there stays as it is."""
    client = MlflowClient()
    if name in [file.path for file in client.list_artifacts(run_id)]:
        return  # MLflow would append to it
    shown = [mlflow.Image(np.ascontiguousarray(image)) for image in to_bytes(images)]
    client.log_table(run_id, {IMAGE: shown, **columns}, name)
