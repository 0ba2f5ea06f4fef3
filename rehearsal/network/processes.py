"""Processes that run for us, spawned or forked, and how they end.

Each leads its own process group, so the processes that it starts end with it.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Protocol

from rehearsal.network.emulation.namespaces import Place
from rehearsal.process_lifetime import LAUNCHED, signal_group

POLL_S = 0.02
STOP_TIMEOUT_S = 5.0

LogMode = Literal["wb", "ab"]  # replace the log, or append to it


class StartedProcess(Protocol):
    """A process that leads a process group."""

    pid: int

    def has_ended(self) -> bool:
        """Tell whether the process has ended. Its id stays reserved until :meth:`wait`."""

    def poll(self) -> int | None:
        """Return the exit code; None while the process runs."""

    def wait(self) -> int:
        """Wait for the end of the process and return its exit code."""


class SpawnedProcess:
    """A command that runs at a place. A service that it starts ends with this process.

    Args:
        command: The command line.
        place: Where it runs.
        log: File for its output.
        mode: "wb" to replace the log, "ab" to append to it.
    """

    def __init__(self, command: Sequence[str], place: Place, log: Path, mode: LogMode) -> None:
        with log.open(mode) as sink, place.entered():
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env={**os.environ, LAUNCHED: "1"},
            )
        self.pid = self._process.pid

    def has_ended(self) -> bool:
        """Tell whether the process has ended. Its id stays reserved until :meth:`wait`."""
        if self._process.returncode is not None:
            return True
        flags = os.WEXITED | os.WNOHANG | os.WNOWAIT
        try:
            return os.waitid(os.P_PID, self.pid, flags) is not None
        except ChildProcessError:
            return True

    def poll(self) -> int | None:
        """Return the exit code; None while the process runs."""
        return self._process.poll()

    def wait(self) -> int:
        """Wait for the end of the process and return its exit code."""
        return self._process.wait()


def stop(processes: Sequence[StartedProcess], timeout_s: float = STOP_TIMEOUT_S) -> None:
    """End processes and everything in their groups: send SIGTERM, wait, then kill.

    Args:
        processes: The processes.
        timeout_s: Time to wait for all of them together, in seconds.
    """
    for process in processes:
        signal_group(process.pid, signal.SIGTERM)
    until = time.monotonic() + timeout_s
    waiting = list(processes)
    while waiting and time.monotonic() < until:
        waiting = [process for process in waiting if not process.has_ended()]
        if waiting:
            time.sleep(POLL_S)
    for process in processes:
        # even if the leader has ended: processes that it started may live on in its group
        signal_group(process.pid, signal.SIGKILL)
        process.wait()
