"""What a repetition would run on, against what the run ran on: found out before anything is trained."""

import platform
import subprocess
from collections.abc import Iterable, Iterator, Mapping

from experiments.reproduce.finding import Finding
from experiments.reproduce.record import Record
from experiments.settings.project import Project
from experiments.system.environment import cpu_name, installed_packages, normalised
from experiments.system.git import run_git
from experiments.system.processes import threads_for

MOST_SHOWN = 5
LESS = "the bits may differ"
# Packages that compute for the frameworks.
NATIVE = ("nvidia-", "cuda-", "triton", "mkl", "intel-", "tbb", "ml-dtypes")


def compare_surroundings(project: Project, record: Record, threads: int) -> Iterator[Finding]:
    """Yield a finding on each of commit, versions, packages, machine, device, threads and metrics."""
    yield _commit(project, record)
    yield _versions(record)
    yield _packages(record)
    yield _machine(record)
    yield _device(record)
    yield from _threads(record, threads)
    if (project.spool / f"{record.run_id}.jsonl").exists():
        yield Finding("metrics", "refuses", "some of the run's wait for MLflow", "deliver them with `tandem runs`")


def _commit(project: Project, record: Record) -> Finding:
    if not run_git(project.root, "cat-file", "-e", f"{record.commit}^{{commit}}")[0]:
        text = f"expected {record.commit} in this repository; got none"
        return Finding("commit", "refuses", text, "fetch the branch that has it (`git fetch --all`)")
    since = run_git(project.root, "rev-list", "--count", f"{record.commit}..HEAD")[1].strip()
    return Finding("commit", "ok", f"{record.commit[:8]}, {since} commit(s) ago")


def _versions(record: Record) -> Finding:
    text = _differences(record.versions)
    if not text:
        return Finding("versions", "ok", ", ".join(f"{name} {number}" for name, number in record.versions.items()))
    return Finding("versions", "warns", text, LESS)


def _packages(record: Record) -> Finding:
    if not record.packages:
        return Finding("packages", "warns", "not recorded", "an older version made the run")
    others = {name: each for name, each in record.packages.items() if name not in record.versions}
    if text := _differences({name: each for name, each in others.items() if name.startswith(NATIVE)}):
        return Finding("packages", "warns", text, LESS)
    return Finding("packages", "ok", _differences(others) or f"all {len(record.packages)} as then")


def _differences(then: Mapping[str, str]) -> str:
    now = {"python": platform.python_version(), **installed_packages()}
    differ = [
        f"{name} {number} → {now.get(normalised(name), 'none')}"
        for name, number in then.items()
        if now.get(normalised(name)) != number
    ]
    return _shortened(differ)


def _shortened(items: list[str]) -> str:
    more = f" and {len(items) - MOST_SHOWN} more" if len(items) > MOST_SHOWN else ""
    return ", ".join(items[:MOST_SHOWN]) + more


def _machine(record: Record) -> Finding:
    if not record.cpu:
        return Finding("machine", "warns", "not recorded", "an older version made the run")
    pairs = ((record.cpu, cpu_name()), (record.platform, platform.platform()))
    differ = [f"{then} → {now}" for then, now in pairs if then != now]
    if differ:
        return Finding("machine", "warns", "; ".join(differ), LESS)
    return Finding("machine", "ok", f"{record.cpu}, {record.platform}")


def _device(record: Record) -> Finding:
    if record.device == "cpu":
        return Finding("device", "ok", "cpu")
    here = gpu_names()
    if record.device in here:
        return Finding("device", "ok", record.device)
    text = f"expected {record.device}, on which the run was trained; got {', '.join(here) or 'no GPU'}"
    return Finding("device", "refuses", text, "repeat it on a machine that has one", anyway=True)


def gpu_names() -> Iterable[str]:
    """Return the names of the GPUs, as the driver has them; frameworks are not asked, they take seconds."""
    try:
        words = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return []
    return list(dict.fromkeys(done.stdout.split("\n")[:-1])) if done.returncode == 0 else []


def _threads(record: Record, threads: int) -> Iterator[Finding]:
    then, cores = record.threads, threads_for("auto")
    if threads != then:
        yield Finding("threads", "warns", f"{then} → {threads}", LESS)
    elif record.resumed_threads:
        text = f"begun with {then}, resumed with {record.resumed_threads}; {threads} now"
        yield Finding("threads", "warns", text, LESS)
    else:
        yield Finding("threads", "ok", str(threads))
    if threads > cores:
        yield Finding("cores", "warns", f"{threads} threads share {cores} core(s)", "it takes longer")
