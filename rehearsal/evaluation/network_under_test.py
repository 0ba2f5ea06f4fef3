"""A running network that is measured, and the CPU time that its processes have taken."""

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
    """A network's service, the nodes behind it, and how long a query may take."""

    service: NodeEntry
    nodes: Sequence[NodeEntry]
    deadline_s: float

    def cpu_seconds(self) -> dict[str, float]:
        """CPU seconds so far, the user's and the system's, of the ``network`` and its ``nodes``.

        NaN when a process is not on this machine, has ended, or where there is no /proc.
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
    fields = status.rsplit(")", 1)[1].split()  # the name before it may hold anything
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
