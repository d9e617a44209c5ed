"""The controller, with simulated workers on an engine whose every event is scripted; both stores are real."""

import math
import signal
from collections import Counter
from dataclasses import replace
from functools import partial
from typing import Any

import optuna
import pytest
from optuna.trial import TrialState

from experiments.sweep import trials
from experiments.sweep.confirm import ConfirmRequest, confirm
from experiments.sweep.lease import Lease
from experiments.sweep.plan import make_plan
from experiments.sweep.run import Where
from experiments.sweep.storage import connect
from experiments.sweep.watch import ask_to_stop
from experiments.system.errors import Stopped, TandemError
from experiments.training.messages import Begun, EpochDone, Order, Reply
from tests.sweep.conftest import Sweep
from tests.sweep.simulated import (
    Fails,
    Fault,
    Records,
    Running,
    ScriptedEngine,
    check_steps,
    expected_weights,
    good,
    read_records,
    simulated,
)


def diverges(order: Order, epoch: int, *, number: str, backend: str = "lightning", at: int = 2) -> float:
    """Return a value that is no number in one epoch of one trial."""
    is_it = order.key.recipe.endswith(f"-{number}") and order.key.backend == backend and epoch == at
    return math.nan if is_it else good(order, epoch)


def check_same(records: Records, other: Records) -> None:
    """See that two studies have the same trials, and the same weights after them."""
    assert [trial.params for trial in records.trials] == [trial.params for trial in other.trials]
    assert [trial.value for trial in records.trials] == [trial.value for trial in other.trials]
    assert {member: each.weights for member, each in records.runs.items()} == {
        member: each.weights for member, each in other.runs.items()
    }


def attempts(sweep: Sweep) -> Counter[str]:
    """Return how often each trial was ordered from the last engine."""
    return Counter(order.key.recipe for order in sweep.engine.orders)


# A sweep that nothing disturbs.


def test_a_budget_is_met_exactly(sweep: Sweep) -> None:
    records = sweep.run(5, workers=3)
    assert records.states() == ["COMPLETE"] * 5
    assert {member: (each.status, each.state) for member, each in records.runs.items()} == {
        (number, "lightning"): ("FINISHED", "complete") for number in range(5)
    }
    for trial in records.trials:
        each = records.runs[trial.number, "lightning"]
        check_steps(each, 2)
        assert each.metrics["objective"] == [(2, trial.value)]
        assert trial.intermediate_values == dict(each.metrics["val/loss"])
    assert records.parents == ["FINISHED"]
    points, tags = records.best
    winner = min(records.trials, key=lambda trial: trial.value or math.inf)
    assert (points[-1], len(points)) == ((5, winner.value), 5)
    assert [value for _, value in points] == sorted([value for _, value in points], reverse=True)
    assert tags == {
        "best_trial": str(winner.number),
        **{f"best.{name}": str(value) for name, value in winner.params.items()},
    }
    assert sweep.engine.closed
    # A repeat has nothing to do; a larger budget goes on.
    assert sweep.run(5).states() == ["COMPLETE"] * 5
    assert sweep.run(6).states() == ["COMPLETE"] * 6


def test_the_first_trial_has_the_recipe_s_own_settings(sweep: Sweep) -> None:
    records = sweep.run(2)
    assert records.trials[0].params == {"lr": 0.01, "dropout": 0.4, "momentum": 0.9}
    assert records.trials[1].params != records.trials[0].params


@pytest.mark.parametrize("sampler", ["tpe", "random"])
def test_one_worker_and_a_fixed_seed_give_the_same_trials(sweep: Sweep, sampler: str) -> None:
    sweep.change(sampler=sampler)
    first, second = sweep.run(4, name="a"), sweep.run(4, name="b")
    check_same(first, second)
    assert len({trial.params["lr"] for trial in first.trials}) == 4


def test_a_sweep_that_was_stopped_in_between_gives_the_same_trials(sweep: Sweep) -> None:
    whole = sweep.run(4, name="whole")
    for trials_so_far in (1, 2, 3):
        sweep.run(trials_so_far, name="parts")
    check_same(sweep.run(4, name="parts"), whole)


def test_the_orders_say_what_to_train(sweep: Sweep) -> None:
    sweep.run(1)
    (order,) = sweep.engine.orders
    assert (order.recipe.lr, order.recipe.epochs, order.key.seed) == (0.01, 2, sweep.params.sweep.seed)
    assert (order.objective, order.earlier) == ("val/loss", [])
    assert order.folder == sweep.project.sweep("s") / "trials" / "0" / "lightning" / "attempt-1"


def test_a_sweep_that_is_over_leaves_no_checkpoint(sweep: Sweep) -> None:
    sweep.run(2)
    assert not (sweep.project.sweep("s") / "trials").exists()


# Losses.


@pytest.mark.parametrize("moment", ["before its first report", "in mid-epoch", "after its last report"])
def test_a_lost_trial_is_resumed_with_the_same_settings_after_the_last_epoch(sweep: Sweep, moment: str) -> None:
    undisturbed = sweep.run(3, name="undisturbed")

    def lose(task: Running, message: Any) -> Fault:
        if (task.number, task.attempt) != ("1", "1"):
            return None
        if isinstance(message, Begun):
            return "lose" if moment == "before its first report" else None
        if message.epoch < 2:
            return None
        return "lose" if moment == "in mid-epoch" else "lose after"

    records = sweep.run(3, script=lose)
    assert attempts(sweep) == {"s-0": 1, "s-1": 2, "s-2": 1}
    first, again = (order for order in sweep.engine.orders if order.key.recipe == "s-1")
    assert (again.recipe, again.earlier) == (first.recipe, [first.folder])
    assert again.folder != first.folder
    check_same(records, undisturbed)
    for each in records.runs.values():
        check_steps(each, 2)
    assert records.runs[1, "lightning"].weights == expected_weights(first, "lightning")


def test_a_resumed_attempt_trains_only_what_is_missing(sweep: Sweep) -> None:
    begun: list[tuple[str, int]] = []

    def lose(task: Running, message: Any) -> Fault:
        begun.append((task.attempt, message.epoch))
        return "lose" if task.attempt == "1" and message.epoch == 2 else None

    sweep.run(1, script=lose)
    assert begun == [("1", 0), ("1", 1), ("1", 2), ("2", 1), ("2", 2)]


def test_a_report_of_an_attempt_that_was_given_up_is_refused_and_writes_nothing(sweep: Sweep) -> None:
    answers: list[Reply] = []

    def script(task: Running, message: Any) -> Fault:
        if task.attempt == "1" and message.epoch == 1:
            return "lose"
        if isinstance(message, EpochDone) and message.epoch == 2 and sweep.engine.lost:
            before = read_records(sweep.project, "s")
            answers.append(sweep.engine.deliver_late("0.lightning.1"))
            after = read_records(sweep.project, "s")
            assert (after.runs, after.trials) == (before.runs, before.trials)
        return None

    records = sweep.run(1, script=script)
    assert answers == [Reply.SUPERSEDED]
    check_steps(records.runs[0, "lightning"], 2)
    assert records.states() == ["COMPLETE"]


def test_losses_in_a_row_count_and_an_epoch_in_between_forgets_them(sweep: Sweep) -> None:
    sweep.change(retries=1, epochs=3)

    def lose(task: Running, message: Any) -> Fault:
        # Every attempt trains one more epoch, and is lost in the next one.
        is_next = isinstance(message, EpochDone) and message.epoch == int(task.attempt) + 1
        return "lose" if task.number == "1" and is_next else None

    records = sweep.run(2, script=lose)
    assert attempts(sweep) == {"s-0": 1, "s-1": 3}
    assert records.states() == ["COMPLETE"] * 2
    check_steps(records.runs[1, "lightning"], 3)


def test_a_trial_that_is_lost_too_often_has_failed_and_is_replaced(sweep: Sweep) -> None:
    sweep.change(retries=1)
    lose = partial(_lose_trial, number="1")
    records = sweep.run(3, script=lose, workers=2)
    assert records.states() == ["COMPLETE", "FAIL", "COMPLETE", "COMPLETE"]
    assert attempts(sweep)["s-1"] == 2
    assert records.trials[1].user_attrs[trials.REASON] == "lightning: lost 2 times, the last: its worker is gone"
    assert records.runs[1, "lightning"].status == "FAILED"
    assert records.trials[2].params != records.trials[1].params


def _lose_trial(task: Running, message: Any, number: str) -> Fault:
    return "lose" if task.number == number and isinstance(message, EpochDone) else None


def test_the_recipe_s_own_settings_are_never_replaced(sweep: Sweep) -> None:
    sweep.change(retries=1)
    with pytest.raises(TandemError) as caught:
        sweep.run(3, script=partial(_lose_trial, number="0"), workers=2)
    assert str(caught.value).startswith("sweep s: trial 0 (lightning): expected a training that succeeds; got 2 ")
    assert "\n" not in str(caught.value)
    records = sweep.records()
    assert records.states()[0] == "WAITING"
    assert {each.status for each in records.runs.values()} <= {"KILLED", "FINISHED"}
    again = sweep.run(3)
    assert again.states() == ["COMPLETE"] * 3
    assert again.trials[0].params == {"lr": 0.01, "dropout": 0.4, "momentum": 0.9}
    check_steps(again.runs[0, "lightning"], 2)


def test_a_confirmation_is_never_replaced(sweep: Sweep) -> None:
    sweep.change(retries=1)
    sweep.run(2)
    asked, where = ConfirmRequest("s", top=1, seeds=2), Where("inline", task=simulated)
    sweep.prepare(partial(_lose_trial, number="1"), workers=2)
    with pytest.raises(TandemError, match=r"trial 1 .lightning.: expected a training that succeeds; got 2 attempts"):
        confirm(sweep.project, sweep.params, asked, where)
    assert sweep.records("s-confirm").trials[1].state == TrialState.WAITING
    sweep.prepare(workers=2)
    made = confirm(sweep.project, sweep.params, asked, where)
    assert [sorted(each.values) for each in made.candidates] == [[2, 3]] * len(made.candidates)
    assert sweep.records("s-confirm").states() == ["COMPLETE"] * 2 * len(made.candidates)


def test_a_worker_that_fails_everything_is_put_aside_and_the_trials_go_elsewhere(sweep: Sweep) -> None:
    def fails(task: Running, message: Any) -> Fault:
        return Fails() if task.slot.name == "w0" else None

    records = sweep.run(4, script=fails, workers=2)
    assert records.states() == ["COMPLETE"] * 4
    assert sum(attempts(sweep).values()) == 4 + 2
    for each in records.runs.values():
        check_steps(each, 2)


@pytest.mark.parametrize("bad", [2, 3, 6])
def test_a_trial_that_only_broken_workers_failed_at_is_not_replaced(sweep: Sweep, bad: int) -> None:
    """Some fail at once (a GPU), some after an epoch (a disk): a trial goes from one to the other."""

    def fails(task: Running, message: Any) -> Fault:
        number = int(task.slot.name[1:])
        return Fails() if number < bad and isinstance(message, Begun if number % 2 else EpochDone) else None

    records = sweep.run(10, script=fails, workers=bad + 1)
    assert records.states() == ["COMPLETE"] * 10
    for each in records.runs.values():
        check_steps(each, 2)


def test_without_a_worker_that_trains_the_sweep_ends_with_one_line_and_the_trials_wait(sweep: Sweep) -> None:
    with pytest.raises(TandemError) as caught:
        sweep.run(3, script=lambda task, message: Fails("RuntimeError: CUDA error"), workers=1)
    assert str(caught.value) == (
        "sweep s: expected workers that train; got 1 put aside after failures, the last: RuntimeError: CUDA error; "
        "fix that, and repeat the command"
    )
    assert set(sweep.records().states()) == {"WAITING"}
    assert sweep.run(3).states() == ["COMPLETE"] * 3


# Ends that are the settings' own.


def test_a_diverged_trial_is_told_as_the_worst_and_counts(sweep: Sweep) -> None:
    records = sweep.run(3, task=partial(simulated, values=partial(diverges, number="1")))
    assert records.states() == ["COMPLETE"] * 3
    assert [trial.value for trial in records.trials][1] == math.inf
    assert records.trials[1].user_attrs[trials.REASON] == "lightning: train/loss is nan in epoch 2, step 1"
    each = records.runs[1, "lightning"]
    assert (each.status, each.state) == ("FAILED", "diverged: train/loss is nan in epoch 2, step 1")
    check_steps(each, 1)
    assert attempts(sweep) == {"s-0": 1, "s-1": 1, "s-2": 1}


def test_of_an_accuracy_the_worst_is_the_lowest(sweep: Sweep) -> None:
    sweep.change(objective="val/accuracy")
    records = sweep.run(2, task=partial(simulated, values=partial(diverges, number="1", at=1)))
    assert records.trials[1].value == -math.inf


def test_a_trial_that_is_worse_than_the_rest_is_pruned_but_never_the_recipe_s_own_settings(sweep: Sweep) -> None:
    sweep.change(pruner="median", epochs=3)

    def value(order: Order, epoch: int) -> float:
        number = int(order.key.recipe.split("-")[1])
        return {6: 99.0, 0: 50.0}.get(number, 1.0) + 1 / epoch

    records = sweep.run(7, task=partial(simulated, values=value))
    assert records.states() == ["COMPLETE"] * 6 + ["PRUNED"]
    assert records.trials[6].user_attrs[trials.PRUNED] == 1
    each = records.runs[6, "lightning"]
    assert (each.status, each.state) == ("FINISHED", "pruned")
    assert each.metrics["objective"] == [(1, 100.0)]
    check_steps(each, 1)


def test_the_recipe_s_own_settings_are_not_pruned_even_if_they_are_drawn_last(sweep: Sweep) -> None:
    sweep.change(pruner="median", epochs=3)
    name = "late"
    sweep.run(6, name=name)
    study = optuna.load_study(study_name=name, storage=connect(sweep.project))
    study.enqueue_trial({"lr": 0.01, "dropout": 0.4, "momentum": 0.9})
    records = sweep.run(7, name=name, task=partial(simulated, values=lambda order, epoch: 99.0))
    assert records.states()[6] == "COMPLETE"


def test_a_pruned_trial_that_is_lost_before_its_end_is_pruned_at_the_same_epoch(sweep: Sweep) -> None:
    sweep.change(pruner="median", epochs=3)

    def value(order: Order, epoch: int) -> float:
        return (99.0 if order.key.recipe == "s-6" else 1.0) + 1 / epoch

    seen: list[tuple[str, int]] = []

    def lose(task: Running, message: Any) -> Fault:
        if task.number == "6":
            seen.append((task.attempt, message.epoch))
        return "lose after" if task.number == "6" and seen[-1] == ("1", 1) else None

    records = sweep.run(7, script=lose, task=partial(simulated, values=value))
    # The checkpoint comes after the answer, which was lost: the epoch is trained again.
    assert seen == [("1", 0), ("1", 1), ("2", 0), ("2", 1)]
    assert records.states()[6] == "PRUNED"
    assert records.runs[6, "lightning"].metrics["objective"] == [(1, 100.0)]
    check_steps(records.runs[6, "lightning"], 1)
    assert attempts(sweep)["s-6"] == 2


# Pairs.


def test_a_trial_of_a_pair_is_trained_by_both_and_told_as_their_mean(sweep: Sweep) -> None:
    records = sweep.run(3, backends="both", workers=2)
    assert records.states() == ["COMPLETE"] * 3
    assert sorted(records.runs) == [(number, backend) for number in range(3) for backend in ("keras", "lightning")]
    for trial in records.trials:
        values = [records.runs[trial.number, backend].metrics["objective"] for backend in ("lightning", "keras")]
        assert trial.value == pytest.approx((values[0][0][1] + values[1][0][1]) / 2)
        assert values[1][0][1] - values[0][0][1] == pytest.approx(0.125)
        assert list(trial.intermediate_values) == [1, 2]
    # A process has one framework: each worker trained one of them.
    assert len({(order.key.backend, order.folder.parent.name) for order in sweep.engine.orders}) == 2
    for each in records.runs.values():
        check_steps(each, 2)


def test_a_worker_never_gets_the_other_framework(sweep: Sweep) -> None:
    trained: dict[str, set[str]] = {}

    def note(task: Running, message: Any) -> Fault:
        trained.setdefault(task.slot.address, set()).add(task.backend)
        return "lose" if (task.number, task.attempt, message.epoch) == ("1", "1", 2) else None

    records = sweep.run(4, backends="both", workers=3, script=note)
    assert records.states() == ["COMPLETE"] * 4
    assert {len(backends) for backends in trained.values()} == {1}


def test_a_pair_that_diverges_in_one_framework_is_told_and_not_dropped(sweep: Sweep) -> None:
    records = sweep.run(
        2,
        backends="both",
        workers=2,
        task=partial(simulated, values=partial(diverges, number="1", backend="keras")),
    )
    trial = records.trials[1]
    assert (trial.state, trial.value) == (TrialState.COMPLETE, math.inf)
    assert trial.user_attrs[trials.REASON] == "keras: train/loss is nan in epoch 2, step 1"
    done = trials.results(trial, ("lightning", "keras"))
    assert math.isfinite(done["lightning"].value)
    assert math.isnan(done["keras"].value)
    assert {backend: records.runs[1, backend].status for backend in ("lightning", "keras")} == {
        "lightning": "FINISHED",
        "keras": "FAILED",
    }


def test_a_member_that_is_done_is_not_trained_again_after_a_stop(sweep: Sweep) -> None:
    def stop(task: Running, message: Any) -> Fault:
        if task.backend == "keras" and task.number == "0" and message.epoch == 2:
            if any(each.backend == "lightning" and each.number == "0" for each in sweep.engine.running.values()):
                return "lose"
            raise Stopped(signal.SIGTERM)
        return None

    with pytest.raises(Stopped):
        sweep.run(2, backends="both", workers=2, script=stop)
    records = sweep.run(2, backends="both", workers=2)
    assert [order.key.backend for order in sweep.engine.orders if order.key.recipe == "s-0"] == ["keras"]
    assert records.states() == ["COMPLETE"] * 2
    for each in records.runs.values():
        check_steps(each, 2)


def test_when_one_member_fails_its_trial_the_other_s_worker_gets_nothing_before_it_is_free(sweep: Sweep) -> None:
    sweep.change(retries=0)

    def lose(task: Running, message: Any) -> Fault:
        is_it = task.number == "1" and task.backend == "keras" and isinstance(message, Begun)
        return "lose" if is_it else None

    # The engine refuses a task for a worker that has one.
    records = sweep.run(2, backends="both", workers=2, script=lose)
    assert records.states() == ["COMPLETE", "FAIL", "COMPLETE"]
    assert {records.runs[1, backend].status for backend in ("lightning",)} == {"FAILED"}


def test_if_all_that_is_left_has_the_other_framework_a_worker_is_replaced(sweep: Sweep) -> None:
    def fails(task: Running, message: Any) -> Fault:
        return Fails() if task.slot.name == "w1" else None

    records = sweep.run(2, backends="both", workers=2, script=fails)
    assert records.states() == ["COMPLETE"] * 2
    assert {slot.name for slot in sweep.engine.renewed} == {"w0"}


# Stops, and sweeps that are no continuation.


def test_a_stop_puts_everything_back(sweep: Sweep) -> None:
    def stop(task: Running, message: Any) -> Fault:
        if task.number == "2" and message.epoch == 2:
            raise Stopped(signal.SIGINT)
        return None

    with pytest.raises(Stopped):
        sweep.run(5, workers=2, script=stop)
    assert sweep.engine.closed
    records = sweep.records()
    assert "RUNNING" not in records.states()
    assert records.parents == ["KILLED"]
    open_trials = [trial.number for trial in records.trials if trial.state == TrialState.WAITING]
    assert 2 in open_trials
    assert {records.runs[number, "lightning"].status for number in open_trials} == {"KILLED"}
    before = [trial.params for trial in records.trials]
    again = sweep.run(5, workers=2)
    assert again.states() == ["COMPLETE"] * 5
    assert [trial.params for trial in again.trials][: len(before)] == before
    assert again.parents == ["FINISHED"]
    for each in again.runs.values():
        check_steps(each, 2)


def test_a_sweep_is_stopped_from_elsewhere(sweep: Sweep, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("experiments.sweep.watch.LOOK_SECONDS", 0)

    def ask(task: Running, message: Any) -> Fault:
        (live,) = sweep.project.sweep("s").glob("live.json")
        assert live.is_file()
        ask_to_stop(sweep.project.sweep("s"), tokens[0])
        return None

    tokens: list[str] = []
    acquire = Lease.acquire

    def note(lease: Lease, *, take_over: bool = False) -> None:
        acquire(lease, take_over=take_over)
        tokens.append(lease.token)

    monkeypatch.setattr(Lease, "acquire", note)
    with pytest.raises(Stopped):
        sweep.run(3, script=lambda task, message: ask(task, message) if message.epoch == 1 else None)
    assert set(sweep.records().states()) == {"WAITING"}
    assert not list(sweep.project.sweep("s").glob("stop-*"))


def test_an_engine_that_can_t_start_is_closed_and_leaves_the_study_as_it_was(
    sweep: Sweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(engine: ScriptedEngine, answer: object) -> None:
        raise TandemError("engines.slurm: expected sbatch; got none")

    with monkeypatch.context() as patch:
        patch.setattr(ScriptedEngine, "start", fails)
        with pytest.raises(TandemError, match="expected sbatch"):
            sweep.run(2)
    assert sweep.engine.closed
    assert sweep.records().parents == ["FAILED"]
    assert sweep.run(2).states() == ["COMPLETE"] * 2


def test_a_worker_on_another_device_ends_the_sweep(sweep: Sweep) -> None:
    sweep.run(1)
    with pytest.raises(TandemError, match="sweep s: expected workers on cpu, as it was begun; got one on cuda"):
        sweep.run(2, task=partial(simulated, device="cuda"))
    records = sweep.records()
    assert records.states() == ["COMPLETE", "WAITING"]
    assert sweep.run(2).states() == ["COMPLETE"] * 2


@pytest.mark.parametrize("what", ["code.lightning", "dataset"])
def test_a_sweep_is_not_continued_with_other_code_or_data(
    sweep: Sweep, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    sweep.run(1)

    def other(*args: Any, **settings: Any) -> Any:
        plan = make_plan(*args, **settings)
        return replace(plan, code={"lightning": "other"}) if what != "dataset" else replace(plan, dataset="other")

    monkeypatch.setattr("experiments.sweep.run.make_plan", other)
    with pytest.raises(TandemError, match=f"since study 's' was begun with {what} = .*; got other"):
        sweep.run(2)
    assert sweep.records().states() == ["COMPLETE"]
