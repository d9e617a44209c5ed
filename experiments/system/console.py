"""What the commands say: results on standard output, everything else on standard error."""

import sys


def say(message: str) -> None:
    """Print a line about what is going on."""
    print(message, file=sys.stderr, flush=True)


def warn(message: str) -> None:
    """Print a warning that can't be overlooked."""
    say(f"WARNING: {message}")
