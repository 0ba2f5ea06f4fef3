"""The machine that figures come from, and how busy it is: what stands beside every timing."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


def describe_machine() -> dict[str, Any]:
    """System, processor, usable cores and memory (GB) of this machine; no host or user name.

    The ``run.machine`` of ``summary.json``.
    """
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    has_affinity = hasattr(os, "sched_getaffinity")
    return {
        "system": f"{platform.system()} {platform.release()}",
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if has_affinity else os.cpu_count(),
        "memory_gb": round(memory / 1e9, 1),
    }


def measurement_conditions() -> dict[str, Any]:
    """The time (UTC, ISO 8601), the machine and the Python of a measurement that begins now."""
    return {
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        **describe_machine(),
        "python": platform.python_version(),
    }


def load_average() -> float:
    """Of the last minute."""
    return os.getloadavg()[0]


def load_averages() -> list[float]:
    """Of the last 1, 5 and 15 minutes."""
    return list(os.getloadavg())


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    names = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())
