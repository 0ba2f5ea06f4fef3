"""What stands beside a figure: the machine, its load, and the CPU time that processes took."""

from __future__ import annotations

import os
import platform
from collections.abc import Collection
from datetime import UTC, datetime
from math import nan
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from rehearsal.network.registry import NodeEntry
from rehearsal.node.access.settings import LOOPBACK


def load_average() -> float:
    """Of the last minute."""
    return os.getloadavg()[0]


def machine() -> dict[str, Any]:
    """The machine and the time, as plain JSON values."""
    return {
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "load_average_1min": load_average(),
    }


def cpu_seconds(nodes: Collection[NodeEntry]) -> float:
    """CPU seconds, user's and system's, that the processes of nodes have taken so far.

    NaN when one of them is not on this machine, has ended, or where there is no /proc.
    """
    return sum(_cpu_seconds(node) for node in nodes)


def _cpu_seconds(node: NodeEntry) -> float:
    if urlsplit(node.url).hostname not in LOOPBACK:
        return nan
    try:
        said = Path(f"/proc/{node.pid}/stat").read_text()
    except OSError:
        return nan
    fields = said.rsplit(")", 1)[1].split()  # the name before it may hold anything
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((x.split(":", 1)[1].strip() for x in lines if x.startswith("model name")), "")
