"""The one process of a study that writes to Optuna and to MLflow: it draws trials, and takes the workers' reports.

The budget is a counter. With two frameworks, a trial has two members, trained by workers of their own.
"""

import shutil
from contextlib import suppress

import optuna
from optuna.trial import FrozenTrial

from experiments.dispatch.dispatcher import Dispatcher
from experiments.engine.engine import Engine, Slot
from experiments.settings.recipe import BackendName
from experiments.sweep import trials
from experiments.sweep.attempt import TrialAttempt, begin_attempt
from experiments.sweep.best import Best
from experiments.sweep.devices import Devices
from experiments.sweep.lease import LeaseLost
from experiments.sweep.open_sweep import OpenSweep
from experiments.sweep.orders import Orders
from experiments.sweep.patience import AWAY, patiently
from experiments.sweep.pruning import report_epoch
from experiments.sweep.repeats import take_results
from experiments.sweep.runs import Member, TrialRuns
from experiments.sweep.telling import tell_failed, tell_pruned, tell_value
from experiments.sweep.watch import Watcher
from experiments.training.messages import Begun, EpochDone, Outcome, Reply

# How many trials the workers of one framework may be ahead of the other's: the sampler doesn't know their results yet.
AHEAD = 2


class Controller(Dispatcher[Member, TrialAttempt]):
    """Runs a study until its budget is spent."""

    def __init__(self, sweep: OpenSweep, engine: Engine, orders: Orders, budget: int) -> None:
        self.target, self.plan, self.lease = sweep.target, sweep.target.plan, sweep.lease
        super().__init__(engine, self.plan.backends_of_trial, self.plan.retries)
        self.orders, self.budget = orders, budget
        self.runs = TrialRuns(self.plan, sweep.dataset, sweep.experiment, sweep.tracker.run_id)
        self.watcher = Watcher(self.target.folder, self.lease.token)
        self.open: dict[int, optuna.Trial] = {}
        self.best = Best(self.plan, sweep.tracker)
        self.devices = Devices(self.target.study, self.title)

    @property
    def finished(self) -> int:
        """How many trials count."""
        return self.best.finished

    @property
    def title(self) -> str:
        """The name of the study."""
        return f"sweep {self.plan.name}"

    def label(self, job: Member) -> str:
        """Return the trial and its framework."""
        return f"{self.title}: trial {job.number} ({job.backend})"

    def run(self) -> None:
        """Return when the budget is spent. A stop puts back what is being trained.

        Raises:
            TandemError: no worker trains any more, a fixed trial can't be trained, or another controller took over.
        """
        try:
            self._load()
            if not self.is_done():
                super().run()
        except LeaseLost:
            self.open.clear()  # they are another's now
            self.runs.trackers.clear()
            raise
        finally:
            self.runs.close_all()
            for number in self.open:
                with suppress(*AWAY):  # the next controller finds them
                    self.target.put_back(number)
            self.watcher.close()

    def _load(self) -> None:
        self.target.adopt(set())
        self.runs.load()
        self.best.load(self.target.study.get_trials(deepcopy=False, states=trials.DONE))

    def is_done(self) -> bool:
        """Return whether the budget is spent."""
        return self.finished >= self.budget and not self.current

    def check(self) -> None:
        """Make sure that no other controller has taken over."""
        patiently(self.lease.check)

    def look(self) -> None:
        """Show how far the study is."""
        self.check()
        self.watcher.look(self)

    # Handing out.

    def refill(self, backend: BackendName) -> None:
        """Draw a trial if nothing waits for a framework."""
        if any(member.backend == backend for member in self.waiting) or len(self.waiting) > AHEAD:
            return
        if self.finished + len(self.open) < self.budget:
            self._ask()

    def switches(self, slot: Slot) -> bool:
        """Return whether no other worker can train what waits."""
        return self.slots.is_stuck(slot, {member.backend for member in self.waiting})

    def _ask(self) -> None:
        trial = patiently(lambda: self.target.ask(self.open.keys()))
        self.open[trial.number] = trial
        if not self.plan.confirms:  # there, each has a seed of its own
            take_results(self.target.study, trial, self.backends)
        done = trials.read_results(trial.user_attrs, self.backends)
        missing = [backend for backend in self.backends if backend not in done]
        self.waiting += [Member(trial.number, backend) for backend in missing]
        if not missing:  # or the controller was killed right before it told Optuna
            self._tell(trial)

    def start(self, job: Member, slot: Slot) -> None:
        """Begin an attempt at a member."""
        attempt = begin_attempt(self.target, self.open[job.number], job, slot)
        self.current[attempt.key] = attempt
        self.engine.submit(attempt.key, slot, self.orders.task, self.orders.order(attempt.trial, job, attempt.number))

    # Taking reports.

    def begun(self, attempt: TrialAttempt, begun: Begun) -> Reply:
        """Open the run of a member, or take it up again."""
        self.devices.check(attempt.job.backend, begun.device)
        tracker = patiently(lambda: self.runs.open(attempt.job, begun, attempt.slot))
        name = trials.run_key(attempt.job.backend)
        if attempt.trial.user_attrs.get(name) != tracker.run_id:
            patiently(lambda: attempt.trial.set_user_attr(name, tracker.run_id))
        tracker.metrics(begun.points)
        return Reply.PRUNE if attempt.is_pruned else Reply.GO_ON

    def epoch_done(self, attempt: TrialAttempt, done: EpochDone) -> Reply:
        """Accept an epoch, and say whether the trial is pruned there."""
        self.runs.trackers[attempt.job].metrics(done.points)
        attempt.value = done.value
        if len(self.backends) > 1:  # a pair is told as a whole, at its end
            return Reply.GO_ON
        return report_epoch(attempt, done, self.plan)

    # Ends.

    def finish(self, attempt: TrialAttempt, outcome: Outcome) -> None:
        """Write the end of a member to MLflow, then to Optuna; a kill in between repeats the end alone."""
        member, trial, result = attempt.job, attempt.trial, trials.result_of(outcome)
        self.runs.finish(member, outcome, result)
        if outcome.state == "pruned":
            self._closed(tell_pruned(self.target, trial))
            return
        patiently(lambda: trial.set_user_attr(trials.result_key(member.backend), result.to_attribute()))
        self._tell(trial)

    def _tell(self, trial: optuna.Trial) -> None:
        """Tell a trial if all of its members are done."""
        if (told := tell_value(self.target, trial)) is not None:
            self._closed(told)

    def _closed(self, trial: FrozenTrial) -> None:
        del self.open[trial.number]
        self.best.add(trial)
        self.watcher.say(self)
        shutil.rmtree(self.target.trial_folder(trial.number), ignore_errors=True)

    def give_up(self, job: Member, reason: str) -> None:
        """Fail a trial whose worker was lost again and again: another is drawn in its place.

        Raises:
            TandemError: no other may take its place: it is one of a list, or has the recipe's own settings.
        """
        trial = self.open[job.number]
        if self.plan.confirms or trial.params == self.plan.own_settings:
            super().give_up(job, reason)
        reason = f"{job.backend}: lost {self.losses.of(job)} times, the last: {reason}"
        patiently(lambda: trial.set_user_attr(trials.REASON, reason))
        self.runs.fail(job.number, reason)
        self.waiting = [member for member in self.waiting if member.number != job.number]
        for key in [key for key, each in self.current.items() if each.job.number == job.number]:
            self.leaving[key] = self.current.pop(key)
        tell_failed(self.target, trial)
        del self.open[job.number]
