"""Ends the process groups of a launcher that died without ending them itself.

Run as a script with nothing but the standard library. It reads lines from standard input, a
pipe that only the launcher holds open: ``+PGID`` watches a group, ``-PGID`` forgets it, ``done``
forgets all of them.
When the pipe closes, by whatever death of the launcher, SIGKILL included, the groups that are
still watched are asked to end and then killed.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time

GRACE_S = 2.0


def watch() -> None:
    """Read standard input to its end, then end every group that is still watched."""
    for ignored in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    groups: set[int] = set()
    for line in sys.stdin:
        if line.startswith("+"):
            groups.add(int(line[1:]))
        elif line.startswith("-"):
            groups.discard(int(line[1:]))
        else:
            groups.clear()
    _signal_all(groups, signal.SIGTERM)
    until = time.monotonic() + GRACE_S
    while groups and time.monotonic() < until:
        time.sleep(0.05)
        groups = {group for group in groups if _is_there(group)}
    _signal_all(groups, signal.SIGKILL)


def _signal_all(groups: set[int], number: int) -> None:
    for group in groups:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, number)


def _is_there(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return False
    return True


if __name__ == "__main__":
    watch()
