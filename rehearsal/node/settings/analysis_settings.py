"""What may run at a node, and how much: ``algorithms:`` and ``analyses:`` of node.yaml."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from rehearsal.errors import InputError, shown
from rehearsal.node.access.yaml_values import read_dataclass

DIGEST = re.compile("sha256:[0-9a-f]{64}")
SMALLEST_COUNT = 2  # with 1, a count of one person would leave


@dataclass(frozen=True, slots=True)
class AnalysisSettings:
    """Limits of the runs of algorithms at a node."""

    smallest_count: int = 5  # people behind every number that leaves
    runs: int = 2  # at a time; others wait
    waiting: int = 20  # runs that may wait
    cpu_s: int = 600  # CPU seconds of a run
    wall_s: int = 3600  # seconds of a run, with what it waits for the network or for a person
    memory_mb: int = 2048
    disk_mb: int = 512  # of files that the run writes, in memory too
    significant_bits: int = 48  # of a number that leaves; a double has 53
    sketches: bool = False  # whether keyed sketches of each person may leave, to find duplicates


def read_digests(source: Path, values: Sequence[str]) -> tuple[str, ...]:
    """Check the list of approved algorithms.

    Args:
        source: The file, for error messages.
        values: Its list.

    Returns:
        Digests.

    Raises:
        InputError: One of them is not a digest, or is there twice.
    """
    for i, value in enumerate(values):
        if not DIGEST.fullmatch(value):
            expected = "sha256: and 64 hexadecimal digits, as rehearsal node digest prints"
            raise InputError(source, f"algorithms[{i}]", expected, shown(value))
        if value in values[:i]:
            expected, found = "each digest once", f"{shown(value)} a second time"
            raise InputError(source, f"algorithms[{i}]", expected, found)
    return tuple(values)


def read_analyses(source: Path, values: Any) -> AnalysisSettings:
    """Read the limits of runs.

    Args:
        source: The file, for error messages.
        values: The section, or None.

    Returns:
        The limits.

    Raises:
        InputError: A key is unknown, or a value is out of its range.
    """
    settings = read_dataclass(
        source, "analyses", AnalysisSettings, {} if values is None else values
    )
    least = {"smallest_count": SMALLEST_COUNT, "waiting": 0, "significant_bits": 1}
    most = {"significant_bits": 53}
    for one in fields(AnalysisSettings):
        value = getattr(settings, one.name)
        low, high = least.get(one.name, 1), most.get(one.name, 1 << 31)
        if not isinstance(value, bool) and not low <= value <= high:
            expected = f"a whole number from {low} to {high}"
            raise InputError(source, f"analyses.{one.name}", expected, shown(value))
    return settings
