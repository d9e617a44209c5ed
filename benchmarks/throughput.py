"""Training throughput of both backends against loops written by hand in the same framework.

`python -m benchmarks.throughput [ROUNDS]` runs every contender in turn, ROUNDS times (3 by default), each in a process
of its own, and prints the ratios of the medians. Wants a machine that does nothing else: another process on one of the
cores can cost a contender nine tenths of its speed.
"""

import json
import os
import statistics
import subprocess
import sys

from benchmarks.contenders import CONTENDERS
from experiments.backend import threads_for

# Ours, the baseline, and what the ratio has to reach: (lenet, mlp).
RATIOS = (
    ("tandem lightning", "torch loop", (0.95, 0.9)),
    ("tandem lightning", "torch DataLoader", (1.8, 1.8)),
    ("tandem keras", "tf epoch", (0.95, 0.9)),
    ("tandem keras", "keras fit", (1.2, 1.2)),
)
ARCHITECTURES = ("lenet", "mlp")
MOST_MB = 1500


def measure(name: str, architecture: str, threads: int) -> dict[str, float]:
    """Run one contender once."""
    command = [sys.executable, "-m", "benchmarks.contenders", name, architecture, str(threads)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{name}, {architecture}: {done.stderr}")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    """Measure, print a table for each architecture, and exit with 1 if a goal is missed."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    threads = threads_for("auto")
    print(f"{rounds} rounds, {threads} threads, {os.cpu_count()} cores, batch 64; images/s are medians (range)")
    missed = 0
    for place, architecture in enumerate(ARCHITECTURES):
        found: dict[str, list[dict[str, float]]] = {name: [] for name in CONTENDERS}
        for number in range(rounds):
            for name in CONTENDERS:
                found[name].append(measure(name, architecture, threads))
                print(
                    f"\r{architecture}: round {number + 1}/{rounds}, {name:<20}",
                    end="",
                    file=sys.stderr,
                    flush=True,
                )
        print(file=sys.stderr)
        missed += report(architecture, place, found)
    sys.exit(1 if missed else 0)


def report(architecture: str, place: int, found: dict[str, list[dict[str, float]]]) -> int:
    """Print speeds, memory and ratios, and return how many goals were missed."""
    speeds = {name: [one["images_per_second"] for one in all_of_it] for name, all_of_it in found.items()}
    print(f"\n{architecture}")
    for name, values in speeds.items():
        peak = max(one["peak_mb"] for one in found[name])
        print(f"  {name:<18} {statistics.median(values):7.0f} ({min(values):.0f}-{max(values):.0f}), {peak:.0f} MB")
    missed = sum(one["peak_mb"] > MOST_MB for name in speeds if "tandem" in name for one in found[name])
    for ours, baseline, goals in RATIOS:
        ratio = statistics.median(speeds[ours]) / statistics.median(speeds[baseline])
        missed += ratio < goals[place]
        verdict = "reached" if ratio >= goals[place] else "MISSED"
        print(f"  {ours} / {baseline}: {ratio:.2f} (goal {goals[place]:.2f}: {verdict})")
    return missed


if __name__ == "__main__":
    main()
