"""Measure ``rehearsal dataset --preset tiny``.

    python benchmarks/dataset.py --rounds 4

Prints wall and CPU seconds of each round, in its own process, with the load average. The first
round fills the cache of compiled code.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from measuring import header, timed

from rehearsal.machine import load_average


def make(out: Path) -> None:
    """Make the dataset in a new process.

    Args:
        out: Folder of the dataset.
    """
    command = [sys.executable, "-m", "rehearsal", "dataset", "--preset", "tiny", str(out)]
    subprocess.run(command, check=True, capture_output=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=4, help="number of rounds")
    rounds = parser.parse_args().rounds
    print(header())
    with tempfile.TemporaryDirectory() as folder:
        for number in range(rounds):
            started = time.monotonic()
            cpu, _ = timed(lambda out=Path(folder) / str(number): make(out))
            wall, load = time.monotonic() - started, load_average()
            print(f"round {number}: {wall:.1f} s, {cpu:.1f} s of CPU, load average {load:.1f}")


if __name__ == "__main__":
    main()
