"""What is said of an error: one line, if it is a user's mistake, the machine's, or a store's."""

from experiments.system.errors import TandemError

# By name, since importing MLflow and Optuna takes seconds.
OF_STORES = {"MlflowException", "StorageInternalError", "DBAPIError"}


def problem_of(error: Exception) -> str | None:
    """Return what was wrong and what to do about it; None: it is a bug of ours, and needs its traceback."""
    from experiments.system.urls import one_line

    if isinstance(error, TandemError):
        return str(error)
    if isinstance(error, OSError):  # a full disk, a folder that can't be written, a file where a folder should be
        place = error.filename2 or error.filename  # of a copy, where it goes to: that disk is the full one
        where = f"{place}: " if place else ""
        return f"{where}{error.strerror or one_line(error)}; fix that, and repeat the command"
    if {kind.__name__ for kind in type(error).__mro__} & OF_STORES:
        return f"a store failed: {type(error).__name__}: {one_line(error)}; fix that, and repeat the command"
    return None
