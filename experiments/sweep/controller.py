"""The one process of a study that writes to Optuna and to MLflow: it hands out trials, and takes their reports.

The workers train and report. A report names trial, backend and attempt; one that isn't current is refused, so that an
attempt which was given up writes nothing, however long it lives. The budget is a counter.
"""

import math
import shutil
from collections import Counter
from collections.abc import Callable, Set
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import optuna
from optuna.trial import FrozenTrial, TrialState

from experiments.engine.engine import Ended, Engine, Slot
from experiments.engine.slots import Slots
from experiments.settings.recipe import BackendName
from experiments.sweep import trials
from experiments.sweep.lease import Lease, LeaseLost
from experiments.sweep.patience import AWAY, patiently
from experiments.sweep.plan import Plan
from experiments.sweep.runs import STATE, Member, TrialRuns
from experiments.sweep.study import make_sampler
from experiments.sweep.watch import Watcher
from experiments.system.console import warn
from experiments.system.errors import TandemError
from experiments.system.stopping import raise_if_asked
from experiments.training.messages import Begun, EpochDone, Order, Outcome, Reply

WAIT_SECONDS = 0.5
# How many trials the workers of one framework may be ahead of the other's: the sampler doesn't know their results yet.
AHEAD = 2


@dataclass
class Attempt:
    """A member of a trial that is being trained.

    `epoch` is the last that was accepted, `since` where the attempt began; `known` are those that Optuna has already.
    """

    trial: optuna.Trial
    member: Member
    slot: Slot
    since: int = 0
    epoch: int = 0
    value: float = math.nan
    known: Set[int] = frozenset()


@dataclass
class Study:
    """What a controller works on. In `folder`, each trial has one while it is trained."""

    study: optuna.Study
    storage: optuna.storages.BaseStorage
    plan: Plan
    budget: int
    folder: Path

    def is_fixed(self, trial: optuna.Trial) -> bool:
        """Return whether no other trial may take the place of this one: one of a list, or the recipe's own settings."""
        return self.plan.confirms is not None or trial.params == self.plan.own_settings

    def trial_folder(self, number: int) -> Path:
        """Return where the attempts at a trial keep what they need to resume."""
        return self.folder / "trials" / str(number)

    def put_back(self, number: int) -> None:
        """Let a running trial wait, with all that it has."""
        study_id = self.storage.get_study_id_from_name(self.study.study_name)
        trial_id = self.storage.get_trial_id_from_study_id_trial_number(study_id, number)
        self.storage.set_trial_state_values(trial_id, TrialState.WAITING)

    def epochs(self, number: int) -> Set[int]:
        """Return the epochs of a trial that Optuna has."""
        return patiently(lambda: self.study.get_trials(deepcopy=False)[number].intermediate_values.keys())

    def upcoming(self) -> list[int]:
        """Return the numbers of the trials that are handed out next: those that wait, and the first new one."""
        known = self.study.get_trials(deepcopy=False)
        return [*(trial.number for trial in known if trial.state == TrialState.WAITING), len(known)]

    def ask(self, number: int) -> optuna.Trial:
        """Return the next trial; what it draws depends on its number, not on when this process began."""
        self.study.sampler = make_sampler(self.plan, drawn=number)
        return self.study.ask(self.plan.distributions)

    def adopt(self, mine: set[int]) -> None:
        """Put back the running trials that nobody trains: those of a controller that was killed."""
        for trial in self.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            if trial.number not in mine:
                self.put_back(trial.number)


@dataclass
class Controller:
    """Runs a study until its budget is spent. `order` says what a worker gets, `task` what it does with that."""

    target: Study
    engine: Engine
    runs: TrialRuns
    lease: Lease
    order: Callable[[optuna.Trial, Member, int], Order]
    task: Callable[..., Outcome]
    watcher: Watcher
    slots: Slots = field(default_factory=Slots)
    current: dict[str, Attempt] = field(default_factory=dict)
    # Attempts at trials that have failed: their workers are busy until they have heard it.
    leaving: dict[str, Attempt] = field(default_factory=dict)
    open: dict[int, optuna.Trial] = field(default_factory=dict)
    pending: list[Member] = field(default_factory=list)
    # As `Study.upcoming`; empty: not known. Listing them takes longer the more of them run.
    upcoming: list[int] = field(default_factory=list)
    # Of members that were lost: how often in a row, and the epoch that the last attempt began at.
    losses: Counter[Member] = field(default_factory=Counter)
    reached: Counter[Member] = field(default_factory=Counter)
    finished: int = 0
    best: float | None = None

    def run(self) -> None:
        """Return when the budget is spent. A stop puts back what is being trained.

        Raises:
            TandemError: no worker trains any more, a fixed trial can't be trained, or another controller took over.
        """
        self.target.adopt(set())
        done = self.target.study.get_trials(deepcopy=False, states=trials.DONE)
        self.finished = len(done)
        for trial in done:
            self._note(trial)
        if self._is_done():
            self.watcher.close()
            return
        try:
            self.engine.start(self.answer)
            while not self._is_done():
                raise_if_asked()
                self._assign()
                for ended in self.engine.events(WAIT_SECONDS):
                    self.end(ended)
                patiently(self.lease.check)
                self.watcher.look(self)
        except LeaseLost:
            self.open.clear()  # they are another's now
            self.runs.trackers.clear()
            raise
        finally:
            self.engine.close()
            self.runs.close_all()
            for number in self.open:
                with suppress(*AWAY):  # the next controller finds them
                    self.target.put_back(number)
            self.watcher.close()

    def _is_done(self) -> bool:
        return self.finished >= self.target.budget and not self.current

    # Handing out.

    def _assign(self) -> None:
        self.slots.update(self.engine.slots())
        for slot in self.slots.idle({**self.current, **self.leaving}):
            if (member := self._next(slot)) is not None:
                self._start(member, slot)
            elif stuck := self.slots.stuck(slot, {backend for _, backend in self.pending}):
                self.engine.renew(stuck)
        if not self.current and (reason := self.slots.hopeless()):
            raise TandemError(
                f"sweep {self.target.plan.name}: expected workers that train; got {len(self.slots.aside)} put aside "
                f"after failures, the last: {reason}; fix that, and repeat the command: the trials wait"
            )

    def _next(self, slot: Slot) -> Member | None:
        """Return what a worker is to train next: what is pending for its framework, or of a new trial."""
        for backend in self.slots.backends_for(slot, self.target.plan.backends_of_trial):
            if not any(each == backend for _, each in self.pending) and self._may_ask():
                self._ask()
            for member in self.pending:
                if member[1] == backend:
                    self.pending.remove(member)
                    return member
        return None

    def _may_ask(self) -> bool:
        return self.finished + len(self.open) < self.target.budget and len(self.pending) <= AHEAD

    def _ask(self) -> None:
        plan = self.target.plan

        def ask() -> optuna.Trial:
            upcoming, self.upcoming = self.upcoming, []
            if not upcoming:  # at first, and in a repeat: a trial may have been created, and only its answer was lost
                self.target.adopt(set(self.open))
                upcoming = self.target.upcoming()
            trial = self.target.ask(upcoming[0])
            self.upcoming = upcoming[1:] or [trial.number + 1]
            return trial

        trial = patiently(ask)
        self.open[trial.number] = trial
        done = trials.read_results(trial.user_attrs, plan.backends_of_trial)
        missing = [backend for backend in plan.backends_of_trial if backend not in done]
        self.pending += [(trial.number, backend) for backend in missing]
        if not missing:  # the controller was killed right before it told Optuna
            self._tell(trial)

    def _start(self, member: Member, slot: Slot) -> None:
        number, backend = member
        trial, name = self.open[number], trials.attempts_key(backend)
        attempt = int(trial.user_attrs.get(name, 0)) + 1
        # Written before the order is sent: from now on, older attempts are refused.
        patiently(lambda: trial.set_user_attr(name, attempt))
        key = f"{number}.{backend}.{attempt}"
        self.current[key] = Attempt(
            trial, member, slot, known=self.target.epochs(number) if attempt > 1 else frozenset()
        )
        self.slots.loaded[slot.address] = backend
        self.engine.submit(key, slot, self.task, self.order(trial, member, attempt))

    # Taking reports.

    def answer(self, key: str, message: Begun | EpochDone) -> Reply:
        """Return what a training is to do; what it reported is accepted by then."""
        attempt = self.current.get(key)
        if attempt is None:
            return Reply.SUPERSEDED
        patiently(self.lease.check)
        if isinstance(message, Begun):
            return self._begun(attempt, message)
        return self._epoch(attempt, message)

    def _begun(self, attempt: Attempt, begun: Begun) -> Reply:
        self._check_device(attempt.member[1], begun.device)
        tracker = patiently(lambda: self.runs.open(attempt.member, begun, attempt.slot))
        name = trials.run_key(attempt.member[1])
        if attempt.trial.user_attrs.get(name) != tracker.run_id:
            patiently(lambda: attempt.trial.set_user_attr(name, tracker.run_id))
        tracker.metrics(begun.points)
        attempt.since = attempt.epoch = begun.epoch
        if begun.epoch > self.reached[attempt.member]:
            # Only what could be resumed is progress: on a full disk, epochs are accepted, and their checkpoints lost.
            self.reached[attempt.member], self.losses[attempt.member] = begun.epoch, 0
        return Reply.PRUNE if _is_pruned(attempt) else Reply.GO_ON

    def _check_device(self, backend: BackendName, device: str) -> None:
        study, name = self.target.study, f"device.{backend}"
        known = patiently(lambda: study.user_attrs.get(name))
        if known is None:
            patiently(lambda: study.set_user_attr(name, device))
        elif known != device:
            raise TandemError(
                f"sweep {self.target.plan.name}: expected workers on {known}, as it was begun; got one on {device}; "
                "choose nodes of one kind (engines: constraint), or give another --name"
            )

    def _epoch(self, attempt: Attempt, done: EpochDone) -> Reply:
        self.runs.trackers[attempt.member].metrics(done.points)
        attempt.epoch, attempt.value = done.epoch, done.value
        if done.epoch > attempt.since + 1:  # the epoch before was written to disk
            self.slots.has_worked(attempt.slot)
        if len(self.target.plan.backends_of_trial) > 1:  # a pair is told as a whole, at its end
            return Reply.GO_ON
        if done.epoch not in attempt.known:
            patiently(lambda: attempt.trial.report(done.value, done.epoch))
        if self.target.plan.pruner == "none" or attempt.trial.params == self.target.plan.own_settings:
            return Reply.GO_ON
        if trials.PRUNED in attempt.trial.user_attrs:  # its worker was lost before it had ended
            return Reply.PRUNE if _is_pruned(attempt) else Reply.GO_ON
        # Some pruners return NumPy's bool.
        if not bool(patiently(attempt.trial.should_prune)):
            return Reply.GO_ON
        # Some answer otherwise when they are asked again.
        patiently(lambda: attempt.trial.set_user_attr(trials.PRUNED, done.epoch))
        return Reply.PRUNE

    # Ends.

    def end(self, ended: Ended) -> None:
        """Take the end of an attempt; one that isn't current is nobody's."""
        attempt = self.current.pop(ended.key, None)
        if attempt is None:
            self.leaving.pop(ended.key, None)
            return
        patiently(self.lease.check)
        if ended.lost or ended.error is not None or ended.result.state == "superseded":
            self._lost(attempt, "its worker is gone" if ended.lost else str(ended.error), lost=ended.lost)
        else:
            self._finish(attempt, ended.result)

    def _finish(self, attempt: Attempt, outcome: Outcome) -> None:
        """Write the end of a member to MLflow, then to Optuna; a kill in between repeats the end alone."""
        member, trial, result = attempt.member, attempt.trial, trials.result_of(outcome)
        tracker = self.runs.trackers[member]
        tracker.metrics(outcome.points)
        if not result.diverged:
            # As Optuna does, a pruned trial's value is its last.
            tracker.metrics([("objective", result.objective[-1], len(result.objective))])
        state = f"diverged: {result.diverged}" if result.diverged else outcome.state
        patiently(lambda: self.runs.close(member, "FAILED" if result.diverged else "FINISHED", {STATE: state}))
        self.slots.has_worked(attempt.slot)
        if outcome.state == "pruned":
            patiently(lambda: self.target.study.tell(trial, state=TrialState.PRUNED, skip_if_finished=True))
            self._closed(trial.number)
            return
        patiently(lambda: trial.set_user_attr(trials.result_key(member[1]), result.to_attribute()))
        self._tell(trial)

    def _tell(self, trial: optuna.Trial) -> None:
        """Tell a trial if all of its members are done."""
        plan, study = self.target.plan, self.target.study
        done = trials.read_results(trial.user_attrs, plan.backends_of_trial)
        if len(done) < len(plan.backends_of_trial):
            return
        if len(done) > 1:
            known = self.target.epochs(trial.number)
            for epoch, value in enumerate(trials.mean_objective(done), 1):
                if epoch in known:
                    continue
                patiently(lambda value=value, epoch=epoch: trial.report(value, epoch))  # type: ignore[misc]
        if reasons := [f"{backend}: {each.diverged}" for backend, each in done.items() if each.diverged]:
            patiently(lambda: trial.set_user_attr(trials.REASON, "; ".join(reasons)))
        value = trials.final_value(done, worst=plan.sign * math.inf)
        self._note(patiently(lambda: study.tell(trial, value, skip_if_finished=True)))
        self._closed(trial.number)

    def _closed(self, number: int) -> None:
        del self.open[number]
        self.finished += 1
        self.watcher.say(self)
        shutil.rmtree(self.target.trial_folder(number), ignore_errors=True)

    def _note(self, trial: FrozenTrial) -> None:
        """Keep the best value so far."""
        value, sign = trial.value, self.target.plan.sign
        if trial.state == TrialState.COMPLETE and value is not None and math.isfinite(value):
            self.best = value if self.best is None else sign * min(sign * value, sign * self.best)

    def _lost(self, attempt: Attempt, reason: str, *, lost: bool) -> None:
        """Let a member be tried again elsewhere; one that is lost too often without progress in between fails."""
        (number, backend), trial = attempt.member, attempt.trial
        self.losses[attempt.member] += 1
        losses = self.losses[attempt.member]
        warn(f"sweep {self.target.plan.name}: trial {number} ({backend}) on {attempt.slot.name}: {reason}")
        self.slots.has_failed(attempt.slot, reason, lost=lost)
        if losses <= self.target.plan.retries:
            self.pending.insert(0, attempt.member)
            return
        if self.target.is_fixed(trial):
            raise TandemError(
                f"sweep {self.target.plan.name}: expected trial {number}, whose settings are fixed, to be trained; got "
                f"{losses} attempts that were lost, the last: {reason}; fix that, and repeat the command"
            )
        self._fail(number, f"{backend}: lost {losses} times, the last: {reason}")

    def _fail(self, number: int, reason: str) -> None:
        """Give a trial up, whose worker was lost again and again: another is drawn in its place."""
        trial = self.open[number]
        patiently(lambda: trial.set_user_attr(trials.REASON, reason))
        for backend in self.target.plan.backends_of_trial:
            state = {STATE: f"failed: {reason}"}
            patiently(lambda backend=backend, state=state: self.runs.close((number, backend), "FAILED", state))  # type: ignore[misc]
        self.pending = [member for member in self.pending if member[0] != number]
        for key in [key for key, each in self.current.items() if each.member[0] == number]:
            self.leaving[key] = self.current.pop(key)
        patiently(lambda: self.target.study.tell(trial, state=TrialState.FAIL, skip_if_finished=True))
        del self.open[number]


def _is_pruned(attempt: Attempt) -> bool:
    """Return whether a training is where it was pruned; one that was lost right then trains to there again."""
    return bool(attempt.epoch >= attempt.trial.user_attrs.get(trials.PRUNED, math.inf))
