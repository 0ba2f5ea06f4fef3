"""Measure what Snakemake takes to plan a run: CPU seconds and peak memory of ``snakemake -n``.

Plans in a new folder, so that all inputs are read and checked the first time.

    python benchmarks/dry_run.py config/scale/million.yaml
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from measuring import cpu_seconds, footer, header

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    """Plan twice, and print a line for each."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("configuration", type=Path, nargs="*", help="files over config/config.yaml")
    files = [path.resolve() for path in parser.parse_args().configuration]
    print(header())
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "config").symlink_to(ROOT / "config")
        command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
        command += ["--dry-run", "--cores", "2"]
        command += ["--configfile", *map(str, files)] if files else []
        for name in ("first", "second"):
            before = cpu_seconds()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=folder)
            peak_mb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
            print(f"{name}: {cpu_seconds() - before:.1f} CPU s, {peak_mb:.0f} MB at most so far")
    print(footer())


if __name__ == "__main__":
    main()
