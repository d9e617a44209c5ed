"""The controller, with simulated workers on an engine whose every event is scripted; both stores are real."""

from tests.sweep.conftest import Sweep
from tests.sweep.simulated import check_steps


def test_a_budget_is_met_exactly(sweep: Sweep) -> None:
    books = sweep.run(5, workers=3)
    assert books.states() == ["COMPLETE"] * 5
    assert {member: (run.status, run.state) for member, run in books.runs.items()} == {
        (number, "lightning"): ("FINISHED", "complete") for number in range(5)
    }
    for trial in books.trials:
        run = books.runs[trial.number, "lightning"]
        check_steps(run, 2)
        assert run.metrics["objective"] == [(2, trial.value)]
        assert trial.intermediate_values == dict(run.metrics["val/loss"])
    assert books.parents == ["FINISHED"]
    assert sweep.engine.closed
    # A repeat has nothing to do; a larger budget goes on.
    assert sweep.run(5).states() == ["COMPLETE"] * 5
    assert sweep.run(6).states() == ["COMPLETE"] * 6
