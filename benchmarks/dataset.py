"""What ``rehearsal dataset --preset tiny`` takes: python benchmarks/dataset.py [ROUNDS].

Prints wall and CPU seconds of each round, in a process of its own, with the load average. The first
round fills the cache of compiled code.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def measured(out: Path) -> tuple[float, float]:
    """Wall and CPU seconds of one dataset."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    command = [sys.executable, "-m", "rehearsal", "dataset", "--preset", "tiny", str(out)]
    subprocess.run(command, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.monotonic() - started, cpu


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        for number in range(int(sys.argv[1]) if len(sys.argv) > 1 else 4):
            wall, cpu = measured(Path(folder) / str(number))
            load = os.getloadavg()[0]
            print(f"round {number}: {wall:.1f} s, {cpu:.1f} s of CPU, load average {load:.1f}")
