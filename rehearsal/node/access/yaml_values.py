"""Checks values of a node's YAML and turns them into dataclasses.

The ``key`` of every function is the place of the value in the file, for error messages. An empty
key stands for the whole file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, Field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from rehearsal.errors import InputError, shown

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")
CHECKED_TYPES = {"str": str, "str | None": str, "bool": bool, "int": int, "Tier": str}
PHRASES = {str: "a text", bool: "true or false", int: "a whole number"}
KINDS = {str: "text", int: "a number", float: "a number", list: "a list", dict: "a mapping"}


def read_dataclass(source: Path | str, key: str, kind: type[T], values: Any) -> T:
    """Build a dataclass from a mapping whose keys are fields of it.

    Texts, whole numbers and truth values must have their type in YAML, which reads ``NO`` as false
    and ``1e-8`` as text.

    Args:
        source: The file.
        key: Place of the mapping in the file.
        kind: The dataclass.
        values: The mapping as YAML gives it.

    Returns:
        An instance of the dataclass.

    Raises:
        InputError: A key is missing, unknown or has a value of another type.
    """
    given = read_keys(source, key, kind, values)
    for one in fields(kind):
        _check_field(source, _joined(key, one.name), one, given)
    return kind(**given)


def _check_field(source: Path | str, key: str, one: Field[Any], given: Mapping[str, Any]) -> None:
    """Check that a field has a value of its type, or is missing and has a default."""
    expected = CHECKED_TYPES.get(str(one.type))
    if one.name in given:
        found = _fault(given[one.name], one, expected)
    else:
        is_required = one.default is MISSING and one.default_factory is MISSING
        found = "nothing" if is_required else None
    if found is not None:
        phrase = "a value" if expected is None else PHRASES[expected]
        raise InputError(source, key, phrase, found)


def _fault(value: Any, one: Field[Any], expected: type | None) -> str | None:
    """Describe a value that a field does not allow. Return None if the value is allowed."""
    if value is None:
        return None if "None" in str(one.type) else shown(value)
    if expected is None or _is_a(value, expected):
        return None
    if expected is str and isinstance(value, bool):
        return f"{shown(value)} (put a text like NO or ON in quotes)"
    return described(value)


def _joined(key: str, name: object) -> str:
    return f"{key}.{name}" if key else str(name)


def described(value: Any) -> str:
    """Show a value of another type than expected, with its type.

    Args:
        value: The value as YAML gives it.

    Returns:
        For example ``'10' (text)``.
    """
    kind = KINDS.get(type(value))
    return shown(value) if kind is None else f"{shown(value)} ({kind})"


def _is_a(value: Any, expected: type) -> bool:
    return isinstance(value, expected) and not (expected is int and isinstance(value, bool))


def read_keys(
    source: Path | str, key: str, kind: type[DataclassInstance], values: Any
) -> dict[str, Any]:
    """Check that a mapping has no other keys than the fields of a dataclass.

    Args:
        source: The file.
        key: Place of the mapping in the file.
        kind: The dataclass.
        values: The mapping as YAML gives it.

    Returns:
        A copy of the mapping.

    Raises:
        InputError: The value is not a mapping, or has an unknown key.
    """
    known = [one.name for one in fields(kind)]
    if not isinstance(values, Mapping):
        expected = f"a mapping with the keys {', '.join(known)}"
        raise InputError(source, key or "file", expected, described(values))
    for name in values:
        if name not in known:
            expected = f"one of the keys {', '.join(known)}"
            raise InputError(source, _joined(key, name), expected, "an unknown key")
    return dict(values)


def read_mapping(source: Path | str, key: str, values: Any) -> Mapping[str, Any]:
    """Check that a value is a mapping with texts as keys.

    Args:
        source: The file.
        key: Place of the mapping in the file.
        values: The value as YAML gives it. None stands for an empty mapping.

    Returns:
        The mapping.

    Raises:
        InputError: The value is not a mapping, or a key is not a text.
    """
    if values is None:
        return {}
    if not isinstance(values, Mapping):
        raise InputError(source, key, "a mapping", described(values))
    for name in values:
        if not isinstance(name, str):
            found = f"{shown(name)} (put it in quotes)"
            raise InputError(source, key, "keys that are texts", found)
    return values


def read_list(source: Path | str, key: str, values: Any) -> list[Any]:
    """Check that a value is a list.

    Args:
        source: The file.
        key: Place of the list in the file.
        values: The value as YAML gives it. None stands for an empty list.

    Returns:
        A copy of the list.

    Raises:
        InputError: The value is not a list.
    """
    if not isinstance(values, list | tuple | None):
        raise InputError(source, key, "a list", described(values))
    return list(values or ())


def read_dataclasses(source: Path | str, key: str, kind: type[T], values: Any) -> tuple[T, ...]:
    """Build dataclasses from a list of mappings.

    Args:
        source: The file.
        key: Place of the list in the file.
        kind: The dataclass.
        values: The list as YAML gives it. None stands for an empty list.

    Returns:
        One instance per mapping.

    Raises:
        InputError: The value is not a list, or a mapping is wrong.
    """
    rows = read_list(source, key, values)
    return tuple(read_dataclass(source, f"{key}[{i}]", kind, one) for i, one in enumerate(rows))


def texts_to_tuples(
    source: Path | str, key: str, given: dict[str, Any], names: tuple[str, ...]
) -> None:
    """Turn lists of texts in a mapping into tuples, in place.

    Args:
        source: The file.
        key: Place of the mapping in the file.
        given: The mapping, which is changed.
        names: Its keys whose values are lists of texts. Missing keys are skipped.

    Raises:
        InputError: A value is not a list, or an item is not a text or is empty.
    """
    for name in names:
        if name in given:
            values = read_list(source, f"{key}.{name}", given[name])
            for i, one in enumerate(values):
                if not isinstance(one, str) or not one:
                    expected, found = "a text that is not empty", described(one)
                    raise InputError(source, f"{key}.{name}[{i}]", expected, found)
            given[name] = tuple(values)
