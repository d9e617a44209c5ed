"""How a task is run, whatever the engine: its exceptions become one line, as not every framework's can be pickled."""

from collections.abc import Callable

from experiments.engine.engine import EngineClosed
from experiments.system.errors import Stopped, TandemError

# TensorFlow's messages begin with a traceback; the reason is at their end.
LONGEST = 300


def run_task(call: Callable[[], object]) -> tuple[object, str | None]:
    """Return the result of a task, and one line on the exception that it raised, if it did.

    Raises:
        EngineClosed: the task raised it.
        Stopped: the process is to stop.
    """
    try:
        return call(), None
    except (EngineClosed, Stopped):
        raise
    except TandemError as error:
        return None, str(error)
    except Exception as error:
        return None, f"{type(error).__name__}: {' '.join(str(error).split())[-LONGEST:]}"
