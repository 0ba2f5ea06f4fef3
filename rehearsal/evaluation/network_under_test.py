"""A running network that is measured, and the CPU time of its processes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from math import nan
from urllib.parse import urlsplit

from rehearsal.network.registry import NodeEntry
from rehearsal.node.access.settings import LOOPBACK

CPU_CLOCK = 2  # of clock_getcpuclockid(3): time on a processor, of all threads


@dataclass(frozen=True, slots=True)
class NetworkUnderTest:
    """A network's service, the nodes behind it, and the deadline of a query."""

    service: NodeEntry
    nodes: Sequence[NodeEntry]
    deadline_s: float

    def cpu_seconds(self) -> dict[str, float]:
        """Return the CPU time so far, user and system, of the ``network`` and its ``nodes``.

        In seconds. NaN if a process is not on this machine or has ended, or not on Linux.
        """
        return {
            "network": _cpu_seconds(self.service),
            "nodes": sum(_cpu_seconds(node) for node in self.nodes),
        }


def _cpu_seconds(node: NodeEntry) -> float:
    if node.pid is None or urlsplit(node.url).hostname not in LOOPBACK:
        return nan
    try:  # Linux's clock of another process, in nanoseconds; /proc counts ticks of 10 ms
        return time.clock_gettime(~node.pid << 3 | CPU_CLOCK)
    except OSError:
        return nan
