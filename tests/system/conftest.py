"""Servers of others, for tests of their clients."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from .starting import told_when_ready

SLOW_MACHINE_S = 120.0
STATIC = Path(__file__).parent / "static_beacon.py"


@pytest.fixture
def static_beacon(tmp_path) -> Callable[..., AbstractContextManager[str]]:
    """Start a Beacon that answers from a folder of exported documents; yields its URL."""

    @contextmanager
    def started(folder: Path, manner: str = "honest") -> Iterator[str]:
        endpoint = tmp_path / "endpoint.json"
        process = subprocess.Popen([sys.executable, STATIC, folder, endpoint, manner])
        try:
            yield told_when_ready(process, endpoint, SLOW_MACHINE_S)["url"]
        finally:
            process.terminate()
            process.wait()
            endpoint.unlink(missing_ok=True)

    return started
