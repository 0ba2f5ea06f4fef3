"""Commands in a folder of their own, as a user starts them."""

import fcntl
import os
import pickle
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


def made_once(tmp_path_factory, name, make):
    """What a function makes in a folder, once for all processes of the tests.

    Args:
        tmp_path_factory: Pytest's.
        name: The name of the folder.
        make: Takes the folder; returns what can be pickled.
    """
    place = tmp_path_factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        place = place.parent  # of all workers; without them it is of all earlier tests too
    place = place / name
    place.mkdir(exist_ok=True)
    with (place / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        kept = place / "made.pickle"
        if not kept.exists():
            kept.write_bytes(pickle.dumps(make(place / "folder")))
        return pickle.loads(kept.read_bytes())
