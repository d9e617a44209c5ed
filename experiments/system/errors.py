"""Errors that are the user's to mend or to cause; neither is shown with a traceback."""


class TandemError(Exception):
    """A mistake in the settings, the data or the surroundings; the message is one line that says what to do.

    The command line exits with `exit_code`.
    """

    exit_code = 2


class Stopped(BaseException):
    """Somebody asked the process to stop: Ctrl-C, SIGTERM, or the end of the `dvc repro` that started it.

    No Exception, so that no handler on the way takes it for a failure.
    """

    def __init__(self, signal: int) -> None:
        super().__init__(signal)
        self.exit_code = 128 + signal
