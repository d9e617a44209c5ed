"""A trial that is being drawn: it has its parameters here, and is written to the storage in one go."""

from dataclasses import dataclass

from optuna.trial import FrozenTrial


@dataclass
class Draft:
    """A trial that is being drawn; `is_sent`: the storage may have it."""

    trial_id: int
    study_id: int
    trial: FrozenTrial
    is_sent: bool = False
