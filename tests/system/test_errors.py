import pickle

from experiments.system.errors import TandemError


def test_the_message_has_problem_and_advice_also_in_another_process() -> None:
    error = TandemError("a: expected b; got c", advice="do this; then that")
    for each in (error, pickle.loads(pickle.dumps(error))):  # noqa: S301
        assert str(each) == "a: expected b; got c; do this; then that"
        assert (each.problem, each.advice) == ("a: expected b; got c", "do this; then that")


def test_a_message_alone_is_the_problem() -> None:
    error = TandemError("a: expected b; got c; do this")
    assert (str(error), error.problem, error.advice) == ("a: expected b; got c; do this", str(error), "")
