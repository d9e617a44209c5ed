"""Errors that are shown without a traceback: a user's mistake, and a request to stop."""


class TandemError(Exception):
    """A mistake in the settings, the data or the environment; the message is one line that says what to do next.

    Where a table shows the two apart, `problem` is what is wrong and `advice` what to do; the message has both. The
    command line exits with `exit_code`.
    """

    exit_code = 2

    def __init__(self, problem: str, *, advice: str = "") -> None:
        super().__init__(f"{problem}; {advice}" if advice else problem)
        self.problem, self.advice = problem, advice


class Stopped(BaseException):
    """A request to stop the process: Ctrl-C, SIGTERM, or the end of the `dvc repro` that started it.

    Not an Exception, so that no handler on the way takes it for a failure.
    """

    def __init__(self, signal: int) -> None:
        super().__init__(signal)
        self.exit_code = 128 + signal
