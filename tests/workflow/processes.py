"""Commands in a folder of their own, as a user starts them."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# without the profile that `make run` takes; a plan that is good enough is found at once
SNAKEMAKE = (
    *(sys.executable, "-m", "snakemake", "--snakefile", ROOT / "Snakefile"),
    *("--workflow-profile", "none", "--scheduler", "greedy"),
)


def run_in(folder, *command, timeout_s=300, **environment):
    """Run a command in a folder, where Snakemake also has its cache, and return how it ended."""
    return subprocess.run(
        command,
        cwd=folder,
        capture_output=True,
        text=True,
        env=os.environ | {"XDG_CACHE_HOME": str(folder / "cache")} | environment,
        timeout=timeout_s,
        check=False,
    )
