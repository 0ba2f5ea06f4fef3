"""Servers that are none of ours, for tests of what asks them."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

SLOW_MACHINE_S = 120.0
STATIC = Path(__file__).parent / "static_beacon.py"


@pytest.fixture
def static_beacon(tmp_path) -> Callable[..., AbstractContextManager[str]]:
    """Starts a Beacon that answers from a folder of exported documents; yields its URL."""

    @contextmanager
    def started(folder: Path, manner: str = "honest") -> Iterator[str]:
        endpoint = tmp_path / "endpoint.json"
        process = subprocess.Popen([sys.executable, STATIC, folder, endpoint, manner])
        try:
            until = time.monotonic() + SLOW_MACHINE_S
            while not endpoint.exists():
                assert process.poll() is None, "the process ended before it was ready"
                assert time.monotonic() < until
                time.sleep(0.02)
            yield json.loads(endpoint.read_text())["url"]
        finally:
            process.terminate()
            process.wait()
            endpoint.unlink(missing_ok=True)

    return started
