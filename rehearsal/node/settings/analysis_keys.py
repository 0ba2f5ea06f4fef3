"""Whose keys a node accepts in analyses: ``partners`` and ``coordinators`` of node.yaml."""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from binascii import Error
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rehearsal.errors import InputError, shown
from rehearsal.node.access.yaml_values import read_keys, read_list, read_mapping
from rehearsal.yaml_files import load_yaml

PUBLIC_BYTES = 32
P = 2**255 - 19  # of the field of Ed25519
_Y8 = 2707385501144840649318225287225658788936804267575313519463743609750303402022  # of order 8
SMALL_ORDER = frozenset({0, 1, P - 1, _Y8, P - _Y8})  # y of points by which anybody can sign
CODE = re.compile(r"[^\s\x00-\x1f\x7f]+")
OTHERS_MAY_WRITE = 0o022
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
    for code, one in partners.items():
        if not CODE.fullmatch(code):
            expected = "codes of nodes, without blanks"
            raise InputError(source, f"{before}partners", expected, shown(code))
        if b64decode(one) in [b64decode(other) for other in coordinators]:
            expected, found = "another key than a coordinator's", "the same"
            raise InputError(source, f"{before}partners.{code}", expected, found)
    return AnalysisKeys(partners, tuple(coordinators))


def read_keys_file(path: Path) -> AnalysisKeys:
    """Read a file of keys that nodes share, in YAML or JSON.

    Args:
        path: The file.

    Raises:
        InputError: The file cannot be used, has no keys, or others may write it.
    """
    expected = "a file with partners and coordinators"
    values = load_yaml(path, expected)
    if not values:
        raise InputError(path, "file", expected, "an empty file")
    mode = path.stat().st_mode & 0o777
    if mode & OTHERS_MAY_WRITE:
        expected = "a file that only its owner may write (chmod go-w)"
        raise InputError(path, "permissions", expected, f"mode {mode:o}")
    return read_analysis_keys(path, "", read_keys(path, "", AnalysisKeys, values))


def check_own_key(source: Path, keys: AnalysisKeys, code: str, own: bytes) -> None:
    """Check that a node's own key stands under its own code, if it is listed at all.

    Args:
        source: Where the lists stand, for error messages.
        keys: The keys that the node accepts.
        code: The node's code.
        own: Its public key, 32 bytes.

    Raises:
        InputError: Another key has its code, or its key has another code or is a coordinator's.
    """
    listed = keys.partner_keys
    if listed.pop(code, own) != own:
        expected = f"the key of this node's {IDENTITY_FILE} ({b64encode(own).decode()})"
        raise InputError(source, f"partners.{code}", expected, keys.partners[code])
    others = {f"partners.{name}": one for name, one in listed.items()}
    others |= {f"coordinators[{i}]": one for i, one in enumerate(keys.coordinator_keys)}
    for place, one in others.items():
        if one == own:
            raise InputError(source, place, "the key of somebody else", "the key of this node")


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
        if len(set(key)) == 1 or _is_of_small_order(key):
            raise InputError(source, place, "a key that somebody holds", "one that anybody can use")
        if key in seen:
            raise InputError(source, place, "each key once", f"the key of {seen[key]} again")
        seen[key] = place


def _is_of_small_order(key: bytes) -> bool:
    """Say whether a public key is a point of order 1, 2, 4 or 8: signatures of it can be made."""
    return (int.from_bytes(key, "little") & (1 << 255) - 1) % P in SMALL_ORDER
