"""Starts workers on this machine, replaces those that die, and ends when the budget is spent."""

import contextlib
import itertools
import os
import subprocess
import sys
import time
from collections.abc import Mapping

import optuna
from optuna.trial import TrialState
from sqlalchemy.exc import SQLAlchemyError

from experiments.settings.params import Params
from experiments.settings.project import Project
from experiments.settings.recipe import BackendName
from experiments.sweep import members, queue
from experiments.sweep.plan import Plan
from experiments.sweep.study import best_of
from experiments.system.console import say, warn
from experiments.system.errors import TandemError
from experiments.system.processes import threads_for
from experiments.system.stopping import FOLLOW

POLL_SECONDS = 0.5
GPUS = "CUDA_VISIBLE_DEVICES"
# How many workers a study has had.
STARTED = "workers_started"
# A sweep in which this many trials fail by their own fault for each that ends well is badly set up.
FAILURES_PER_TRIAL = 1
# And one in which so many processes end in a row, for each worker, with no trial finished in between.
LOSSES_PER_WORKER = 5


def visible_gpus(environment: Mapping[str, str] = os.environ) -> list[str]:
    """Return the GPUs that this process may use, as CUDA names them; frameworks are not asked, they take seconds."""
    if GPUS in environment:
        named = (gpu.strip() for gpu in environment[GPUS].split(","))
        # CUDA sees those before the first that there is not: -1 hides all.
        return list(itertools.takewhile(lambda gpu: gpu and not gpu.startswith("-"), named))
    try:
        done = subprocess.run(["nvidia-smi", "--list-gpus"], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return []
    count = sum(line.startswith("GPU ") for line in done.stdout.splitlines()) if done.returncode == 0 else 0
    return [str(number) for number in range(count)]


def share_gpus(params: Params, workers: int) -> list[str]:
    """Return a GPU for each worker, in turn; none on a machine without one.

    Raises:
        TandemError: there are more workers than the GPUs have room for.
    """
    gpus = visible_gpus() if params.train.device != "cpu" else []
    share = params.sweep.gpus_per_worker
    room = int(1 / share + 1e-9) * len(gpus)
    if gpus and workers > room:
        raise TandemError(
            f"--workers: expected at most {room}, since there are {len(gpus)} GPU(s) and "
            f"sweep.gpus_per_worker is {share:g}; got {workers}; lower either of them"
        )
    return list(itertools.islice(itertools.cycle(gpus), workers))


class Launcher:
    """Keeps the workers of a study running until `budget` trials are finished.

    To a sweep it adds the trials that are missing; those of a confirmation, a fixed list, may fail instead.
    """

    def __init__(
        self, project: Project, params: Params, plan: Plan, study: optuna.Study, *, budget: int, workers: int
    ) -> None:
        self.project, self.plan, self.study, self.budget = project, plan, study, budget
        self.threads = max(1, threads_for(params.train.threads) // workers)
        self.gpus = share_gpus(params, workers)
        self.places: list[subprocess.Popen[bytes] | None] = [None] * workers
        self.lost = 0
        self.said = -1

    def run(self) -> None:
        """Return when the budget is spent; stop the workers on the way out, whatever happens."""
        try:
            while not self._turn():
                time.sleep(POLL_SECONDS)
            self._wait()
        finally:
            self._stop()

    def _turn(self) -> bool:
        self._check_workers()
        self._recover()
        self._check_failures()
        self._refill()
        self._say()
        # A study that had more trials than are asked for now keeps them, waiting.
        if queue.finished(self.study) >= self.budget:
            return True
        if not self._open():  # the last one may have failed since
            self._refill()
            return not self._open()
        for place in range(len(self.places)):
            if self.places[place] is None and self._is_needed(place):
                self._start(place)
        return False

    def _refill(self) -> None:
        if not self.plan.confirms:
            queue.fill(self.study, self.budget)

    def _open(self) -> list[optuna.trial.FrozenTrial]:
        return self.study.get_trials(deepcopy=False, states=queue.OPEN)

    def _check_workers(self) -> None:
        name = f"sweep {self.plan.name}"
        for place, process in enumerate(self.places):
            if process is None or process.poll() is None:
                continue
            self.places[place] = None
            if process.returncode == TandemError.exit_code:
                raise TandemError(f"{name}: a worker can't continue; fix what it reports, and repeat")
            self.lost += process.returncode != 0
            if self.lost > LOSSES_PER_WORKER * len(self.places):
                raise TandemError(
                    f"{name}: expected workers that finish trials; got {self.lost} that ended without one, the last "
                    f"with exit code {process.returncode}; fix what they report, and repeat"
                )

    def _recover(self) -> None:
        back, failed = queue.recover(self.study, retries=self.plan.retries)
        if back:
            warn(f"sweep {self.plan.name}: trial(s) {back} lost their worker, and wait again")
        if failed:
            warn(f"sweep {self.plan.name}: trial(s) {failed} lost too many workers, and count as failed")

    def _check_failures(self) -> None:
        failed = self.study.get_trials(deepcopy=False, states=(TrialState.FAIL,))
        if len(failed) > FAILURES_PER_TRIAL * self.budget:
            reason = failed[-1].user_attrs.get(queue.REASON, "unknown")
            raise TandemError(
                f"sweep {self.plan.name}: expected most trials to end well; got {len(failed)} that failed, the last "
                f"with {reason}; narrow the space in params.yaml, and give the sweep another --name"
            )

    def _say(self) -> None:
        done = queue.finished(self.study)
        if done != self.said:
            best = best_of(self.study, self.plan)
            so_far = f", best {self.plan.objective} {best.value:.4f}" if best else ""
            say(f"sweep {self.plan.name}: {done}/{self.budget} trials{so_far}")
            self.said, self.lost = done, 0

    def _backend(self, place: int) -> BackendName:
        return self.plan.backends_of_trial[place % len(self.plan.backends_of_trial)]

    def _is_needed(self, place: int) -> bool:
        backend = self._backend(place)
        at_work = sum(
            process is not None and self._backend(other) == backend for other, process in enumerate(self.places)
        )
        return len(members.lacking(self._open(), self.plan.backends_of_trial, backend)) > at_work

    def _start(self, place: int) -> None:
        command = [sys.executable, "-m", "experiments", "sweep", "worker", self.plan.name, self._backend(place)]
        # Counted over all launchers: a worker's number seeds what its sampler draws, and must not come twice.
        number = self.study.user_attrs.get(STARTED, 0)
        self.study.set_user_attr(STARTED, number + 1)
        options = ["--threads", str(self.threads), "--number", str(number)]
        # NumPy's own threads would come on top.
        environment = {**os.environ, "OMP_NUM_THREADS": str(self.threads), "OPENBLAS_NUM_THREADS": str(self.threads)}
        environment[FOLLOW] = str(os.getpid())
        if self.gpus:
            environment[GPUS] = self.gpus[place]
        self.places[place] = subprocess.Popen([*command, *options], cwd=self.project.root, env=environment)

    def _wait(self) -> None:
        """Let the workers end by themselves, unless the study has waiting trials beyond the budget."""
        while not self._open() and any(process is not None and process.poll() is None for process in self.places):
            time.sleep(POLL_SECONDS / 5)

    def _stop(self) -> None:
        running = [process for process in self.places if process is not None]
        for process in running:
            process.terminate()
        for process in running:
            process.wait()
        # A worker that was stopped puts its trial back itself, unless that comes in the wrong moment.
        with contextlib.suppress(SQLAlchemyError, optuna.exceptions.StorageInternalError):
            queue.recover(self.study, retries=self.plan.retries, blame=False)
