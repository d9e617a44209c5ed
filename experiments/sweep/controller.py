"""The one process of a study that writes to Optuna and to MLflow: it draws trials, and takes the workers' reports.

The budget is a counter. With two frameworks, a trial has two members, trained by workers of their own.
"""

import math
import shutil
from collections.abc import Set
from contextlib import suppress
from dataclasses import dataclass, field

import optuna
from optuna.trial import FrozenTrial, TrialState

from experiments.dispatch.dispatcher import Attempt, Dispatcher
from experiments.engine.engine import Engine, Slot
from experiments.settings.recipe import BackendName
from experiments.sweep import trials
from experiments.sweep.best import Best
from experiments.sweep.lease import LeaseLost
from experiments.sweep.open_sweep import OpenSweep
from experiments.sweep.orders import Orders
from experiments.sweep.patience import AWAY, patiently
from experiments.sweep.repeats import take_results
from experiments.sweep.runs import Member, TrialRuns
from experiments.sweep.watch import Watcher
from experiments.system.errors import TandemError
from experiments.training.messages import Begun, EpochDone, Outcome, Reply

# How many trials the workers of one framework may be ahead of the other's: the sampler doesn't know their results yet.
AHEAD = 2


@dataclass
class TrialAttempt(Attempt[Member]):
    """A member of a trial in a worker; `value` is its last, `known` are the epochs that Optuna has already."""

    trial: optuna.Trial = field(kw_only=True)
    known: Set[int] = field(kw_only=True)
    value: float = math.nan

    @property
    def is_pruned(self) -> bool:
        """Whether a training is where it was pruned; one that was lost right then trains to there again."""
        return bool(self.epoch >= self.trial.user_attrs.get(trials.PRUNED, math.inf))


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
        self.devices: dict[BackendName, str] = {}

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
            self._read_books()
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

    def _read_books(self) -> None:
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
        trial, name = self.open[job.number], trials.attempts_key(job.backend)
        number = int(trial.user_attrs.get(name, 0)) + 1
        # Written before the order is sent: from now on, older attempts are refused.
        patiently(lambda: trial.set_user_attr(name, number))
        known = self.target.epochs(job.number) if number > 1 else frozenset()
        key = f"{job.number}.{job.backend}.{number}"
        self.current[key] = TrialAttempt(job, slot, trial=trial, known=known)
        self.engine.submit(key, slot, self.orders.task, self.orders.order(trial, job, number))

    # Taking reports.

    def begun(self, attempt: TrialAttempt, begun: Begun) -> Reply:
        """Open the run of a member, or take it up again."""
        self._check_device(attempt.job.backend, begun.device)
        tracker = patiently(lambda: self.runs.open(attempt.job, begun, attempt.slot))
        name = trials.run_key(attempt.job.backend)
        if attempt.trial.user_attrs.get(name) != tracker.run_id:
            patiently(lambda: attempt.trial.set_user_attr(name, tracker.run_id))
        tracker.metrics(begun.points)
        return Reply.PRUNE if attempt.is_pruned else Reply.GO_ON

    def _check_device(self, backend: BackendName, device: str) -> None:
        study, name = self.target.study, f"device.{backend}"
        if backend not in self.devices:
            known = patiently(lambda: study.user_attrs.get(name))
            if known is None:
                patiently(lambda: study.set_user_attr(name, device))
            self.devices[backend] = known or device
        if self.devices[backend] != device:
            raise TandemError(
                f"{self.title}: expected workers on {self.devices[backend]}, as it was begun; got one on {device}; "
                "choose nodes of one kind (engines: constraint), or give another --name"
            )

    def epoch_done(self, attempt: TrialAttempt, done: EpochDone) -> Reply:
        """Accept an epoch, and say whether the trial is pruned there."""
        self.runs.trackers[attempt.job].metrics(done.points)
        attempt.value = done.value
        if len(self.backends) > 1:  # a pair is told as a whole, at its end
            return Reply.GO_ON
        trial = attempt.trial
        if done.epoch not in attempt.known:
            patiently(lambda: trial.report(done.value, done.epoch))
        if self.plan.pruner == "none" or trial.params == self.plan.own_settings:
            return Reply.GO_ON
        if trials.PRUNED in trial.user_attrs:  # its worker was lost before it had ended
            return Reply.PRUNE if attempt.is_pruned else Reply.GO_ON
        # Some pruners return NumPy's bool.
        if not bool(patiently(trial.should_prune)):
            return Reply.GO_ON
        # Some answer otherwise when they are asked again.
        patiently(lambda: trial.set_user_attr(trials.PRUNED, done.epoch))
        return Reply.PRUNE

    # Ends.

    def finish(self, attempt: TrialAttempt, outcome: Outcome) -> None:
        """Write the end of a member to MLflow, then to Optuna; a kill in between repeats the end alone."""
        member, trial, result = attempt.job, attempt.trial, trials.result_of(outcome)
        tracker = self.runs.trackers[member]
        tracker.metrics(outcome.points)
        if not result.diverged:
            # As Optuna does, a pruned trial's value is its last.
            tracker.metrics([("objective", result.objective[-1], len(result.objective))])
        state = f"diverged: {result.diverged}" if result.diverged else outcome.state
        status = "FAILED" if result.diverged else "FINISHED"
        patiently(lambda: self.runs.close(member, status, state, outcome.tags))
        if outcome.state == "pruned":
            told = patiently(lambda: self.target.study.tell(trial, state=TrialState.PRUNED, skip_if_finished=True))
            self._closed(told)
            return
        patiently(lambda: trial.set_user_attr(trials.result_key(member.backend), result.to_attribute()))
        self._tell(trial)

    def _tell(self, trial: optuna.Trial) -> None:
        """Tell a trial if all of its members are done."""
        done = trials.read_results(trial.user_attrs, self.backends)
        if len(done) < len(self.backends):
            return
        if len(done) > 1:
            known = self.target.epochs(trial.number)
            means = enumerate(trials.mean_objective(done), 1)
            for epoch, value in [each for each in means if each[0] not in known]:
                patiently(lambda value=value, epoch=epoch: trial.report(value, epoch))  # type: ignore[misc]
        if reasons := [f"{backend}: {each.diverged}" for backend, each in done.items() if each.diverged]:
            patiently(lambda: trial.set_user_attr(trials.REASON, "; ".join(reasons)))
        value = trials.final_value(done, worst=self.plan.sign * math.inf)
        self._closed(patiently(lambda: self.target.study.tell(trial, value, skip_if_finished=True)))

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
        reason = f"{job.backend}: lost {self.losses[job]} times, the last: {reason}"
        patiently(lambda: trial.set_user_attr(trials.REASON, reason))

        def close() -> None:
            for backend in self.backends:
                self.runs.close(Member(job.number, backend), "FAILED", f"failed: {reason}")

        patiently(close)
        self.waiting = [member for member in self.waiting if member.number != job.number]
        for key in [key for key, each in self.current.items() if each.job.number == job.number]:
            self.leaving[key] = self.current.pop(key)
        patiently(lambda: self.target.study.tell(trial, state=TrialState.FAIL, skip_if_finished=True))
        del self.open[job.number]
