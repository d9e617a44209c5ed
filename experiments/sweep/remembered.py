# ruff: noqa: D102 - Optuna describes these methods
"""Optuna's storage as its only writer may use it: a trial is read again only after something was written to it.

Optuna lists the trials twice to draw one, and once an epoch to prune, and each time its own cache reads all that are
running, so that the cost of a trial grows with the number of workers.
"""

import copy
from collections.abc import Container, Sequence
from typing import Any

from optuna.distributions import BaseDistribution
from optuna.storages import BaseStorage
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState


class Remembered(BaseStorage):
    """Passes everything on to a storage, and keeps the trials of the one study that it is used for."""

    def __init__(self, storage: BaseStorage) -> None:
        self._storage = storage
        self._trials: list[FrozenTrial] | None = None
        # The ids of those that are to be read again.
        self._written: set[int] = set()

    def get_all_trials(
        self, study_id: int, deepcopy: bool = True, states: Container[TrialState] | None = None
    ) -> list[FrozenTrial]:
        if self._trials is None:
            self._written.clear()
            self._trials = self._storage.get_all_trials(study_id, deepcopy=False)
        for trial in sorted(map(self._storage.get_trial, self._written), key=lambda trial: trial.number):
            self._trials[trial.number : trial.number + 1] = [trial]
        self._written.clear()
        found = [trial for trial in self._trials if states is None or trial.state in states]
        return copy.deepcopy(found) if deepcopy else found

    def _write(self, trial_id: int) -> BaseStorage:
        self._written.add(trial_id)  # before it is: a write that fails may have arrived
        return self._storage

    def create_new_trial(self, study_id: int, template_trial: FrozenTrial | None = None) -> int:
        known, self._trials = self._trials, None  # a trial whose creation fails may be there, and has no id
        trial_id = self._storage.create_new_trial(study_id, template_trial)
        self._trials = known
        self._written.add(trial_id)
        return trial_id

    def set_trial_param(
        self, trial_id: int, param_name: str, param_value_internal: float, distribution: BaseDistribution
    ) -> None:
        self._write(trial_id).set_trial_param(trial_id, param_name, param_value_internal, distribution)

    def set_trial_state_values(self, trial_id: int, state: TrialState, values: Sequence[float] | None = None) -> bool:
        return self._write(trial_id).set_trial_state_values(trial_id, state, values)

    def set_trial_intermediate_value(self, trial_id: int, step: int, intermediate_value: float) -> None:
        self._write(trial_id).set_trial_intermediate_value(trial_id, step, intermediate_value)

    def set_trial_user_attr(self, trial_id: int, key: str, value: Any) -> None:
        self._write(trial_id).set_trial_user_attr(trial_id, key, value)

    def set_trial_system_attr(self, trial_id: int, key: str, value: Any) -> None:
        self._write(trial_id).set_trial_system_attr(trial_id, key, value)

    def get_trial(self, trial_id: int) -> FrozenTrial:
        return self._storage.get_trial(trial_id)

    def get_trial_id_from_study_id_trial_number(self, study_id: int, trial_number: int) -> int:
        return self._storage.get_trial_id_from_study_id_trial_number(study_id, trial_number)

    def create_new_study(self, directions: Sequence[StudyDirection], study_name: str | None = None) -> int:
        return self._storage.create_new_study(directions, study_name)

    def delete_study(self, study_id: int) -> None:
        self._storage.delete_study(study_id)

    def set_study_user_attr(self, study_id: int, key: str, value: Any) -> None:
        self._storage.set_study_user_attr(study_id, key, value)

    def set_study_system_attr(self, study_id: int, key: str, value: Any) -> None:
        self._storage.set_study_system_attr(study_id, key, value)

    def get_study_id_from_name(self, study_name: str) -> int:
        return self._storage.get_study_id_from_name(study_name)

    def get_study_name_from_id(self, study_id: int) -> str:
        return self._storage.get_study_name_from_id(study_id)

    def get_study_directions(self, study_id: int) -> list[StudyDirection]:
        return self._storage.get_study_directions(study_id)

    def get_study_user_attrs(self, study_id: int) -> dict[str, Any]:
        return self._storage.get_study_user_attrs(study_id)

    def get_study_system_attrs(self, study_id: int) -> dict[str, Any]:
        return self._storage.get_study_system_attrs(study_id)

    def get_all_studies(self) -> Any:
        return self._storage.get_all_studies()

    def remove_session(self) -> None:
        self._storage.remove_session()
