"""The machine that measurements come from, and how busy it is."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


def describe_machine() -> dict[str, Any]:
    """Describe this machine: system, processor, usable cores, memory (GB); no host or user name.

    ``summary.json`` has it as ``run.machine``.
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
    """Describe the time (UTC, ISO 8601), machine and Python of a measurement that begins now."""
    return {
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        **describe_machine(),
        "python": platform.python_version(),
    }


def load_average() -> float:
    """Read the system's load average of the last minute."""
    return os.getloadavg()[0]


def load_averages() -> list[float]:
    """Read the system's load averages of the last 1, 5 and 15 minutes."""
    return list(os.getloadavg())


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    names = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())
