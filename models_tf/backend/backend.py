"""The contract of `experiments.contract.backend`, implemented with Keras on TensorFlow."""

import gc
from pathlib import Path

from experiments.system.quiet import quiet_native_stderr

with quiet_native_stderr():
    import keras
    import tensorflow as tf

    GPUS = tf.config.list_physical_devices("GPU")  # logs an error where there is no CUDA

from experiments.contract.backend import Device, Listener, TrainingSettings
from experiments.contract.model_settings import ModelSettings
from experiments.contract.phases import Phases
from experiments.contract.schedule import learning_rates
from experiments.data.dataset import Images, Labels
from experiments.system.errors import TandemError
from models_tf.backend.model import KerasModel, use_precision
from models_tf.backend.optimizers import make_optimizer
from models_tf.backend.precision import tracing_in
from models_tf.backend.training import KerasRecipe, Report, batch_loss


class Backend:
    """Keras on TensorFlow, set up for this process."""

    def __init__(self, *, device: Device, threads: int) -> None:
        self.phases = Phases()
        if device == "gpu" and not GPUS:
            raise TandemError(
                "params.yaml: train.device: expected a GPU that TensorFlow can use; got none; set auto or cpu"
            )
        tf.config.experimental.enable_op_determinism()
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)
        # float32 means float32: TensorFlow rounds to TensorFloat-32 on a GPU unless told not to.
        tf.config.experimental.enable_tensor_float_32_execution(False)
        if device == "cpu":
            tf.config.set_visible_devices([], "GPU")
        for gpu in tf.config.get_visible_devices("GPU"):
            # Without this, TensorFlow allocates all of the GPU's memory at once.
            tf.config.experimental.set_memory_growth(gpu, True)
        used = tf.config.get_visible_devices("GPU")
        self._uses_gpu = bool(used)
        self.device = tf.config.experimental.get_device_details(used[0])["device_name"] if used else "cpu"
        # Keras requires a seed with determinism; every draw that matters is seeded by recipe and epoch later.
        keras.utils.set_random_seed(0)
        keras.utils.disable_interactive_logging()
        # It warns of functions that are traced repeatedly, as happens with several models in one process.
        tf.get_logger().setLevel("ERROR")
        self._last: KerasModel | None = None
        self._forgotten: KerasModel | None = None
        self._traced = False

    def build(self, settings: ModelSettings) -> KerasModel:
        """Return a new model; if the forgotten one has the same graphs, it is made new, which saves tracing them."""
        forgotten, self._forgotten = self._forgotten, None
        if forgotten is not None and forgotten.renew(settings):
            self._last = forgotten
            return forgotten
        if forgotten is not None:
            del forgotten
            self._clear()
        self._last, self._traced = KerasModel(settings), True
        return self._last

    def train(
        self,
        model: KerasModel,
        images: Images,
        labels: Labels,
        settings: TrainingSettings,
        *,
        checkpoint: Path | None,
        listener: Listener,
    ) -> None:
        """Train the model in place, resuming from the checkpoint if it exists."""
        use_precision(model.settings.precision)
        trainee = model.trainee
        if trainee is None or not trainee.restart(images, labels, settings):
            trainee = model.trainee = KerasRecipe(model, images, labels, settings)
            rates = learning_rates(settings.recipe, len(labels))
            trainee.compile(optimizer=make_optimizer(settings.recipe, rates), loss=batch_loss())
            trainee.optimizer.build(trainee.trainable_variables)
            with self.phases("compiling"), tracing_in(settings.recipe.precision, model):
                trainee.trace()
            self._traced = True
        if checkpoint is not None and checkpoint.is_file():
            trainee.load_weights(checkpoint)
        trainee.fit(
            trainee.blocks(),
            initial_epoch=int(trainee.optimizer.iterations.numpy()) // trainee.steps_per_epoch,
            epochs=settings.epochs,
            callbacks=[Report(model, listener, checkpoint, self.phases)],
            shuffle=False,
            verbose=0,
        )

    def forget_models(self) -> None:
        """Free all but the last model that was built since the last call, which the next may take over."""
        self._forgotten, self._last = self._last, None
        if self._traced or self._forgotten is None:
            self._clear()
        else:  # TensorFlow would optimise a graph again after it was cleared, which takes a tenth of a second
            gc.collect()
        if self._uses_gpu:
            tf.config.experimental.reset_memory_stats("GPU:0")

    def peak_device_memory_mb(self) -> float | None:
        """Return the most that TensorFlow's tensors have taken on the GPU."""
        return tf.config.experimental.get_memory_info("GPU:0")["peak"] / 1e6 if self._uses_gpu else None

    def _clear(self) -> None:
        """Clear Keras's global state, which keeps every graph that it can reach."""
        keras.utils.clear_session(free_memory=True)
        keras.utils.set_random_seed(0)  # the seed is part of that state
        self._traced = False

    def versions(self) -> dict[str, str]:
        """Return the versions of TensorFlow and Keras."""
        return {"tensorflow": tf.__version__, "keras": keras.__version__}
