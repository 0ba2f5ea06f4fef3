"""The parameters of the Europe model, as in ``config/demography.yaml``.

Every section of the file is a frozen dataclass and every key a field, so the file cannot contain a
key that nothing reads. Times are in generations ago, sizes are diploid effective sizes, rates are
per generation.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from rehearsal.errors import FALSE_COUNTRY, InputError, shown
from rehearsal.yaml_files import load_yaml

SOURCES = ("WHG", "EHG", "CHG", "YAM")  # sources whose log-odds against NEO are in the file


@dataclass(frozen=True, slots=True)
class OutOfAfrica:
    """The part of the model from the common ancestors to the people who left Africa."""

    ancestral_size: float
    african_size: float
    african_time: float
    out_of_africa_size: float
    out_of_africa_time: float
    out_of_africa_migration: float


@dataclass(frozen=True, slots=True)
class AncestralSources:
    """The ancient sources and their descent."""

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
    """A linear function of scaled latitude and longitude: ln(share of a source / share of NEO)."""

    level: float
    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class Admixture:
    """The mixture of ancient sources of each country, at one time, by its place on the map."""

    time: float
    latitude_centre: float
    latitude_unit: float
    longitude_centre: float
    longitude_unit: float
    log_odds: dict[str, AdmixtureCoefficients]


@dataclass(frozen=True, slots=True)
class Migration:
    """Symmetric migration between countries, which decays with distance and across seas."""

    rate: float
    distance_km: float
    sea_factor: float
    sea_groups: dict[str, tuple[str, ...]]
    threshold: float
    islands: tuple[str, ...]
    island_floor: float
    island_links: int


@dataclass(frozen=True, slots=True)
class Ancestries:
    """Populations outside Europe: Africa, East Asia, and South Asia as a mixture."""

    east_asian_size: float
    east_asian_growth: float
    south_asian_size: float
    south_asian_caucasus_share: float
    south_asian_steppe_share: float


@dataclass(frozen=True, slots=True)
class Growth:
    """The sizes of countries: constant, then exponential growth to a share of the census."""

    size: float
    start_time: float
    census_share: float


@dataclass(frozen=True, slots=True)
class FounderEvent:
    """A bottleneck in the past of some countries, at the same time in each of them."""

    countries: tuple[str, ...]
    size: float
    start_time: float
    end_time: float


@dataclass(frozen=True, slots=True)
class EuropeParameters:
    """All parameters of the Europe model; the table of countries completes it."""

    trunk: OutOfAfrica
    ancients: AncestralSources
    admixture: Admixture
    migration: Migration
    growth: Growth
    founders: dict[str, FounderEvent]
    ancestries: Ancestries


def read_parameters(path: Path | str) -> EuropeParameters:
    """Read the parameters from a YAML file.

    Args:
        path: The file.

    Returns:
        The parameters.

    Raises:
        InputError: A key is missing or unknown, a value is not a number or out of range, or times
            are out of order. The error names the file and the key (``migration.rate``).
    """
    tree = load_yaml(path, "YAML with the parameters")
    parameters = _read(EuropeParameters, tree, path, "")
    _check(parameters, path)
    return parameters


def _read(kind: Any, node: Any, path: Path | str, key: str) -> Any:
    """Read ``node`` as a value of type ``kind``; ``key`` is its dotted place in the file."""
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
            raise InputError(path, key, "a list of country codes", shown(node))
        return tuple(_name(item, path, key) for item in node)
    return _number(kind, node, path, key)


def _read_section(kind: Any, node: Any, path: Path | str, key: str) -> Any:
    table = _mapping(node, path, key or "file")
    types = get_type_hints(kind)
    names = [field.name for field in fields(kind)]
    dotted = {name: f"{key}.{name}".lstrip(".") for name in [*names, *map(str, table)]}
    for name in table:
        if name not in names:
            expected = f"one of the keys {', '.join(names)}"
            raise InputError(path, dotted[str(name)], expected, shown(str(name)))
    for name in names:
        if name not in table:
            raise InputError(path, dotted[name], "a value", "nothing")
    return kind(**{name: _read(types[name], table[name], path, dotted[name]) for name in names})


def _mapping(node: Any, path: Path | str, key: str) -> Mapping[Any, Any]:
    if not isinstance(node, Mapping):
        raise InputError(path, key, "a mapping of keys to values", shown(node))
    return node


def _name(item: Any, path: Path | str, key: str) -> str:
    """Read a country code or the name of a group."""
    if not isinstance(item, str):
        hint = FALSE_COUNTRY if item is False else ""
        raise InputError(path, key, "a country code or a name", f"{shown(item)}{hint}")
    return item


def _number(kind: type, node: Any, path: Path | str, key: str) -> float | int:
    if isinstance(node, str) and re.fullmatch(r"[-+]?\d+[eE][-+]?\d+", node):
        found = f"{shown(node)} (text); write a point and a signed exponent, as in 1.0e-8"
        raise InputError(path, key, "a number", found)
    if isinstance(node, bool) or not isinstance(node, int | float):
        raise InputError(path, key, "a number", shown(node))
    if not abs(node) <= sys.float_info.max:
        raise InputError(path, key, "a finite number", shown(node))
    if node < 0 and not _may_be_negative(key):
        raise InputError(path, key, "a number of at least 0", shown(node))
    if kind is int and node != int(node):
        raise InputError(path, key, "a whole number", shown(node))
    return kind(node)


def _may_be_negative(key: str) -> bool:
    """Whether a key is a log-odds or an angle in degrees."""
    return key.startswith("admixture.") and key != "admixture.time"


def _check(parameters: EuropeParameters, path: Path | str) -> None:
    """Check what types cannot express: sizes above 0, shares up to 1, times in order."""
    for key, value in _positive(parameters):
        if value <= 0:
            raise InputError(path, key, "a number above 0", shown(value))
    for key, value in _shares(parameters):
        if value > 1:
            raise InputError(path, key, "a number of at most 1", shown(value))
    _check_times(parameters, path)
    _check_founders(parameters, path)
    if set(parameters.admixture.log_odds) != set(SOURCES):
        expected = f"the sources {', '.join(SOURCES)}"
        found = ", ".join(parameters.admixture.log_odds) or "none"
        raise InputError(path, "admixture.log_odds", expected, found)


def _check_times(parameters: EuropeParameters, path: Path | str) -> None:
    """Check that times are in order, and that founder events lie after the admixture."""
    times = _times_in_order(parameters)
    for (older, older_time), (younger, younger_time) in pairwise(times):
        if younger_time >= older_time:
            expected = f"a time below {older} ({older_time:g})"
            raise InputError(path, younger, expected, shown(younger_time))
    for name, founder in parameters.founders.items():
        if not 0 < founder.end_time < founder.start_time < parameters.admixture.time:
            latest = parameters.admixture.time
            expected = f"0 < end_time < start_time < admixture.time ({latest:g})"
            found = f"end_time {founder.end_time:g}, start_time {founder.start_time:g}"
            raise InputError(path, f"founders.{name}", expected, found)


def _check_founders(parameters: EuropeParameters, path: Path | str) -> None:
    seen: dict[str, str] = {}
    for name, founder in parameters.founders.items():
        for code in founder.countries:
            if (other := seen.setdefault(code, name)) != name:
                expected = "a country in one group of founders only"
                raise InputError(path, f"founders.{name}", expected, f"{code}, also in {other}")


def _positive(parameters: EuropeParameters) -> list[tuple[str, float]]:
    found = []
    for section in ("trunk", "ancients", "growth", "ancestries"):
        part = getattr(parameters, section)
        names = [field.name for field in fields(part) if field.name.endswith("size")]
        found += [(f"{section}.{name}", getattr(part, name)) for name in names]
    found += [(f"founders.{name}.size", item.size) for name, item in parameters.founders.items()]
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
        ("ancestries.south_asian_caucasus_share", parameters.ancestries.south_asian_caucasus_share),
        ("ancestries.south_asian_steppe_share", parameters.ancestries.south_asian_steppe_share),
    ]


def _times_in_order(parameters: EuropeParameters) -> list[tuple[str, float]]:
    """List (key, time) from the oldest to the youngest, the order that the times must have."""
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
