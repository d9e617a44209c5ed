"""Which worker gets which framework, and which gets nothing any more."""

from dataclasses import dataclass

from experiments.dispatch.slots import Slots
from experiments.engine.engine import Slot
from experiments.settings.recipe import BackendName

BOTH: tuple[BackendName, ...] = ("lightning", "keras")
A, B, C, D = (Slot(f"{name}#1", name, "node", "") for name in "abcd")


@dataclass
class Busy:
    slot: Slot


def connected(*slots: Slot, **loaded: BackendName) -> Slots:
    made = Slots()
    made.update(slots)
    made.loaded = {f"{name}#1": backend for name, backend in loaded.items()}
    return made


def test_the_frameworks_are_balanced() -> None:
    slots = connected(A, B, C, D)
    for slot in (A, B, C, D):
        slots.loaded[slot.address] = slots.backends_for(slot, BOTH)[0]
    assert sorted(slots.loaded.values()) == ["keras", "keras", "lightning", "lightning"]


def test_a_process_keeps_its_framework_and_the_one_that_replaces_it_has_none() -> None:
    slots = connected(A, B, a="keras")
    assert slots.backends_for(A, BOTH) == ["keras"]
    slots.update([Slot("a#2", "a", "node", ""), B])
    assert slots.loaded == {}
    assert set(slots.backends_for(slots.connected[0], BOTH)) == set(BOTH)


def test_workers_that_were_put_aside_count_for_no_framework() -> None:
    slots = connected(A, B, C, a="lightning", b="keras")
    assert slots.backends_for(C, BOTH)[0] == "lightning"
    slots.aside["a"] = "CUDA error"
    assert slots.backends_for(C, BOTH)[0] == "lightning"
    slots.aside = {"b": "CUDA error"}
    assert slots.backends_for(C, BOTH)[0] == "keras"


def test_who_has_a_training_is_not_idle() -> None:
    slots = connected(A, B)
    assert list(slots.idle({"key": Busy(A)})) == [B]


def test_two_failures_in_a_row_put_a_worker_aside() -> None:
    slots = connected(A, B)
    slots.has_failed(A, "first", lost=False)
    assert list(slots.idle({})) == [A, B]
    slots.has_failed(A, "second", lost=False)
    assert list(slots.idle({})) == [B]
    assert slots.aside == {"a": "second"}
    assert slots.hopeless() is None
    # The process that replaces it is on the same device.
    slots.update([Slot("a#2", "a", "node", ""), B])
    assert list(slots.idle({})) == [B]


def test_an_epoch_in_between_forgets_the_failures() -> None:
    slots = connected(A)
    slots.has_failed(A, "first", lost=False)
    slots.has_worked(A)
    slots.has_failed(A, "second", lost=False)
    assert slots.aside == {}


def test_a_process_may_be_lost_more_often() -> None:
    slots = connected(A)
    for _ in range(4):
        slots.has_failed(A, "gone", lost=True)
    assert slots.aside == {}
    slots.has_failed(A, "gone", lost=True)
    assert slots.aside == {"a": "gone"}


def test_all_aside_is_hopeless_until_another_connects() -> None:
    slots = connected(A)
    for reason in ("first", "second"):
        slots.has_failed(A, reason, lost=False)
    assert slots.hopeless() == "second"
    slots.update([A, B])
    assert slots.hopeless() is None
    slots.update([])  # a new job may be on its way
    assert slots.hopeless() is None


def test_a_worker_is_stuck_if_only_the_other_framework_has_trials_and_nobody_else_can_train_them() -> None:
    slots = connected(A, B, a="lightning", b="lightning")
    assert slots.is_stuck(A, {"keras"})
    assert not slots.is_stuck(A, {"lightning"})
    assert not slots.is_stuck(A, set())


def test_a_worker_is_not_stuck_while_another_has_that_framework_or_none_yet() -> None:
    assert not connected(A, B, a="lightning", b="keras").is_stuck(A, {"keras"})
    assert not connected(A, B, a="lightning").is_stuck(A, {"keras"})
    slots = connected(A, B, a="lightning", b="keras")
    slots.aside["b"] = "CUDA error"
    assert slots.is_stuck(A, {"keras"})
