"""Jobs end with the run that they are part of, whatever it dies of.

A run that is killed (SIGKILL) cannot end its jobs. Each job therefore watches the process that
started the run, if that is among its ancestors: jobs of a cluster are not, and live on.
"""

from __future__ import annotations

import os
import select
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

RUN = "REHEARSAL_RUN_PID"  # environment variable: the process that started the run


def end_with_run() -> None:
    """End this process by SIGTERM as soon as the run's first process is gone.

    What this process has started must end by itself then, as the launcher's nodes do. Does
    nothing outside of a run, or on systems without descriptors of processes (Linux has them).
    """
    said = os.environ.get(RUN, "")
    if not said.isdigit() or int(said) not in ancestors() or not hasattr(os, "pidfd_open"):
        return
    try:
        run = os.pidfd_open(int(said))
    except OSError:  # gone since a moment ago
        os.kill(os.getpid(), signal.SIGTERM)
        return
    threading.Thread(target=_wait, args=(run,), daemon=True, name="ends with the run").start()


def _wait(run: int) -> None:
    select.select([run], [], [])
    os.kill(os.getpid(), signal.SIGTERM)


def ancestors() -> Iterator[int]:
    """The process that started this one, the one that started that, and so on."""
    pid = os.getppid()
    while pid > 0:
        yield pid
        try:
            status = Path(f"/proc/{pid}/stat").read_text()
        except OSError:
            return
        pid = int(status.rpartition(")")[2].split()[1])  # a command's name may hold anything
