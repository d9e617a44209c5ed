"""The one error that is the user's to mend."""


class TandemError(Exception):
    """A mistake in the settings, the data or the surroundings; the message is one line that says what to do.

    The command line prints it without a traceback and exits with `exit_code`.
    """

    exit_code = 2
