"""All rungs, framework by framework, each framework in a process of its own."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

from experiments.contract.model_settings import Precision
from experiments.frameworks import PACKAGES
from experiments.ladder.climb import climb, set_up
from experiments.ladder.judge import Differences, Runs, judge
from experiments.ladder.problems import PARAMETERS, PRECISIONS, Problem, loss_after, problem_of
from experiments.ladder.registry import FRAMEWORKS, LACKING, NUMPY, ORDER, lines_of_code, reference_of, source_of
from experiments.parity.sides import Side
from experiments.system.console import say
from experiments.system.errors import TandemError
from experiments.system.isolated import IsolatedProcess, JobFailed
from experiments.system.processes import THREAD_VARIABLES

# `unavailable`: this machine lacks what the rung needs; `none`: the framework has no such thing.
State = Literal["reference", "within", "not within", "failed", "unavailable", "none"]
# What a failure says that isn't the rung's fault, and what to do about it.
NEEDS = {
    "No working C++ compiler": "torch.compile needs a C++ compiler, and found none; install g++, or set CXX to one",
    "Python.h": "torch.compile needs Python's headers, and its compiler found none; install python3-dev",
}


@dataclass(frozen=True)
class Place:
    """A rung in a framework, and where it is, module:function."""

    rung: str
    framework: str
    target: str


@dataclass(frozen=True)
class Rung:
    """What came of a rung in a framework; `notes` say why, where it isn't within its bounds.

    `lines` are those of its code, `loss` that after the last step in float64, `apart` the differences from NumPy.
    """

    place: Place
    state: State
    notes: Sequence[str] = ()
    lines: int | None = None
    runs: Runs = field(default_factory=dict)
    loss: float | None = None
    apart: Differences = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """Whether nothing is wrong with it."""
        return self.state not in ("not within", "failed")


def run_ladder(*, outputs: int, threads: int) -> list[Rung]:
    """Run every rung of every framework, and return them in order of the rungs; NumPy's judge the others.

    Raises:
        TandemError: a process has ended, or can't be set up.
    """
    done: dict[tuple[str, str], Rung] = {}
    for framework, about in FRAMEWORKS.items():
        with process_of(framework, threads) as process:
            for number, (rung, target) in enumerate(about.rungs.items(), 1):
                say(f"{about.title} {number}/{len(about.rungs)}: {rung}")
                problems = {kind: problem_of(rung, kind, outputs) for kind in PRECISIONS}
                reference = None if framework == NUMPY else done[NUMPY, reference_of(rung)].runs
                done[framework, rung] = run_rung(process, Place(rung, framework, target), problems, reference)
    lacking = {
        (framework, rung): Rung(Place(rung, framework, ""), "none", [why]) for (rung, framework), why in LACKING.items()
    }
    every = {**done, **lacking}
    return [every[framework, rung] for rung in ORDER for framework in FRAMEWORKS if (framework, rung) in every]


@contextmanager
def process_of(framework: str, threads: int, **environment: str) -> Iterator[IsolatedProcess]:
    """Yield a process of a framework that is set up to compute on so many threads."""
    with tempfile.TemporaryDirectory(prefix="tandem-ladder-") as folder:
        # A folder of its own: nothing that was compiled before, so that the first step is the whole of it.
        variables = {**dict.fromkeys(THREAD_VARIABLES, str(threads)), "TORCHINDUCTOR_CACHE_DIR": folder, **environment}
        with IsolatedProcess(f"ladder: the {FRAMEWORKS[framework].title}", variables) as process:
            for backend in PACKAGES:
                if backend == framework:
                    _set_up(process, Side(backend, threads=threads))
            yield process


def run_rung(
    process: IsolatedProcess, place: Place, problems: Mapping[Precision, Problem], reference: Runs | None
) -> Rung:
    """Run a rung in each precision, and judge it by what NumPy's gives; without that, it is NumPy's."""
    lines = lines_of_code(source_of(place.target).read_text(encoding="utf-8"))
    try:
        runs = {kind: process.call(climb, place.target, problem) for kind, problem in problems.items()}
    except JobFailed as error:
        needs = [advice for text, advice in NEEDS.items() if text in str(error)]
        return Rung(place, "unavailable" if needs else "failed", needs or [str(error)], lines)
    apart, wrong = judge(reference, runs, PARAMETERS[type(problems["float64"])]) if reference else ({}, [])
    # Parameters of other shapes have none.
    loss = loss_after(problems["float64"], runs["float64"].trained) if apart or not wrong else None
    state: State = "not within" if wrong else "within" if reference else "reference"
    return Rung(place, state, wrong, lines, runs, loss, apart)


def _set_up(process: IsolatedProcess, side: Side) -> None:
    try:
        process.call(set_up, side)
    except JobFailed as error:
        raise TandemError(f"{process.name} process can't be set up: {error}; see `tandem doctor`") from None
