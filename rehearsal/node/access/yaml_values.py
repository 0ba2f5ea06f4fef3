"""Values of a node's YAML, checked and turned into dataclasses; complaints name file and key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, Field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from rehearsal.errors import InputError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")
CHECKED_TYPES = {"str": str, "str | None": str, "bool": bool, "int": int, "Tier": str}


def read_dataclass(source: Path | str, key: str, kind: type[T], values: Any) -> T:
    """An instance of a dataclass from a mapping that has no other keys than its fields.

    Raises InputError naming ``source`` and the key. Texts, whole numbers and booleans must be such:
    YAML reads ``NO`` as false and 1e-8 as text.
    """
    given = read_keys(source, key, kind, values)
    for one in fields(kind):
        _check_field(source, f"{key}.{one.name}", one, given)
    return kind(**given)


def _check_field(source: Path | str, key: str, one: Field[Any], given: Mapping[str, Any]) -> None:
    if one.name not in given:
        if one.default is MISSING and one.default_factory is MISSING:
            raise InputError(source, key, f"{one.type}, but it is missing")
        return
    value, expected = given[one.name], CHECKED_TYPES.get(str(one.type))
    if value is None:
        if "None" not in str(one.type):
            raise InputError(source, key, f"{one.type}")
    elif expected is not None and not _is_a(value, expected):
        raise InputError(source, key, f"{expected.__name__}, not {value!r}")


def _is_a(value: Any, expected: type) -> bool:
    return isinstance(value, expected) and not (expected is int and isinstance(value, bool))


def read_keys(
    source: Path | str, key: str, kind: type[DataclassInstance], values: Any
) -> dict[str, Any]:
    """A mapping with some of a dataclass's fields. Raises InputError."""
    known = [one.name for one in fields(kind)]
    if not isinstance(values, Mapping) or not set(values) <= set(known):
        raise InputError(source, key, f"a mapping with the keys {', '.join(known)}")
    return dict(values)


def read_mapping(source: Path | str, key: str, values: Any) -> Mapping[str, Any]:
    """A mapping from texts; empty where nothing is given. Raises InputError."""
    if values is None:
        return {}
    if not isinstance(values, Mapping) or not all(isinstance(name, str) for name in values):
        raise InputError(source, key, "a mapping")
    return values


def read_list(source: Path | str, key: str, values: Any) -> list[Any]:
    """A list; empty where nothing is given. Raises InputError."""
    if not isinstance(values, list | tuple | None):
        raise InputError(source, key, "a list")
    return list(values or ())


def read_dataclasses(source: Path | str, key: str, kind: type[T], values: Any) -> tuple[T, ...]:
    """A list of mappings as dataclasses. Raises InputError."""
    rows = read_list(source, key, values)
    return tuple(read_dataclass(source, f"{key}[{i}]", kind, one) for i, one in enumerate(rows))


def texts_to_tuples(
    source: Path | str, key: str, given: dict[str, Any], names: tuple[str, ...]
) -> None:
    """Turn these lists of texts into tuples, in place. Raises InputError."""
    for name in names:
        if name in given:
            values = read_list(source, f"{key}.{name}", given[name])
            if not all(isinstance(one, str) and one for one in values):
                raise InputError(source, f"{key}.{name}", "a list of texts")
            given[name] = tuple(values)
