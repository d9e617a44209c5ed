"""Training throughput of both backends against loops written by hand in the same framework.

`python -m benchmarks.throughput [ARCHITECTURE …] [--rounds N]` runs every contender in turn, N times (3 by default),
each in a process of its own, and prints the ratios of the medians. Without names, `lenet` and `mlp`; `--all` for every
twin. Wants a machine that does nothing else: another process on one of the cores can cost a contender nine tenths of
its speed.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys

from benchmarks.contenders import CONTENDERS
from benchmarks.workload import IMAGES
from experiments.system.processes import threads_for

# Ours, the baseline, and what the ratio has to reach: in general, and for `mlp`, whose steps take a millisecond.
RATIOS = (
    ("tandem lightning", "torch loop", 0.95, 0.9),
    ("tandem lightning", "torch DataLoader", 1.8, 1.8),
    ("tandem keras", "tf epoch", 0.95, 0.9),
    ("tandem keras", "keras fit", 1.2, 1.2),
)
# What users write without giving it a thought; measured where the network is small enough for that to matter.
EASY = ("torch DataLoader", "keras fit")
STANDARD = ("lenet", "mlp")
MOST_MB = 1500


def measure(name: str, architecture: str, threads: int) -> dict[str, float]:
    """Run one contender once."""
    command = [sys.executable, "-m", "benchmarks.contenders", name, architecture, str(threads)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{name}, {architecture}: {done.stderr}")
    measured: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return measured


def main() -> None:
    """Measure, print a table for each architecture, and exit with 1 if a goal is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.throughput")
    parser.add_argument("architectures", nargs="*", metavar="ARCHITECTURE", help=", ".join(IMAGES))
    parser.add_argument("--all", action="store_true", help="every twin")
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    if unknown := set(asked.architectures) - set(IMAGES):
        parser.error(f"ARCHITECTURE: expected some of {', '.join(IMAGES)}; got {', '.join(sorted(unknown))}")
    threads = threads_for("auto")
    print(f"{asked.rounds} rounds, {threads} threads, {os.cpu_count()} cores, batch 64; images/s are medians (range)")
    missed = 0
    for architecture in IMAGES if asked.all else asked.architectures or STANDARD:
        names = [name for name in CONTENDERS if architecture in STANDARD or name not in EASY]
        results: dict[str, list[dict[str, float]]] = {name: [] for name in names}
        for number in range(asked.rounds):
            for name in names:
                results[name].append(measure(name, architecture, threads))
                position = f"{architecture}: round {number + 1}/{asked.rounds}, {name:<20}"
                print(f"\r{position}", end="", file=sys.stderr, flush=True)
        print(file=sys.stderr)
        missed += report(architecture, results)
    sys.exit(1 if missed else 0)


def report(architecture: str, results: dict[str, list[dict[str, float]]]) -> int:
    """Print speeds, memory and ratios, and return how many goals were missed."""
    speeds = {name: [result["images_per_second"] for result in all_of_it] for name, all_of_it in results.items()}
    print(f"\n{architecture}")
    for name, values in speeds.items():
        peak = max(result["peak_mb"] for result in results[name])
        print(f"  {name:<18} {statistics.median(values):7.0f} ({min(values):.0f}-{max(values):.0f}), {peak:.0f} MB")
    missed = sum(result["peak_mb"] > MOST_MB for name in speeds if "tandem" in name for result in results[name])
    for ours, baseline, general, small in RATIOS:
        if baseline not in speeds:
            continue
        goal = small if architecture == "mlp" else general
        ratio = statistics.median(speeds[ours]) / statistics.median(speeds[baseline])
        missed += ratio < goal
        print(f"  {ours} / {baseline}: {ratio:.2f} (goal {goal:.2f}: {'reached' if ratio >= goal else 'MISSED'})")
    return missed


if __name__ == "__main__":
    main()
