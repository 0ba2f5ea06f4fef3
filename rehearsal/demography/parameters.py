"""The parameters of the Europe model, as ``config/demography.yaml`` writes them.

Every section of the file is one frozen dataclass here and every key one field, so the file cannot
hold a key that nothing reads. Times are generations ago, sizes are diploid effective sizes, rates
are per generation.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import yaml

from rehearsal.errors import InputError

SOURCES = ("WHG", "EHG", "CHG", "YAM")  # whose log-odds against NEO the file gives


@dataclass(frozen=True, slots=True)
class OutOfAfrica:
    """From the common ancestors to the people who left Africa."""

    ancestral_size: float
    african_size: float
    african_time: float
    out_of_africa_size: float
    out_of_africa_time: float
    out_of_africa_migration: float


@dataclass(frozen=True, slots=True)
class AncestralSources:
    """The ancient sources and how they come from one another."""

    basal_split_time: float
    west_asian_split_time: float
    north_eurasian_split_time: float
    farmer_time: float
    steppe_time: float
    north_eurasian_size: float
    west_asian_size: float
    western_hunter_size: float
    eastern_hunter_size: float
    caucasus_size: float
    anatolian_size: float
    farmer_size: float
    steppe_size: float
    farmer_hunter_share: float
    steppe_hunter_share: float


@dataclass(frozen=True, slots=True)
class AdmixtureCoefficients:
    """ln(share of a source / share of NEO), linear in scaled latitude and longitude."""

    level: float
    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class Admixture:
    """Each country's mixture of ancient sources, at one time, from its place on the map."""

    time: float
    latitude_centre: float
    latitude_unit: float
    longitude_centre: float
    longitude_unit: float
    log_odds: dict[str, AdmixtureCoefficients]


@dataclass(frozen=True, slots=True)
class Migration:
    """Symmetric migration between countries, decaying with distance and across seas."""

    rate: float
    distance_km: float
    sea_factor: float
    sea_groups: dict[str, tuple[str, ...]]
    threshold: float
    islands: tuple[str, ...]
    island_floor: float
    island_links: int


@dataclass(frozen=True, slots=True)
class Growth:
    """Country sizes: constant, then exponential growth to a share of the census."""

    size: float
    start_time: float
    census_share: float


@dataclass(frozen=True, slots=True)
class FounderEvent:
    """A bottleneck in one country's past."""

    size: float
    start_time: float
    end_time: float


@dataclass(frozen=True, slots=True)
class EuropeParameters:
    """Everything that, with the table of countries, makes the Europe model."""

    trunk: OutOfAfrica
    ancients: AncestralSources
    admixture: Admixture
    migration: Migration
    growth: Growth
    founders: dict[str, FounderEvent]


def read_parameters(path: Path | str) -> EuropeParameters:
    """The parameters in a YAML file.

    Raises InputError naming the file and the key (``migration.rate``) when one is missing,
    unknown, not a number, negative where only the log-odds and degrees may be, or when times are
    out of order.
    """
    try:
        tree = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(path, "file", f"cannot be read: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise InputError(path, "file", f"expected YAML: {error}") from error
    parameters = _read(EuropeParameters, tree, path, "")
    _check(parameters, path)
    return parameters


def _read(kind: Any, node: Any, path: Path | str, key: str) -> Any:
    """``node`` as a value of type ``kind``; ``key`` is its dotted place in the file."""
    if is_dataclass(kind):
        return _read_section(kind, node, path, key)
    if get_origin(kind) is dict:
        table = _mapping(node, path, key)
        inner = get_args(kind)[1]
        return {
            _name(name, path, key): _read(inner, value, path, f"{key}.{name}")
            for name, value in table.items()
        }
    if get_origin(kind) is tuple:
        if not isinstance(node, list):
            raise InputError(path, key, f"expected a list of country codes, found {node!r}")
        return tuple(_name(item, path, key) for item in node)
    return _number(kind, node, path, key)


def _read_section(kind: Any, node: Any, path: Path | str, key: str) -> Any:
    table = _mapping(node, path, key or "file")
    types = get_type_hints(kind)
    names = [field.name for field in fields(kind)]
    dotted = {name: f"{key}.{name}".lstrip(".") for name in [*names, *map(str, table)]}
    for name in table:
        if name not in names:
            raise InputError(
                path, dotted[str(name)], f"unknown key; expected one of {', '.join(names)}"
            )
    for name in names:
        if name not in table:
            raise InputError(path, dotted[name], "missing")
    return kind(**{name: _read(types[name], table[name], path, dotted[name]) for name in names})


def _mapping(node: Any, path: Path | str, key: str) -> Mapping[Any, Any]:
    if not isinstance(node, Mapping):
        raise InputError(path, key, f"expected keys and values, found {node!r}")
    return node


def _name(item: Any, path: Path | str, key: str) -> str:
    """A code or group name; YAML reads an unquoted ``NO`` as false."""
    if not isinstance(item, str):
        raise InputError(
            path, key, f'expected a name, found {item!r}; write codes in quotes, e.g. "NO"'
        )
    return item


def _number(kind: type, node: Any, path: Path | str, key: str) -> float | int:
    if isinstance(node, str) and re.fullmatch(r"[-+]?\d+[eE][-+]?\d+", node):
        raise InputError(
            path, key, f"expected a number, YAML reads {node} as text; write a dot, e.g. 1.0e-8"
        )
    if isinstance(node, bool) or not isinstance(node, int | float) or not math.isfinite(node):
        raise InputError(path, key, f"expected a number, found {node!r}")
    if node < 0 and not _may_be_negative(key):
        raise InputError(path, key, f"expected a number of at least 0, found {node}")
    if kind is int and node != int(node):
        raise InputError(path, key, f"expected a whole number, found {node}")
    return kind(node)


def _may_be_negative(key: str) -> bool:
    """Log-odds and degrees."""
    return key.startswith("admixture.") and key != "admixture.time"


def _check(parameters: EuropeParameters, path: Path | str) -> None:
    """What the types cannot say: sizes above 0, shares, times in order."""
    for key, value in _positive(parameters):
        if value <= 0:
            raise InputError(path, key, f"expected a number above 0, found {value}")
    for key, value in _shares(parameters):
        if value > 1:
            raise InputError(path, key, f"expected a number of at most 1, found {value}")
    times = _times_in_order(parameters)
    for (older, older_time), (younger, younger_time) in pairwise(times):
        if younger_time >= older_time:
            raise InputError(
                path, younger, f"expected less than {older} ({older_time:g}), found {younger_time}"
            )
    for code, founder in parameters.founders.items():
        if not 0 < founder.end_time < founder.start_time < parameters.admixture.time:
            raise InputError(
                path,
                f"founders.{code}",
                "expected 0 < end_time < start_time < admixture.time "
                f"({parameters.admixture.time:g})",
            )
    if set(parameters.admixture.log_odds) != set(SOURCES):
        raise InputError(
            path, "admixture.log_odds", f"expected exactly the sources {', '.join(SOURCES)}"
        )


def _positive(parameters: EuropeParameters) -> list[tuple[str, float]]:
    found = []
    for section in ("trunk", "ancients", "growth"):
        part = getattr(parameters, section)
        names = [field.name for field in fields(part) if field.name.endswith("size")]
        found += [(f"{section}.{name}", getattr(part, name)) for name in names]
    found += [(f"founders.{code}.size", item.size) for code, item in parameters.founders.items()]
    found += [
        ("admixture.latitude_unit", parameters.admixture.latitude_unit),
        ("admixture.longitude_unit", parameters.admixture.longitude_unit),
        ("migration.distance_km", parameters.migration.distance_km),
    ]
    return found


def _shares(parameters: EuropeParameters) -> list[tuple[str, float]]:
    ancients, migration = parameters.ancients, parameters.migration
    return [
        ("trunk.out_of_africa_migration", parameters.trunk.out_of_africa_migration),
        ("ancients.farmer_hunter_share", ancients.farmer_hunter_share),
        ("ancients.steppe_hunter_share", ancients.steppe_hunter_share),
        ("migration.rate", migration.rate),
        ("migration.sea_factor", migration.sea_factor),
        ("migration.threshold", migration.threshold),
        ("migration.island_floor", migration.island_floor),
        ("growth.census_share", parameters.growth.census_share),
    ]


def _times_in_order(parameters: EuropeParameters) -> list[tuple[str, float]]:
    """(key, time) from the oldest to now; each must be younger than the one before."""
    trunk, ancients = parameters.trunk, parameters.ancients
    return [
        ("trunk.african_time", trunk.african_time),
        ("trunk.out_of_africa_time", trunk.out_of_africa_time),
        ("ancients.basal_split_time", ancients.basal_split_time),
        ("ancients.west_asian_split_time", ancients.west_asian_split_time),
        ("ancients.north_eurasian_split_time", ancients.north_eurasian_split_time),
        ("ancients.farmer_time", ancients.farmer_time),
        ("ancients.steppe_time", ancients.steppe_time),
        ("admixture.time", parameters.admixture.time),
        ("growth.start_time", parameters.growth.start_time),
    ]
