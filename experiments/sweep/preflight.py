"""Whether a sweep would work there, before it costs anything (`tandem sweep check`): asked of a real worker."""

import math
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any

from experiments.engine.engine import Ended, Engine, Slot
from experiments.settings.params import Params
from experiments.settings.project import Project
from experiments.settings.recipe import BackendName
from experiments.sweep.plan import Plan
from experiments.sweep.probe import Question, probe
from experiments.sweep.run import Where, start_engine
from experiments.sweep.storage import check_database
from experiments.system.checks import Check
from experiments.system.console import say
from experiments.system.errors import TandemError
from experiments.system.filesystem import check_disk
from experiments.training.code import code_of

SAY_SECONDS = 15


class Preflight:
    """Checks what a plan needs of an engine; a worker may take `patience` seconds to connect."""

    def __init__(self, project: Project, params: Params, plan: Plan, where: Where, patience: float) -> None:
        self.project, self.params, self.plan, self.where, self.patience = project, params, plan, where, patience
        self.folder = project.sweep(plan.name)

    def run(self) -> Iterator[Check]:
        """Yield one check after the other.

        Raises:
            TandemError: the engine's settings are wrong.
        """
        yield check_database(self.project)
        engine, threads = start_engine(self.project, self.params, self.where, self.plan)
        with closing(engine):
            try:
                engine.start(lambda key, message: message)
                yield from self._ask(engine, threads)
            except TandemError as error:
                yield Check.of_error("workers start", error)

    def _ask(self, engine: Engine, threads: int) -> Iterator[Check]:
        used: set[str] = set()
        for backend in self.plan.backends_of_trial:
            slot = self._wait(engine, used)
            if slot is None:
                yield self._nobody(backend)
                return
            used.add(slot.address)
            yield Check(f"{backend}: a worker", "ok", f"{slot.name} on {slot.node}, GPU {slot.gpus or 'none'}")
            file = self.folder / f"{uuid.uuid4().hex}.txt"
            device = self.params.train.device
            question = Question(self.project, self.plan.settings, backend, device, threads, file)
            engine.submit(backend, slot, probe, question)
            ended = _end(engine)
            if ended.lost or ended.error:
                found, remedy = ended.error or "its process has ended", "see `tandem sweep logs`, and try it on a node"
                yield Check(f"{backend}: tries out", "problem", found, f"{remedy} by hand")
                continue
            yield Check.of(
                f"{backend}: shared folder",
                "seen from both sides" if file.is_file() else f"{file} is not seen here",
                good=file.is_file(),
                remedy="put the checkout on a path that the nodes share, under the same name",
            )
            file.unlink(missing_ok=True)
            yield from self._judge(backend, ended.result)

    def _wait(self, engine: Engine, used: set[str]) -> Slot | None:
        """Return a worker that loaded no framework yet, once there is one."""
        began, said = time.monotonic(), -math.inf
        while time.monotonic() < began + self.patience:
            list(engine.events(0.5))
            for slot in engine.slots():
                if slot.address not in used:
                    return slot
            if time.monotonic() - said > SAY_SECONDS:
                said = time.monotonic()
                say(f"waiting for a worker, for {self.patience - (said - began):.0f} s at most")
        return None

    def _nobody(self, backend: BackendName) -> Check:
        on = self.where.on
        remedy = (
            f"see {self.folder / 'engine' / 'logs'}"
            if on == "local"
            else (
                "if the job waits (squeue --me), ask for less; if it runs, it can't reach this machine: "
                f"set engines.{on}.host to an address that the nodes reach, and see `tandem sweep logs`"
            )
        )
        return Check(f"{backend}: a worker", "problem", f"none within {self.patience:.0f} s", remedy)

    def _judge(self, backend: BackendName, facts: Mapping[str, Any]) -> Iterator[Check]:
        node, data, free = facts["node"], facts["data"], facts["free"]
        said = facts["answer"] == "hello"
        yield Check.of(f"{backend}: reports", f"answered to {node}", good=said, remedy="repeat")
        yield check_disk(f"{backend}: disk", free)
        yield Check.of(
            f"{backend}: data",
            f"fingerprint {data[:12]}; here {self.plan.dataset[:12]}" if data else facts["no_data"],
            good=data == self.plan.dataset,
            remedy=f"give {node} the same prepared/, on a path that all nodes share",
        )
        yield _same_code(backend, facts["code"], code_of(backend, self.plan.settings.architecture), node)
        yield Check.of(
            f"{backend}: device",
            f"{facts['device']}; imported in {facts['import']:.1f} s",
            good=facts["device"] != "cpu" or not self._wants_gpu(),
            remedy="ask for a GPU (engines: gpus), and install the framework's build for it (make setup GPU=1)",
        )
        if facts["epoch"] is not None:
            yield Check(f"{backend}: time", "ok", self._estimate(facts["epoch"]))

    def _wants_gpu(self) -> bool:
        asks = getattr(getattr(self.params.engines, self.where.on, None), "gpus", 0) > 0
        return self.params.train.device == "gpu" or (self.params.train.device == "auto" and asks)

    def _estimate(self, epoch: float) -> str:
        epochs, trials = self.plan.settings.epochs, self.params.sweep.trials
        hours = epoch * epochs * trials / 3600
        return f"about {epoch:.1f} s an epoch, {hours:.2f} worker hours for {trials} trials of {epochs} epoch(s)"


def _same_code(backend: BackendName, there: Mapping[str, Any], here: Mapping[str, Any], node: str) -> Check:
    differ = [
        f"{package} {there['versions'].get(package)} there, {number} here"
        for package, number in here["versions"].items()
        if there["versions"].get(package) != number
    ]
    differ += [f"{name} differs" for name, known in here["modules"].items() if there["modules"].get(name) != known]
    remedy = f"give {node} the same checkout and the same environment"
    return Check.of(f"{backend}: code, versions", "; ".join(differ) or "as here", good=not differ, remedy=remedy)


def _end(engine: Engine) -> Ended:
    while True:
        for ended in engine.events(0.5):
            return ended
