"""Processes that run for us, spawned or forked, and their end.

Every one leads a process group of its own, so what it starts ends with it.
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
from rehearsal.process_lifetime import signal_group

POLL_S = 0.02
STOP_TIMEOUT_S = 5.0

LogMode = Literal["wb", "ab"]  # a log begins anew, or goes on


class StartedProcess(Protocol):
    """A process that leads a process group."""

    pid: int

    def has_ended(self) -> bool:
        """Whether it has; its number stays taken until somebody waits for it."""

    def poll(self) -> int | None:
        """The exit code; None while it runs."""

    def wait(self) -> int:
        """The exit code, once it has ended."""


class SpawnedProcess:
    """A command line that runs at a place, its output in a log."""

    def __init__(self, command: Sequence[str], place: Place, log: Path, mode: LogMode) -> None:
        with log.open(mode) as sink, place.entered():
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.pid = self._process.pid

    def has_ended(self) -> bool:
        if self._process.returncode is not None:
            return True
        flags = os.WEXITED | os.WNOHANG | os.WNOWAIT
        try:
            return os.waitid(os.P_PID, self.pid, flags) is not None
        except ChildProcessError:
            return True

    def poll(self) -> int | None:
        return self._process.poll()

    def wait(self) -> int:
        return self._process.wait()


def stop(processes: Sequence[StartedProcess], timeout_s: float = STOP_TIMEOUT_S) -> None:
    """End the processes and everything in their groups: ask all, wait, then kill.

    Takes at most ``timeout_s`` for all of them together, however many hang.
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
        # also when the leader has ended: what it started may live on in its group
        signal_group(process.pid, signal.SIGKILL)
        process.wait()
