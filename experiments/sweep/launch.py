"""Starts workers on this machine, replaces those that die, and ends when the budget is spent."""

import os
import subprocess
import sys
import time
from dataclasses import dataclass

import optuna

from experiments import tracking
from experiments.backend import threads_for
from experiments.checkpoint import sole_owner
from experiments.console import say, warn
from experiments.dataset import load_dataset
from experiments.errors import TandemError
from experiments.params import BackendName, Params
from experiments.project import Project
from experiments.stopping import FOLLOW
from experiments.sweep.queue import REASON, fill, finished, recover
from experiments.sweep.space import space_of
from experiments.sweep.storage import connect
from experiments.sweep.study import PARENT, Plan, make_plan, open_study

POLL_SECONDS = 0.5
# A sweep in which this many trials fail by their own fault for each that ends well is badly set up.
FAILURES_PER_TRIAL = 1


@dataclass(frozen=True)
class Asked:
    """What the command line asks for; None: what params.yaml says."""

    recipe: str
    backend: BackendName
    trials: int | None
    workers: int
    name: str | None


def run_sweep(project: Project, params: Params, asked: Asked) -> optuna.Study:
    """Start a study, or go on with it, until as many trials are finished as asked for; return it.

    Raises:
        TandemError: the recipe, its space, the storage or an older study of that name don't allow it, another process
            runs the study, or trials keep failing.
    """
    for option, value in (("--trials", asked.trials), ("--workers", asked.workers)):
        if value is not None and value < 1:
            raise TandemError(f"{option}: expected 1 or more; got {value}")
    space = space_of(params, asked.recipe)
    for setting, why in space.left_out.items():
        say(f"sweep: {setting} is left out: {why}")
    dataset = load_dataset(project.prepared)
    plan = make_plan(
        params,
        recipe=asked.recipe,
        backends=asked.backend,
        name=asked.name,
        space=space,
        dataset=dataset.fingerprint,
    )
    budget = asked.trials or params.sweep.trials
    with sole_owner(project.home / ".tandem" / "sweeps" / plan.name):
        study = open_study(connect(project), plan)
        experiment = tracking.connect(project)
        tags = {"sweep": plan.name, "recipe": plan.recipe_name, "backend": asked.backend, "dataset": dataset.name}
        known = tracking.find_run(study.user_attrs[PARENT]) if PARENT in study.user_attrs else None
        with tracking.track(
            f"sweep {plan.name}", experiment=experiment, tags=tags, resume=known.info.run_id if known else None
        ) as tracker:
            study.set_user_attr(PARENT, tracker.run_id)
            tracker.params({f"sweep.{key}": value for key, value in plan.summary().items()})
            Launcher(project, params, plan, study, budget, asked.workers).run()
            if finished(study):
                tracker.metrics([("best", study.best_value, budget)])
    return study


class Launcher:
    """Keeps workers at work."""

    def __init__(
        self, project: Project, params: Params, plan: Plan, study: optuna.Study, budget: int, workers: int
    ) -> None:
        self.project, self.params, self.plan, self.study = project, params, plan, study
        self.budget, self.workers = budget, workers
        self.processes: list[subprocess.Popen[bytes]] = []
        self.started = 0
        self.said = -1

    def run(self) -> None:
        """Return when the budget is spent; stop the workers on the way out, whatever happens."""
        try:
            while not self._turn():
                time.sleep(POLL_SECONDS)
        finally:
            self._stop()

    def _turn(self) -> bool:
        ended = [process for process in self.processes if process.poll() is not None]
        self.processes = [process for process in self.processes if process.poll() is None]
        for process in ended:
            if process.returncode == TandemError.exit_code:
                raise TandemError(f"sweep {self.plan.name}: a worker refused to work; mend what it says and repeat")
        back, failed = recover(self.study, retries=self.plan.retries)
        if back:
            warn(f"sweep {self.plan.name}: trial(s) {back} lost their worker, and wait again")
        if failed:
            warn(f"sweep {self.plan.name}: trial(s) {failed} lost too many workers, and count as failed")
        self._check_failures()
        fill(self.study, self.budget)
        done = finished(self.study)
        if done != self.said:
            say(f"sweep {self.plan.name}: {done}/{self.budget} trials{self._best()}")
            self.said = done
        if done >= self.budget:
            return True
        states = (optuna.trial.TrialState.WAITING,)
        waiting = len(self.study.get_trials(deepcopy=False, states=states))
        while len(self.processes) < self.workers and waiting > 0:
            self._start()
            waiting -= 1
        return False

    def _best(self) -> str:
        try:
            return f", best {self.plan.objective} {self.study.best_value:.4f}"
        except ValueError:
            return ""

    def _check_failures(self) -> None:
        failed = self.study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.FAIL,))
        if len(failed) > FAILURES_PER_TRIAL * self.budget:
            reason = failed[-1].user_attrs.get(REASON, "unknown")
            raise TandemError(
                f"sweep {self.plan.name}: expected most trials to end well; got {len(failed)} that failed, the last "
                f"with {reason}; narrow the space in params.yaml"
            )

    def _start(self) -> None:
        threads = max(1, threads_for(self.params.train.threads) // self.workers)
        command = [sys.executable, "-m", "experiments", "sweep", "worker", self.plan.name, self.plan.backends]
        options = ["--threads", str(threads), "--number", str(self.started)]
        # NumPy's own threads would come on top.
        environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "OPENBLAS_NUM_THREADS": str(threads)}
        environment[FOLLOW] = "1"
        self.processes.append(subprocess.Popen([*command, *options], cwd=self.project.root, env=environment))
        self.started += 1

    def _stop(self) -> None:
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            process.wait()
        # A worker that was stopped puts its trial back itself; one that was killed can't.
        recover(self.study, retries=self.plan.retries)
