"""A running network that is measured, and the CPU time of its processes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from math import nan
from pathlib import Path
from urllib.parse import urlsplit

from rehearsal.network.registry import NodeEntry
from rehearsal.node.access.settings import LOOPBACK


@dataclass(frozen=True, slots=True)
class NetworkUnderTest:
    """A network's service, the nodes behind it, and the deadline of a query."""

    service: NodeEntry
    nodes: Sequence[NodeEntry]
    deadline_s: float

    def cpu_seconds(self) -> dict[str, float]:
        """Return the CPU time so far, user and system, of the ``network`` and its ``nodes``.

        In seconds. NaN if a process is not on this machine or has ended, or without /proc.
        """
        return {
            "network": _cpu_seconds(self.service),
            "nodes": sum(_cpu_seconds(node) for node in self.nodes),
        }


def _cpu_seconds(node: NodeEntry) -> float:
    if urlsplit(node.url).hostname not in LOOPBACK:
        return nan
    try:
        status = Path(f"/proc/{node.pid}/stat").read_text()
    except OSError:
        return nan
    fields = status.rsplit(")", 1)[1].split()  # the process name before it may hold any character
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
