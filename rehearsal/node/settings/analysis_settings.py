"""What may run at a node, and how much: ``algorithms:`` and ``analyses:`` of node.yaml."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from rehearsal.errors import InputError, shown
from rehearsal.node.access.yaml_values import read_dataclass, read_keys, texts_to_tuples
from rehearsal.node.settings.analysis_keys import (
    AnalysisKeys,
    read_analysis_keys,
    read_keys_file,
)

DIGEST = re.compile("sha256:[0-9a-f]{64}")
SMALLEST_COUNT = 2  # with 1, a count of one person would leave
CLEAR, MASKED = MODES = ("clear", "masked")  # how sums leave a node


@dataclass(frozen=True, slots=True)
class AnalysisSettings:
    """Limits of the runs of algorithms at a node, and with whom it plays them."""

    smallest_count: int = 5  # people behind every number that leaves
    runs: int = 2  # at a time; others wait
    waiting: int = 20  # runs that may wait
    cpu_s: int = 600  # CPU seconds of a run
    wall_s: int = 3600  # seconds of a run, with what it waits for the network or for a person
    memory_mb: int = 2048
    disk_mb: int = 512  # of files that the run writes, in memory too
    significant_bits: int = 48  # of a number that leaves; a double has 53
    sketches: bool = False  # whether keyed sketches of each person may leave, to find duplicates
    kinship_key: str = ""  # file of the key of sketches, from the node's folder; empty: none
    # of MODES, those in which sums leave: both of the same people differ by what few carry
    modes: tuple[str, ...] = (MASKED,)
    partners: Mapping[str, str] = field(default_factory=dict)  # by code: identity key in base64
    coordinators: tuple[str, ...] = ()  # public keys in base64
    keys_file: str | None = None  # file in the node's folder that has both lists instead

    def keys(self, folder: Path) -> AnalysisKeys:
        """Return the keys that the node accepts.

        Args:
            folder: The node's folder.

        Raises:
            InputError: The file of keys cannot be used.
        """
        if self.keys_file is not None:
            return read_keys_file(folder / self.keys_file)
        return AnalysisKeys(self.partners, self.coordinators)

    def as_yaml(self) -> dict[str, Any]:
        """Convert to plain values, which :func:`read_analyses` reads back."""
        values = asdict(self)
        values["modes"], values["coordinators"] = list(self.modes), list(self.coordinators)
        return {name: one for name, one in values.items() if one is not None}


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
    """Read the limits of runs, the modes and the keys.

    Args:
        source: The file, for error messages.
        values: The section, or None.

    Returns:
        The settings.

    Raises:
        InputError: A key is unknown, or a value is out of its range.
    """
    given = read_keys(source, "analyses", AnalysisSettings, {} if values is None else values)
    texts_to_tuples(source, "analyses", given, ("modes",))
    keys = read_analysis_keys(source, "analyses", given)
    if given.get("keys_file") is not None and (keys.partners or keys.coordinators):
        expected = "keys_file, or partners and coordinators"
        raise InputError(source, "analyses", expected, "both")
    given |= {"partners": keys.partners, "coordinators": keys.coordinators}
    settings = read_dataclass(source, "analyses", AnalysisSettings, given)
    _check_limits(source, settings)
    _check_modes(source, settings.modes)
    if settings.sketches and not settings.kinship_key:
        expected = "the file of the key, with sketches: true"
        raise InputError(source, "analyses.kinship_key", expected, "none")
    return settings


def _check_limits(source: Path, settings: AnalysisSettings) -> None:
    least = {"smallest_count": SMALLEST_COUNT, "waiting": 0, "significant_bits": 1}
    most = {"significant_bits": 53}
    for one in fields(AnalysisSettings):
        value = getattr(settings, one.name)
        low, high = least.get(one.name, 1), most.get(one.name, 1 << 31)
        if type(value) is int and not low <= value <= high:
            expected = f"a whole number from {low} to {high}"
            raise InputError(source, f"analyses.{one.name}", expected, shown(value))


def _check_modes(source: Path, modes: Sequence[str]) -> None:
    if not modes:
        raise InputError(source, "analyses.modes", f"at least one of {', '.join(MODES)}", "none")
    for i, mode in enumerate(modes):
        where = f"analyses.modes[{i}]"
        if mode not in MODES:
            raise InputError(source, where, f"one of {', '.join(MODES)}", shown(mode))
        if mode in modes[:i]:
            raise InputError(source, where, "each mode once", f"{mode} a second time")
