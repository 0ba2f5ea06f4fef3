"""Real-time priority, where it is permitted, for code that emulates or measures time."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def realtime_priority() -> Iterator[None]:
    """Run this thread before all ordinary ones (SCHED_RR) for as long as the block runs.

    Without the right to do so (CAP_SYS_NICE), nothing changes.
    """
    before, parameters = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    except OSError:
        yield
        return
    try:
        yield
    finally:
        os.sched_setscheduler(0, before, parameters)
