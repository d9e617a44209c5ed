"""The MLflow runs of a study's trials: one for each trial and member, under the study's own run."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple

from experiments.data.dataset import Dataset
from experiments.engine.engine import Slot
from experiments.settings.recipe import BackendName
from experiments.sweep.patience import patiently
from experiments.sweep.plan import Plan
from experiments.sweep.trials import Result
from experiments.tracking import runs
from experiments.tracking.metrics import SEND_SECONDS
from experiments.tracking.run import open_run
from experiments.tracking.tracker import Tracker
from experiments.training.messages import Begun, Outcome

# What a trial's run has in MLflow, beside what every run has.
SWEEP, TRIAL, STATE, PARENT_RUN = "sweep", "trial", "trial_state", "mlflow.parentRunId"
# The metrics of many runs are sent less often, so that they come to a batch in this time. None is lost by that: with
# the checkpoint, a worker keeps those that it has reported.
SECONDS_A_BATCH = 0.1


class Member(NamedTuple):
    """The training of a trial in one framework."""

    number: int
    backend: BackendName

    @property
    def run_name(self) -> str:
        """The name of its run: `t02-keras`."""
        return f"t{self.number:02d}-{self.backend}"


def _nested(params: Mapping[str, object], names: Iterable[str]) -> dict[str, object]:
    """Return the nested settings that a sweep searches, such as `options.filters`, each as a parameter of its own."""
    found: dict[str, object] = {}
    for name in names:
        section, _, key = name.partition(".")
        content = params.get(section)
        if key and isinstance(content, Mapping) and key in content:
            found[name] = content[key]
    return found


@dataclass
class TrialRuns:
    """Opens and closes the runs of a study's trials. `parent` is the study's own run."""

    plan: Plan
    dataset: Dataset
    experiment: str
    parent: str
    known: dict[Member, str] = field(default_factory=dict)
    trackers: dict[Member, Tracker] = field(default_factory=dict)
    tried: set[Member] = field(default_factory=set)

    def load(self) -> None:
        """Read which runs there are already: their tags say which trial they belong to."""
        of_study = f"tags.`{SWEEP}` = '{self.plan.name}' and tags.`{PARENT_RUN}` = '{self.parent}'"
        for run in runs.search(self.experiment, of_study):  # the newest first, so that the oldest is kept
            tags = run.data.tags
            if TRIAL in tags and tags.get("backend") in self.plan.backends_of_trial:
                self.known[Member(int(tags[TRIAL]), tags["backend"])] = run.info.run_id

    def open(self, member: Member, begun: Begun, slot: Slot) -> Tracker:
        """Return the open run of a member: created, resumed, or open since an earlier attempt."""
        place = {"worker": slot.name, "node": slot.node, "gpus": slot.gpus or "none"}
        if member in self.trackers:
            self.trackers[member].tags(place)
            return self.trackers[member]
        if member in self.tried and member not in self.known:
            self.load()  # the run may have been created, and only the answer was lost
        self.tried.add(member)
        number, backend = member
        own = {TRIAL: str(number), PARENT_RUN: self.parent, "backend": backend, **place}
        tags = {**begun.tags, "recipe": self.plan.recipe_name, SWEEP: self.plan.name, **own}
        run = open_run(
            member.run_name,
            experiment=self.experiment,
            tags=tags,
            command=self.plan.command,
            resume=self.known.get(member),
        )
        self.known[member] = run.info.run_id
        tracker = Tracker(run, send_seconds=max(SEND_SECONDS, SECONDS_A_BATCH * len(self.trackers)))
        tracker.params({**begun.params, **_nested(begun.params, self.plan.ranges)})
        tracker.dataset(self.dataset, self.dataset.split("train"))
        self.trackers[member] = tracker
        return tracker

    def finish(self, member: Member, outcome: Outcome, result: Result) -> None:
        """Log the end of a member, and close its run."""
        tracker = self.trackers[member]
        tracker.metrics(outcome.points)
        if not result.diverged:
            # As Optuna does, a pruned trial's value is its last.
            tracker.metrics([("objective", result.objective[-1], len(result.objective))])
        state = f"diverged: {result.diverged}" if result.diverged else outcome.state
        status = "FAILED" if result.diverged else "FINISHED"
        patiently(lambda: self.close(member, status, state, outcome.tags))

    def fail(self, number: int, reason: str) -> None:
        """Close the runs of a trial that is given up."""
        for backend in self.plan.backends_of_trial:
            member = Member(number, backend)
            patiently(lambda member=member: self.close(member, "FAILED", f"failed: {reason}"))  # type: ignore[misc]

    def close(
        self, member: Member, status: str, state: str | None = None, tags: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        """Close the run of a member, if it is open; what can't be sent now is kept.

        `state`: how the trial ended; `tags`: what else is to be known of its end.
        """
        if tracker := self.trackers.get(member):
            if state:  # may fail while the store is away; then it is repeated
                note = (
                    f"Trial {member.number} of sweep {self.plan.name}: {state}. Repeat it: `tandem reproduce "
                    f"{tracker.run_id}`; `{self.plan.command}` resumes the sweep."
                )
                tracker.note(note, {**tags, STATE: state})
            del self.trackers[member]
            tracker.close(status)

    def close_all(self) -> None:
        """Close what is open: its trainings are resumed another time."""
        for member in list(self.trackers):
            self.close(member, "KILLED")
