"""The entries ``access.matchmakers`` of node.yaml: who signs in with a key."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rehearsal.errors import InputError, shown
from rehearsal.node.access.yaml_values import read_dataclasses

SHA256 = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class MatchmakerKey:
    """A matchmaker that signs in with a key, and what the operator vouches for."""

    client: str  # its name, for the audit log and vetoes; a host name also tells its country
    purpose: str  # of its requests, as in the header X-Rehearsal-Purpose
    sha256: str  # digest of the key, 64 hexadecimal digits; the key itself is kept nowhere


def read_matchmakers(source: Path | str, values: Any) -> tuple[MatchmakerKey, ...]:
    """Read the entries of matchmakers.

    Args:
        source: The file, for error messages.
        values: The list ``access.matchmakers``, or None without one.

    Returns:
        The entries.

    Raises:
        InputError: Names the key of a wrong value, or of a client or key that occurs twice.
    """
    keys = read_dataclasses(source, "access.matchmakers", MatchmakerKey, values)
    for i, one in enumerate(keys):
        key = f"access.matchmakers[{i}]"
        if not SHA256.fullmatch(one.sha256):
            expected = "64 hexadecimal digits, as 'printf %s KEY | sha256sum' writes them"
            raise InputError(source, f"{key}.sha256", expected, shown(one.sha256))
        if not one.client.strip() or not one.client.isprintable():
            raise InputError(source, f"{key}.client", "a name", shown(one.client))
        for name in ("client", "sha256"):
            if getattr(one, name) in [getattr(other, name) for other in keys[:i]]:
                found = f"{shown(getattr(one, name))} a second time"
                raise InputError(source, f"{key}.{name}", f"each {name} once", found)
    return keys
