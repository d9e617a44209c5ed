"""A recipe as a Keras model with a train_step, and the callback that reports and checkpoints each epoch."""

import time
from pathlib import Path

import keras
import tensorflow as tf

from experiments.contract.backend import Listener, TrainingSettings
from experiments.contract.phases import Phases
from experiments.contract.schedule import learning_rates, steps_of_epoch
from experiments.data.dataset import Images, Labels
from experiments.data.randomness import dropout_seed
from experiments.system.files import check_room, replace_durably
from models_tf.backend.batches import source_of
from models_tf.backend.model import KerasModel
from models_tf.backend.optimizers import above_zero, graph_of, restart
from models_tf.backend.precision import use_tensor_float_32

# What HDF5 adds to the values: names, shapes, and the tables that hold them.
HDF5_BYTES = 2**20


class KerasRecipe(keras.Model):
    """Trains a model as its recipe says, on images on the device.

    A `train_step` takes a block of batches, and a step of the optimiser for each, in one graph. `fit` on a dataset of
    batches with as many `steps_per_execution` does the same, a tenth slower for a small network: it fetches every
    batch from the dataset.
    """

    def __init__(self, model: KerasModel, images: Images, labels: Labels, settings: TrainingSettings) -> None:
        super().__init__(inputs=model.module.inputs, outputs=model.module.outputs)
        self.settings = settings
        self.source = source_of(images, labels, settings)
        self.smoothing = above_zero(None, settings.recipe.label_smoothing)
        self.random_states = model.random_states()
        # Written on the device, so that no step waits for the one before.
        self.step_losses = tf.Variable(tf.zeros(settings.log_every_steps, model.module.dtype), trainable=False)
        self.step_correct = tf.Variable(tf.zeros(settings.log_every_steps, tf.int64), trainable=False)

    def restart(self, images: Images, labels: Labels, settings: TrainingSettings) -> bool:
        """Prepare for another training with the graph that is traced already; False: it needs one of its own.

        Only the optimiser starts anew; the weights are the model's.
        """
        if _graph_of(settings) != _graph_of(self.settings):
            return False
        if not self.source.restart(images, labels, settings):
            return False
        self.settings = settings
        self.smoothing = above_zero(self.smoothing, settings.recipe.label_smoothing)
        restart(self.optimizer, settings.recipe, learning_rates(settings.recipe, len(labels)))
        return True

    @property
    def steps_per_epoch(self) -> int:
        """The number of batches."""
        return steps_of_epoch(self.settings.recipe, self.source.images)

    def blocks(self) -> tf.data.Dataset:
        """Return the indices of an epoch's blocks, from 0."""
        options = tf.data.Options()
        # There is nothing to tune, and joining the tuning thread can delay the next epoch by more than a second.
        options.autotune.enabled = False
        blocks = tf.data.Dataset.range(-(-self.steps_per_epoch // self.source.batches))
        return blocks.with_options(options)

    def trace(self) -> None:
        """Trace the graph of `train_step` now; the first step would, and nobody could tell how long it takes."""
        self.train_step.get_concrete_function(tf.TensorSpec((), tf.int64))

    def start_epoch(self, epoch: int) -> None:
        """Prepare the batches of an epoch, and seed dropout."""
        self.source.start_epoch(epoch)
        for index, state in enumerate(self.random_states):
            state.assign([dropout_seed(self.settings.seed, epoch), index])

    @tf.function  # type: ignore[untyped-decorator]
    def train_step(self, block: tf.Tensor) -> dict[str, tf.Tensor]:
        """Take a step for each batch of a block; keep each step's loss and correct count."""
        first = block * self.source.batches
        count = tf.cast(tf.minimum(self.steps_per_epoch - first, self.source.batches), tf.int32)
        losses, correct = tf.TensorArray(self.step_losses.dtype, count), tf.TensorArray(tf.int64, count)
        for index in tf.range(count):
            loss, right = self.step(*self.source.batch(first, tf.cast(index, tf.int64)))
            losses, correct = losses.write(index, loss), correct.write(index, right)
        self.step_losses[:count].assign(losses.stack())
        self.step_correct[:count].assign(correct.stack())
        return {"loss": self.step_losses[0]}

    def step(self, images: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Forward, loss, backward, update; return the loss and the number of correct predictions."""
        with tf.GradientTape() as tape:
            logits = tf.cast(self(images, training=True), self.step_losses.dtype)
            loss = self.compute_loss(y=labels, y_pred=logits)
            if self.smoothing is not None:
                loss = smoothed(loss, logits, self.smoothing)
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply(gradients, self.trainable_variables)
        return loss, tf.reduce_sum(tf.cast(tf.argmax(logits, 1) == labels, tf.int64))


class Report(keras.callbacks.Callback):
    """Reports steps and epochs to a listener, and writes the checkpoint after each epoch."""

    def __init__(self, trained: KerasModel, listener: Listener, checkpoint: Path | None, phases: Phases) -> None:
        super().__init__()
        self.trained, self.listener, self.checkpoint, self.phases = trained, listener, checkpoint, phases
        self.epoch = 0
        self.seconds = 0.0
        self.resumed = 0.0

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Prepare the epoch's batches and start the clock."""
        self.epoch = epoch + 1
        self.model.start_epoch(self.epoch)
        self.seconds, self.resumed = 0.0, time.perf_counter()

    def on_train_batch_begin(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Load a block, and let it compute in its recipe's precision."""
        self.model.source.load_block()
        use_tensor_float_32(self.model.settings.recipe.precision)

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Report the losses of a block."""
        every = self.model.source.batches
        step = min((batch + 1) * every, self.model.steps_per_epoch)
        count = step - batch * every
        losses, correct = self.model.step_losses.numpy()[:count], self.model.step_correct.numpy()[:count]
        use_tensor_float_32("float32")
        self.seconds += time.perf_counter() - self.resumed
        self.listener.steps_done(self.epoch, step, losses, correct)
        self.resumed = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Report the epoch, write the checkpoint, and end the training if told to."""
        goes_on = self.listener.epoch_done(epoch + 1, self.seconds, self.trained)
        if self.checkpoint is not None:
            with self.phases("checkpoints"):
                self._save(self.checkpoint)
        self.model.stop_training = not goes_on

    def _save(self, checkpoint: Path) -> None:
        part = checkpoint.with_name("part.weights.h5")
        # HDF5 crashes the process on a full disk.
        variables = [*self.model.variables, *self.model.optimizer.variables]
        check_room(part, sum(variable.numpy().nbytes for variable in variables) + HDF5_BYTES)
        self.model.save_weights(part)
        replace_durably(part, checkpoint)


def batch_loss() -> keras.losses.Loss:
    """Return the mean cross-entropy of a batch, a function of labels, int64 (n,), and logits (n, classes)."""
    return keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def smoothed(loss: tf.Tensor, logits: tf.Tensor, smoothing: tf.Variable) -> tf.Tensor:
    """Return the mean cross-entropy of a batch with label smoothing s, given that without.

    A label has the probability 1 - s, and all classes share s (Szegedy et al., 2016).
    """
    share = tf.cast(smoothing, loss.dtype)
    return (1 - share) * loss - share * tf.reduce_mean(tf.nn.log_softmax(logits))


def _graph_of(settings: TrainingSettings) -> tuple[object, ...]:
    """Return what is baked into the traced graph, beside the model and the images."""
    recipe = settings.recipe
    smoothed = bool(recipe.label_smoothing)
    return *graph_of(recipe), smoothed, recipe.precision, recipe.batch_size, recipe.drop_last, settings.log_every_steps
