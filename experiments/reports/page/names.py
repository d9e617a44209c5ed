"""How things are called on the page."""

NAMES = {"lightning": "Lightning", "keras": "Keras"}


def name_of(backend: str) -> str:
    """Return the name of a framework."""
    return NAMES.get(backend, backend)


def percent(value: float, digits: int = 2) -> str:
    """Return a fraction in per cent."""
    return f"{100 * value:.{digits}f}\u00a0%"


def points(value: float, digits: int = 2) -> str:
    """Return a difference of fractions in percentage points, with its sign."""
    return f"{100 * value:+.{digits}f} points"
