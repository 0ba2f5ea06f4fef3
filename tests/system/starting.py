"""Wait for the start and the end of processes of a test."""

import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any


def told_when_ready(process: subprocess.Popen, endpoint: Path, within_s: float) -> dict[str, Any]:
    """Return what a service writes into its endpoint file once it answers."""
    until = time.monotonic() + within_s
    while not endpoint.exists():
        if process.poll() is not None:
            said = process.stderr.read().decode() if process.stderr else ""
            raise AssertionError(f"the process ended before it was ready {said}")
        assert time.monotonic() < until, "the process did not become ready"
        time.sleep(0.02)
    return json.loads(endpoint.read_text())


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # a zombie that was not waited for yet no longer runs
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"


def wait_until_ended(pid: int, timeout_s: float = 60) -> None:
    until = time.monotonic() + timeout_s
    while is_running(pid):
        assert time.monotonic() < until, f"process {pid} is still running"
        time.sleep(0.05)
