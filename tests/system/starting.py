"""Waiting for what a test starts as a process."""

import json
import subprocess
import time
from pathlib import Path
from typing import Any


def told_when_ready(process: subprocess.Popen, endpoint: Path, within_s: float) -> dict[str, Any]:
    """What a service writes into its endpoint file once it answers."""
    until = time.monotonic() + within_s
    while not endpoint.exists():
        if process.poll() is not None:
            said = process.stderr.read().decode() if process.stderr else ""
            raise AssertionError(f"the process ended before it was ready {said}")
        assert time.monotonic() < until, "the process did not become ready"
        time.sleep(0.02)
    return json.loads(endpoint.read_text())
