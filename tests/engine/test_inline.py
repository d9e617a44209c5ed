"""The engine in this process."""

from experiments.engine.inline import InlineEngine
from tests.engine import work
from tests.engine.conftest import Heard


def test_tasks_run_one_after_the_other_and_talk() -> None:
    heard = Heard(InlineEngine())
    (slot,) = heard.engine.slots()
    heard.engine.submit("a", slot, work.talk, 2)
    assert not heard.reports
    assert heard.end("a").result == [("answer", 0), ("answer", 1)]
    heard.engine.submit("b", slot, work.fail, known=False)
    assert heard.end("b").error == "LocalError: two lines"
    heard.engine.submit("c", slot, work.fail, known=True)
    assert heard.end("c").error == "a: expected b; got c"
    heard.engine.renew(slot)
    heard.engine.submit("d", slot, work.talk, 1)
    heard.engine.close()
    assert not list(heard.engine.events(0))
