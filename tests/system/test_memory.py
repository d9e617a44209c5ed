import subprocess
import sys
import time

PROCESS = """
from experiments.system.memory import memory_mb, peak_memory_mb
from experiments.system.processes import age
held = bytearray(range(256)) * 400_000
del held
print(age(), memory_mb(), peak_memory_mb())
"""


def test_age_and_memory_are_those_of_the_process_alone() -> None:
    mine = bytearray(range(256)) * 1_200_000  # ru_maxrss would hand it on, on Linux
    started = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", PROCESS], capture_output=True, text=True, check=True)
    took = time.perf_counter() - started
    age, now, peak = map(float, done.stdout.split())
    assert 0 < age < took + 0.02  # Linux counts hundredths
    assert 0 < now < 100 < peak < len(mine) / 1e6
