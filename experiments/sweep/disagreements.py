"""What a study, MLflow's runs of it and the folders of its trials say of each other, and where they disagree."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from optuna.trial import FrozenTrial, TrialState

from experiments.sweep.open_study import OpenStudy
from experiments.sweep.rewriting import REWRITTEN, rewrite, rewritten
from experiments.sweep.runs import PARENT_RUN, SWEEP, TRIAL
from experiments.sweep.study import PARENT
from experiments.sweep.trials import OPEN, results, run_key
from experiments.tracking import abandoned, owner, runs


@dataclass(frozen=True)
class Disagreement:
    """What is wrong, what fixes it, and how; `repair` is None for what a person has to decide."""

    study: str
    what: str
    remedy: str
    repair: Callable[[], object] | None


class Records:
    """A study, the runs that MLflow has of it, and the folders of its trials."""

    def __init__(self, target: OpenStudy, experiment: str, *, is_held: bool) -> None:
        self.target, self.experiment, self.is_held = target, experiment, is_held
        self.study, self.plan = target.study, target.plan
        self.trials = self.study.get_trials(deepcopy=False)
        # Of every member's run, whether the member is done.
        self.known = {
            trial.user_attrs.get(run_key(backend)): backend in results(trial, self.plan.backends_of_trial)
            for trial in self.trials
            for backend in self.plan.backends_of_trial
        }
        self.runs = {run.info.run_id: run for run in runs.search(experiment, f"tags.`{SWEEP}` = '{self.plan.name}'")}

    def disagreements(self) -> Iterator[Disagreement]:
        """Yield what disagrees."""
        yield from self._processes()
        yield from self._parent()
        for trial in self.trials:
            yield from self._trial(trial)
        yield from self._strangers()
        yield from self._folders()

    def _say(self, what: str, remedy: str, repair: Callable[[], object] | None) -> Disagreement:
        return Disagreement(self.plan.name, what, remedy, repair)

    def _processes(self) -> Iterator[Disagreement]:
        if self.is_held:
            return
        if running := [trial.number for trial in self.trials if trial.state == TrialState.RUNNING]:
            what = f"trial(s) {running} are RUNNING, and nobody trains them"
            yield self._say(what, "let them wait again", lambda: self.target.adopt(set()))
        for run_id, run in self.runs.items():
            if owner.is_abandoned(run) and not self.known.get(run_id):
                what = f"run {run_id} is RUNNING without a process"
                yield self._say(what, "mark it as KILLED", partial(abandoned.close_abandoned, run))

    def _parent(self) -> Iterator[Disagreement]:
        parent = self.study.user_attrs.get(PARENT)
        if parent is not None and parent not in self.runs:
            yield self._say(
                f"its run {parent} is not in MLflow",
                "restore it (`mlflow runs restore`), or resume the sweep, which opens another for all trials",
                None,
            )

    def _trial(self, trial: FrozenTrial) -> Iterator[Disagreement]:
        done = results(trial, self.plan.backends_of_trial)
        for backend in self.plan.backends_of_trial:
            if backend not in done and trial.state != TrialState.PRUNED:
                continue
            run_id = trial.user_attrs.get(run_key(backend))
            run = self.runs.get(run_id) or rewritten(self.runs.values(), trial.number, backend)
            what = f"trial {trial.number} ({backend}) is {trial.state.name}, and its run {run_id}"
            if run is None:
                yield self._say(
                    f"{what} is not in MLflow",
                    "write a run of its settings and objective, marked as written afterwards",
                    partial(rewrite, self.target, self.experiment, trial, backend),
                )
                continue
            right = "FAILED" if backend in done and done[backend].diverged else "FINISHED"
            if run.info.status not in (right, "RUNNING") or owner.is_abandoned(run):
                what = f"{what} is {run.info.status}"
                yield self._say(what, f"mark the run as {right}", partial(runs.end_run, run.info.run_id, right))

    def _strangers(self) -> Iterator[Disagreement]:
        for run_id, run in self.runs.items():
            tags = run.data.tags
            # Those of another study of this name, in another database, are none of ours.
            ours = TRIAL in tags and tags.get(PARENT_RUN) == self.study.user_attrs.get(PARENT)
            if not ours or REWRITTEN in tags or run_id in self.known or self._will_be_taken_up(run):
                continue
            yield self._say(
                f"run {run_id} says it is trial {tags[TRIAL]}, which doesn't know it",
                "delete the run (`mlflow runs restore` brings it back)",
                partial(runs.delete_run, run_id),
            )

    def _folders(self) -> Iterator[Disagreement]:
        ended = [trial.number for trial in self.trials if trial.state.is_finished()]
        if left := [number for number in ended if self.target.trial_folder(number).exists()]:
            folders = [self.target.trial_folder(number) for number in left]
            what = f"trial(s) {left} have ended, and their checkpoints are still there"
            yield self._say(what, "delete them", partial(_delete, folders))

    def _will_be_taken_up(self, run: runs.Run) -> bool:
        """Return whether the trial will find the run by its tags: it is open, and knows none yet."""
        number = int(run.data.tags[TRIAL])
        if number >= len(self.trials):
            return False
        trial = self.trials[number]
        return trial.state in OPEN and not trial.user_attrs.get(run_key(run.data.tags["backend"]))


def _delete(folders: Sequence[Path]) -> None:
    for folder in folders:
        shutil.rmtree(folder)
