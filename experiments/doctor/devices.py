"""The frameworks, and the devices that they see."""

from collections.abc import Iterator

from experiments.doctor.frameworks import CPU
from experiments.doctor.surroundings import Surroundings
from experiments.engine.gpus import visible_gpus
from experiments.system.checks import Check
from experiments.system.errors import TandemError
from experiments.system.isolated import JobFailed


def frameworks(here: Surroundings) -> Iterator[Check]:
    """Look whether each framework can be imported, and takes a GPU where there is one."""
    gpus = len(visible_gpus())
    wants_gpu = gpus > 0 and (here.params is None or here.params.train.device != CPU)
    devices = set()
    for backend, answer in here.frameworks.items():
        try:
            found = answer.get()
        except TandemError as error:
            yield Check.of_error(backend, error, "correct that, and repeat")
            continue
        except JobFailed as error:
            yield Check(backend, "problem", f"can't be imported: {error}", "`make setup` installs what the lock pins")
            continue
        devices.add(found.device)
        versions = ", ".join(f"{package} {number}" for package, number in found.versions.items())
        yield Check.of(
            backend,
            f"{versions}; on {found.device}; imported in {found.seconds:.1f} s",
            good=found.device != CPU or not wants_gpu,
            remedy=f"{gpus} GPU(s) are here, and it sees none: `make setup GPU=1`, or look at the driver",
            otherwise="warning",
        )
    if len(devices) > 1:
        remedy = "a pair on two devices is no fair pair: set train.device to cpu, or mend the one without a GPU"
        yield Check("a pair", "warning", f"the frameworks take different devices: {', '.join(devices)}", remedy)
