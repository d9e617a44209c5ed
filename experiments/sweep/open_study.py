"""A study as its controller works on it: trials are drawn, put back, and have a folder each while they are trained."""

from collections.abc import Set
from dataclasses import dataclass, field
from pathlib import Path

import optuna
from optuna.trial import TrialState

from experiments.sweep.drawing import next_trial
from experiments.sweep.patience import patiently
from experiments.sweep.plan import Plan
from experiments.sweep.samplers import make_sampler


@dataclass
class OpenStudy:
    """A study, where it is kept, its plan, and the folder of what its trials leave on disk."""

    study: optuna.Study
    storage: optuna.storages.BaseStorage
    plan: Plan
    folder: Path
    # The numbers of the trials to draw next; empty: not known. Listing them takes longer the more of them run.
    _upcoming: list[int] = field(default_factory=list)

    def trial_folder(self, number: int) -> Path:
        """Return where the attempts at a trial keep what they need to resume."""
        return self.folder / "trials" / str(number)

    def epochs(self, number: int) -> Set[int]:
        """Return the epochs of a trial that Optuna has."""
        return patiently(lambda: self.study.get_trials(deepcopy=False)[number].intermediate_values.keys())

    def ask(self, mine: Set[int]) -> optuna.Trial:
        """Return the next trial: one that waits, or a new one; `mine` are those that this process has open.

        What a trial draws depends on its number, not on when this process began.
        """
        upcoming, self._upcoming = self._upcoming, []
        if not upcoming:  # at first, and in a repeat: a trial may have been created, and only its answer was lost
            self.adopt(mine)
            known = self.study.get_trials(deepcopy=False)
            upcoming = [*(trial.number for trial in known if trial.state == TrialState.WAITING), len(known)]
        self.study.sampler = make_sampler(self.plan, drawn=upcoming[0])
        trial = next_trial(self.study, self.plan.ranges)
        self._upcoming = upcoming[1:] or [trial.number + 1]
        return trial

    def adopt(self, mine: Set[int]) -> None:
        """Put back the running trials that nobody trains: those of a controller that was killed."""
        for trial in self.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            if trial.number not in mine:
                self.put_back(trial.number)

    def put_back(self, number: int) -> None:
        """Let a running trial wait, with all that it has."""
        study_id = self.storage.get_study_id_from_name(self.study.study_name)
        trial_id = self.storage.get_trial_id_from_study_id_trial_number(study_id, number)
        self.storage.set_trial_state_values(trial_id, TrialState.WAITING)
