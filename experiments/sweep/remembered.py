# ruff: noqa: D102 - Optuna describes these methods
"""Optuna's storage as its only writer may use it: what was written isn't read again, and a trial is drawn in one write.

Optuna lists the trials twice to draw one, and once an epoch to prune, and each time its own cache reads all that are
running, so that the cost of a trial grows with the number of workers. It writes a new trial, each of its parameters,
and what its sampler notes, in transactions of their own.
"""

import copy
import json
from collections.abc import Container, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from optuna.distributions import BaseDistribution
from optuna.storages import BaseStorage
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from experiments.sweep.delegated import DelegatedStudies
from experiments.sweep.draft import Draft
from experiments.system.errors import TandemError


class Remembered(DelegatedStudies):
    """Passes everything on to a storage, and keeps the trials of the one study that it is used for.

    A new trial is a draft while it is drawn, and is written with the first attribute that a user gives it. A kill
    before leaves nothing of it.
    """

    def __init__(self, storage: BaseStorage) -> None:
        super().__init__(storage)
        self._trials: list[FrozenTrial] | None = None
        self._directions: dict[int, list[StudyDirection]] = {}
        self._draft: Draft | None = None
        # The numbers of trials by their ids, and the storage's ids of those that were drafts here.
        self._numbers: dict[int, int] = {}
        self._stored: dict[int, int] = {}
        # The storage's ids of those that are to be read again.
        self._stale: set[int] = set()

    # Reading.

    def get_all_trials(
        self, study_id: int, deepcopy: bool = True, states: Container[TrialState] | None = None
    ) -> list[FrozenTrial]:
        if self._trials is None:
            self._stale.clear()
            self._trials = self._storage.get_all_trials(study_id, deepcopy=False)
        self._read_stale()
        found = [trial for trial in self._trials if states is None or trial.state in states]
        return copy.deepcopy(found) if deepcopy else found

    def get_trial(self, trial_id: int) -> FrozenTrial:
        return copy.deepcopy(self._known(trial_id))

    def _known(self, trial_id: int) -> FrozenTrial:
        if self._trials is None or trial_id not in self._numbers:
            trial = self._storage.get_trial(self._stored.get(trial_id, trial_id))
            self._numbers[trial_id] = trial.number
            return trial
        self._read_stale()
        return self._trials[self._numbers[trial_id]]

    def _read_stale(self) -> None:
        for trial_id in sorted(self._stale) if self._trials is not None else ():
            self._keep(self._storage.get_trial(trial_id))
            self._stale.remove(trial_id)

    def _keep(self, trial: FrozenTrial) -> None:
        if self._trials is not None:
            self._trials[trial.number : trial.number + 1] = [trial]

    # Writing.

    @contextmanager
    def _writing(self, trial_id: int) -> Iterator[tuple[int, FrozenTrial]]:
        """Yield a trial's id in the storage, and what is known of it; that is read again unless the write succeeds."""
        self._write_draft()
        changed, stored = copy.copy(self._known(trial_id)), self._stored.get(trial_id, trial_id)
        self._stale.add(stored)
        yield stored, changed
        self._keep(changed)
        self._stale.discard(stored)

    def _drawn(self, trial_id: int) -> FrozenTrial | None:
        """Return a trial if it is a draft that wasn't sent."""
        draft = self._draft
        return draft.trial if draft and draft.trial_id == trial_id and not draft.is_sent else None

    def create_new_trial(self, study_id: int, template_trial: FrozenTrial | None = None) -> int:
        self._write_draft()
        if template_trial is not None:
            self._trials = None
            return self._storage.create_new_trial(study_id, template_trial)
        number = len(self.get_all_trials(study_id, deepcopy=False))
        trial_id = -1 - number
        trial = FrozenTrial(number, TrialState.RUNNING, None, datetime.now(), None, {}, {}, {}, {}, {}, trial_id)
        self._keep(trial)
        self._draft, self._numbers[trial_id] = Draft(trial_id, study_id, trial), number
        return trial_id

    def _write_draft(self) -> None:
        """Write the trial that was drawn, if there is one; a repeat finds it if only the answer was lost.

        Raises:
            TandemError: another process has added a trial.
        """
        if (draft := self._draft) is None:
            return
        number, study_id = draft.trial.number, draft.study_id
        there = self._storage.get_all_trials(study_id, deepcopy=False)[number:] if draft.is_sent else []
        draft.is_sent = True
        created = None if there else self._storage.create_new_trial(study_id, draft.trial)
        stored = self._storage.get_trial_id_from_study_id_trial_number(study_id, number)
        if created not in (None, stored) or any(trial.params != draft.trial.params for trial in there[:1]):
            raise TandemError(f"expected to be the only writer of the study; got a trial {number} of another process")
        self._stored[draft.trial_id], self._numbers[stored], self._draft = stored, number, None

    def set_trial_param(
        self, trial_id: int, param_name: str, param_value_internal: float, distribution: BaseDistribution
    ) -> None:
        if drawn := self._drawn(trial_id):
            drawn.distributions[param_name] = distribution
            drawn.params[param_name] = distribution.to_external_repr(param_value_internal)
            return
        with self._writing(trial_id) as (stored, _):
            self._storage.set_trial_param(stored, param_name, param_value_internal, distribution)
        self._stale.add(stored)

    def set_trial_state_values(self, trial_id: int, state: TrialState, values: Sequence[float] | None = None) -> bool:
        with self._writing(trial_id) as (stored, trial):
            done = self._storage.set_trial_state_values(stored, state, values)
            trial.state, trial.values = state, values if values is not None else trial.values
            # The storage notes the time a moment earlier.
            trial.datetime_complete = datetime.now() if state.is_finished() else None
        if not (done and state.is_finished()):
            self._stale.add(stored)
        return done

    def set_trial_intermediate_value(self, trial_id: int, step: int, intermediate_value: float) -> None:
        with self._writing(trial_id) as (stored, trial):
            self._storage.set_trial_intermediate_value(stored, step, intermediate_value)
            trial.intermediate_values = trial.intermediate_values | {step: intermediate_value}

    def set_trial_user_attr(self, trial_id: int, key: str, value: Any) -> None:
        known = json.loads(json.dumps(value))
        if drawn := self._drawn(trial_id):
            drawn.user_attrs[key] = known
            self._write_draft()
            return
        with self._writing(trial_id) as (stored, trial):
            self._storage.set_trial_user_attr(stored, key, value)
            trial.user_attrs = trial.user_attrs | {key: known}

    def set_trial_system_attr(self, trial_id: int, key: str, value: Any) -> None:
        if drawn := self._drawn(trial_id):
            drawn.system_attrs[key] = value
            return
        with self._writing(trial_id) as (stored, _):
            self._storage.set_trial_system_attr(stored, key, value)
        self._stale.add(stored)

    def get_trial_id_from_study_id_trial_number(self, study_id: int, trial_number: int) -> int:
        self._write_draft()
        return self._storage.get_trial_id_from_study_id_trial_number(study_id, trial_number)

    # Studies.

    def get_study_directions(self, study_id: int) -> list[StudyDirection]:
        # TPE asks for them once for each pruned trial.
        if study_id not in self._directions:
            self._directions[study_id] = self._storage.get_study_directions(study_id)
        return self._directions[study_id]
