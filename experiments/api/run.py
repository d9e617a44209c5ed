"""A run that has ended: its record, and its model."""

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from experiments.predicting.arrays import answers_of, as_batch
from experiments.settings.project import Project
from experiments.system.errors import TandemError

if TYPE_CHECKING:
    import pandas as pd
    from mlflow.entities import Run as MlflowRun

    from experiments.contract.model import SavedModel
    from experiments.reports.measured import Measured
    from experiments.settings.recipe import Recipe

Array = npt.NDArray[Any]


class Run:
    """A run that has ended, as `tandem.load` returns it.

    Its model is loaded with the first prediction, and its framework imported; everything else needs no framework.
    """

    def __init__(self, project: Project, measured: "Measured") -> None:
        self._project, self.measured = project, measured

    @property
    def label(self) -> str:
        """Its name on screen and in MLflow, such as `lenet-lightning-12`."""
        return self.measured.label

    @property
    def backend(self) -> str:
        """`lightning` or `keras`."""
        return self.measured.settings["backend"]

    @property
    def seed(self) -> int:
        """What its initial weights, batch order and dropout were drawn from."""
        return int(self.measured.settings["seed"])

    @property
    def folder(self) -> Path | None:
        """The folder of its outputs; None: MLflow alone has it."""
        return self.measured.folder

    @property
    def metrics(self) -> dict[str, float]:
        """Its final metrics, such as `test/accuracy`, a fraction, and `test/loss`, in nats per image."""
        return dict(self.measured.metrics)

    @property
    def settings(self) -> dict[str, str]:
        """All that is recorded of what it depends on, as text: recipe, data, code, versions, device."""
        return dict(self.measured.settings)

    @cached_property
    def recipe(self) -> "Recipe":
        """Its recipe, as it was when it was trained: `run.recipe.lr`.

        Raises:
            TandemError: an older version has recorded it otherwise.
        """
        from experiments.convert.source import recipe_of

        return recipe_of(self.measured)

    @cached_property
    def history(self) -> "pd.DataFrame":
        """A row for each epoch, counted from 1: `train/loss`, `train/accuracy`, `epoch_seconds` and so on."""
        from experiments.api.record import history_of

        return history_of(self._project, self.measured)

    @cached_property
    def predictions(self) -> "pd.DataFrame":
        """A row for each test image, as recorded: `actual` and `predicted` class, `probability` of the latter.

        Raises:
            TandemError: the run keeps none, as the trial of a sweep.
        """
        from experiments.api.record import predictions_of

        return predictions_of(self.measured)

    @property
    def mlflow_run_id(self) -> str:
        """The id of its run in MLflow."""
        return self.measured.run_id

    @cached_property
    def mlflow_run(self) -> "MlflowRun":
        """Its run in MLflow, as `mlflow.get_run` returns it.

        Raises:
            TandemError: MLflow's store isn't here, or hasn't got the run.
        """
        from experiments.api.record import mlflow_run_of

        return mlflow_run_of(self._project, self.measured)

    @cached_property
    def _model(self) -> "SavedModel":
        from experiments.predicting.model import model_of

        return model_of(self._project, self.measured)

    def predict(self, images: npt.ArrayLike) -> Array:
        """Return the class of each image, int64 of shape (n,); of one image, a number.

        Raises:
            TandemError: as `probabilities`.
        """
        return self._answer(images)[0]

    def probabilities(self, images: npt.ArrayLike) -> Array:
        """Return the probability of each class, float64 of shape (n, classes); of one image, of shape (classes,).

        `images` are raw pixels, as `tandem.dataset()` has them (uint8, 0 to 255, for MNIST): (n, height, width,
        channels), (n, height, width) for one channel, or one image without n. The model scales them.

        Raises:
            TandemError: the images have another shape or type, or the run's model can't be loaded.
        """
        return self._answer(images)[1]

    def _answer(self, images: npt.ArrayLike) -> tuple[Array, Array]:
        """Return classes and probabilities."""
        batch, is_one = as_batch(images, self._model.image_shape, self._model.dtype)
        answers = answers_of(self._model.predict(batch))
        return (answers[0][0], answers[1][0]) if is_one else answers

    def __repr__(self) -> str:
        accuracy = self.metrics.get("test/accuracy")
        known = "not scored on the test set" if accuracy is None else f"test accuracy {100 * accuracy:.2f} %"
        return f"<tandem.Run {self.label}, {self.measured.where}, on {self.settings.get('dataset')}: {known}>"


def only_run(value: object, argument: str) -> Run:
    """Return a run that a caller has passed.

    Raises:
        TandemError: it is something else.
    """
    if not isinstance(value, Run):
        raise TandemError(f"{argument}: expected a run, as tandem.load returns it; got {value!r}")
    return value
