"""A trial trained alone, as a worker of a sweep trains it: what the worktree of a repetition runs."""

from dataclasses import dataclass, field

from experiments.settings.params import Params
from experiments.settings.project import Project, RunKey
from experiments.system.console import say
from experiments.system.progress import epoch_line
from experiments.tracking import store
from experiments.tracking.run import open_run
from experiments.tracking.tracker import Tracker
from experiments.training.messages import Begun, EpochDone, Order, Reply
from experiments.training.remote import train_order
from experiments.training.training import make_training


@dataclass
class _RunWriter:
    """Takes a worker's reports, and writes its run; prunes after `stop` epochs, if there is a number."""

    experiment: str
    key: RunKey
    epochs: int
    stop: int | None
    tracker: Tracker = field(init=False)

    def take(self, message: object) -> Reply:
        """Write a report, and answer it."""
        if isinstance(message, Begun):
            command = f"tandem trial {self.key}"
            run = open_run(self.key.label, experiment=self.experiment, tags=message.tags, command=command)
            self.tracker = Tracker(run)
            self.tracker.params(message.params)
            return Reply.GO_ON
        assert isinstance(message, EpochDone)  # noqa: S101 - a trial sends nothing else
        self.tracker.metrics(message.points)
        row = {name: value for name, value, step in message.points if step == message.epoch and "step" not in name}
        say(epoch_line(self.key.label, f"{message.epoch}/{self.stop or self.epochs}", row))
        return Reply.PRUNE if message.epoch == self.stop else Reply.GO_ON


def train_trial(project: Project, params: Params, key: RunKey, *, objective: str, epochs: int | None) -> None:
    """Train a recipe of params.yaml as a sweep's trial, into MLflow alone; the test set isn't loaded.

    `epochs`: after how many it was pruned.

    Raises:
        TandemError: there is no such recipe, no prepared dataset or no such device.
    """
    training = make_training(project, params, key)
    writer = _RunWriter(store.connect(project), key, training.recipe.epochs, epochs)
    order = Order(
        project=project,
        key=key,
        recipe=training.recipe,
        dataset=training.dataset.fingerprint,
        code=training.code,
        device=params.train.device,
        threads=training.threads,
        log_every_steps=training.log_every_steps,
        folder=project.checkpoint(key, "trial"),
        earlier=(),
        objective=objective,
    )
    outcome = train_order(writer.take, order)
    writer.tracker.metrics(outcome.points)
    writer.tracker.tags(outcome.tags)
    writer.tracker.close("FINISHED")
