"""Whose keys a node accepts in analyses: ``partners`` and ``coordinators`` of node.yaml."""

from __future__ import annotations

from base64 import b64decode
from binascii import Error
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rehearsal.errors import InputError, shown
from rehearsal.node.access.yaml_values import read_keys, read_list, read_mapping
from rehearsal.yaml_files import load_yaml

PUBLIC_BYTES = 32
IDENTITY_FILE = Path("keys", "identity.pem")  # in the node's folder: its private key


@dataclass(frozen=True, slots=True)
class AnalysisKeys:
    """Public Ed25519 keys that a node accepts, as people exchange them: in base64."""

    partners: Mapping[str, str] = field(default_factory=dict)  # by code: who may add masked sums
    coordinators: tuple[str, ...] = ()  # of networks that may send states and lists of keys

    @property
    def partner_keys(self) -> dict[str, bytes]:
        """The keys of partners, 32 bytes each."""
        return {code: b64decode(one) for code, one in self.partners.items()}

    @property
    def coordinator_keys(self) -> tuple[bytes, ...]:
        """The keys of coordinators, 32 bytes each."""
        return tuple(b64decode(one) for one in self.coordinators)


def read_analysis_keys(source: Path, place: str, values: Mapping[str, Any]) -> AnalysisKeys:
    """Check lists of keys.

    Args:
        source: The file, for error messages.
        place: Where they stand in it, for error messages; empty: they are the whole file.
        values: ``partners`` and ``coordinators``, each may be missing.

    Returns:
        The keys.

    Raises:
        InputError: A key is not one, or is there twice.
    """
    before = f"{place}." if place else ""
    partners = read_mapping(source, f"{before}partners", values.get("partners"))
    coordinators = read_list(source, f"{before}coordinators", values.get("coordinators"))
    _check(source, {f"{before}partners.{code}": one for code, one in partners.items()})
    _check(source, {f"{before}coordinators[{i}]": one for i, one in enumerate(coordinators)})
    return AnalysisKeys(partners, tuple(coordinators))


def read_keys_file(path: Path) -> AnalysisKeys:
    """Read a file of keys that nodes share, in YAML or JSON.

    Args:
        path: The file.

    Raises:
        InputError: The file cannot be used.
    """
    values = load_yaml(path, "a file with partners and coordinators")
    return read_analysis_keys(path, "", read_keys(path, "", AnalysisKeys, values or {}))


def _check(source: Path, keys: Mapping[str, Any]) -> None:
    """Check that each is a key, and another one than those before. Raises InputError."""
    seen: dict[bytes, str] = {}
    for place, value in keys.items():
        expected = (
            f"a public key: {PUBLIC_BYTES} bytes in base64, as rehearsal node identity prints"
        )
        try:
            key = b64decode(value, validate=True) if isinstance(value, str) else b""
        except (Error, ValueError):
            key = b""
        if len(key) != PUBLIC_BYTES:
            raise InputError(source, place, expected, shown(value))
        if key in seen:
            raise InputError(source, place, "each key once", f"the key of {seen[key]} again")
        seen[key] = place
