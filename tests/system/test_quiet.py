"""What native code writes to standard error is held back, and shown where it may tell why something failed."""

import os

import pytest

from experiments.system.quiet import quiet_native_stderr


@pytest.mark.parametrize(
    ("fails", "shown_if_it_fails", "shown"), [(False, True, ""), (True, True, "log\n"), (True, False, "")]
)
def test_a_native_log_is_shown_where_nothing_else_tells_of_a_failure(
    capfd: pytest.CaptureFixture[str], *, fails: bool, shown_if_it_fails: bool, shown: str
) -> None:
    def work() -> None:
        with quiet_native_stderr(shown_if_it_fails=shown_if_it_fails):
            os.write(2, b"log\n")
            if fails:
                raise ValueError("damaged")

    if fails:
        with pytest.raises(ValueError, match="damaged"):
            work()
    else:
        work()
    os.write(2, b"after\n")
    assert capfd.readouterr().err == f"{shown}after\n"
