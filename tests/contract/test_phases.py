from itertools import count
from types import SimpleNamespace

import pytest

from experiments.contract import phases as module
from experiments.contract.phases import PHASES, Phases


@pytest.fixture(autouse=True)
def ticking(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a second pass between two looks at the clock."""
    seconds = count()
    monkeypatch.setattr(module, "time", SimpleNamespace(perf_counter=lambda: float(next(seconds))))


def spent(phases: Phases) -> dict[str, float]:
    return {phase: seconds for phase, seconds in phases.seconds().items() if seconds}


def test_an_inner_phase_is_taken_from_the_one_around_it() -> None:
    phases = Phases()
    with phases("training"), phases("scoring"), phases("checkpoints"):
        pass
    with pytest.raises(ValueError, match="bug"), phases("logging"):
        raise ValueError("bug")
    assert spent(phases) == {"training": 2, "scoring": 2, "checkpoints": 1, "logging": 1, "other": 3}


def test_the_next_training_of_a_process_begins_at_0() -> None:
    phases = Phases()
    with phases("training"):
        pass
    phases.restart(imports=2.5)
    assert spent(phases) == {"imports": 2.5, "other": 1}
    assert list(phases.seconds()) == list(PHASES)


def test_earlier_processes_are_added() -> None:
    phases = Phases()
    phases.add({"training": 10.0, "a phase of another version": 1.0})
    assert spent(phases) == {"training": 10, "other": 1}
