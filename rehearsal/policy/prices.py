"""Prices and assumptions of the costs: ``config/prices.tsv``, and shares by ``config/gdp.tsv``.

Units are checked and converted by ``pint``. A source with ``(m)`` is from memory: nobody has looked
it up.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pint

from rehearsal.errors import InputError, shown
from rehearsal.formats.tables import read_cells, read_lines

UNITS = {  # of every item that the model needs; a table may give another unit of the same kind
    "storage": "EUR / byte / year",
    "transfer": "EUR / byte",
    "computing": "EUR / second",
    "node_server": "EUR / year",
    "centre_server": "EUR / year",
    "salary": "EUR / year",
    "node_staff": "people",
    "network_staff": "people",
    "centre_staff": "people",
    "delivery_staff": "people",
    "summary_staff": "people",
    "agreement": "EUR / year",
    "reads": "byte",
    "copies": "copies",
    "renewal": "1 / year",
    "questions": "questions / year",
    "storage_growth": "exponent",
    "store_growth": "exponent",
    "computing_growth": "exponent",
}
COLUMNS = ("item", "unit", "low", "mid", "high", "year", "source")
GDP_COLUMNS = ("country", "billion_eur", "year", "source")
LEAST = {"copies": 1}  # by item, where it is not 0, in the unit of UNITS
MOST = {
    "storage_growth": 2,
    "store_growth": 2,
    "computing_growth": 2,
}  # the same, where it is not LARGEST
LARGEST = 1e15
FROM_MEMORY = "(m)"
PLAIN = re.compile(r"\d+(\.\d+)?([eE][-+]?\d+)?", re.ASCII)  # a number that is not negative
UNIT = re.compile(r"[A-Za-z][A-Za-z /*]*|1 ?/ ?[A-Za-z]+|percent")
FIRST_YEAR = 1990
CODE = re.compile("[A-Z]{2}")  # of a country
LARGEST_PRODUCT = 1e5  # billion euros, about the whole world
# Each of a kind of its own, so that none passes as another. Those of pint take bytes and people
# for numbers.
DEFINITIONS = (
    *("EUR = [currency]", "people = [people]", "copies = [copies]", "questions = [questions]"),
    *("exponent = [exponent]", "byte = [information]", "bit = byte / 8", "percent = 0.01"),
    *("second = [time]", "minute = 60 * second", "hour = 60 * minute", "day = 24 * hour"),
    *("week = 7 * day", "year = 365.25 * day", "month = year / 12"),
    *("kilo- = 1e3", "mega- = 1e6", "giga- = 1e9", "tera- = 1e12", "peta- = 1e15"),
    *("kibi- = 2**10", "mebi- = 2**20", "gibi- = 2**30", "tebi- = 2**40", "pebi- = 2**50"),
)


@dataclass(frozen=True, slots=True)
class Price:
    """A price or an assumption, in the unit of ``UNITS``."""

    item: str
    unit: str  # as the table gives it
    low: float
    mid: float
    high: float
    year: int
    source: str
    given: tuple[float, float, float]  # low, mid and high as the table gives them

    @property
    def from_memory(self) -> bool:
        """Whether nobody has looked it up."""
        return is_from_memory(self.source)


@dataclass(frozen=True, slots=True)
class Product:
    """The gross domestic product of a country."""

    billion_eur: float
    year: int
    source: str

    @property
    def from_memory(self) -> bool:
        """Whether nobody has looked it up."""
        return is_from_memory(self.source)


def is_from_memory(source: str) -> bool:
    """Tell whether a source says that nobody has looked the figure up.

    Args:
        source: The source.
    """
    return FROM_MEMORY in source.lower()


@functools.cache
def units() -> pint.UnitRegistry:
    """Give the registry of units: ``DEFINITIONS``."""
    registry: pint.UnitRegistry = pint.UnitRegistry(None)
    for definition in DEFINITIONS:
        registry.define(definition)
    return registry


def read_prices(path: Path) -> dict[str, Price]:
    """Read the prices.

    Args:
        path: The tab-separated table.

    Returns:
        The prices by item, in the order of ``UNITS``.

    Raises:
        InputError: Names the file, the line and the column; for example a price without year or
            source, with a unit of another kind, or whose low is above its mid.
    """
    found: dict[str, Price] = {}
    for line, row in _rows(path, COLUMNS):
        price = _read_price(path, line, row)
        if price.item in found:
            raise InputError(path, f"line {line}: item", "an item once", price.item)
        found[price.item] = price
    missing = [item for item in UNITS if item not in found]
    if missing:
        raise InputError(path, "item", f"a price of {', '.join(missing)}", "none")
    if not found["salary"].mid * found["node_staff"].mid:
        raise InputError(path, "salary", "a price above 0, with some node_staff", "none")
    return {item: found[item] for item in UNITS}


def read_gdp(path: Path) -> dict[str, Product]:
    """Read the gross domestic products.

    Args:
        path: The tab-separated table.

    Returns:
        The products by code of the country.

    Raises:
        InputError: Names the file, the line and the column.
    """
    found: dict[str, Product] = {}
    for line, row in _rows(path, GDP_COLUMNS):
        _check_source(path, line, row)
        code, value = row["country"], _number(path, line, row, "billion_eur")
        if not CODE.fullmatch(code):
            raise InputError(path, f"line {line}: country", "a code such as AT", shown(code))
        if value == 0 or code in found:
            raise InputError(path, f"line {line}", "a country once, above 0", code)
        if value > LARGEST_PRODUCT:
            expected = f"at most {LARGEST_PRODUCT:,.0f} billion euros"
            raise InputError(path, f"line {line}: billion_eur", expected, row["billion_eur"])
        found[code] = Product(value, int(row["year"]), row["source"])
    if not found:
        raise InputError(path, "line 2", "a country with its gross domestic product", "none")
    return found


def last_year() -> int:
    """Return the current year, the last one of which a figure can be."""
    return date.today().year


def _rows(path: Path, columns: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the number of each line and its cells by column."""
    lines = read_lines(path)
    header = lines[0].split("\t") if lines else []
    if header != list(columns):
        raise InputError(path, "line 1", f"the columns {', '.join(columns)}", shown(header))
    for number, cells in read_cells(path, lines):
        if len(cells) != len(columns):
            raise InputError(path, f"line {number}", f"{len(columns)} cells", shown(len(cells)))
        yield number, dict(zip(columns, map(str.strip, cells), strict=True))


def _read_price(path: Path, line: int, row: Mapping[str, str]) -> Price:
    item = row["item"]
    if item not in UNITS:
        raise InputError(path, f"line {line}: item", f"one of {', '.join(UNITS)}", shown(item))
    _check_source(path, line, row)
    factor = _factor(path, line, row["unit"], UNITS[item])
    low, mid, high = (_number(path, line, row, name) for name in ("low", "mid", "high"))
    if not low <= mid <= high:
        found = f"{low:g}, {mid:g}, {high:g}"
        raise InputError(path, f"line {line}: {item}", "low, mid, high in that order", found)
    year, source, given = int(row["year"]), row["source"], (low, mid, high)
    low, mid, high = (factor * value for value in given)
    least, most = LEAST.get(item, 0), MOST.get(item, LARGEST)
    for name, value in (("low", low), ("high", high)):
        if not least <= value <= most:
            expected = f"from {least:g} to {most:g} {UNITS[item]}"
            raise InputError(path, f"line {line}: {name}", expected, f"{value:g}")
    return Price(item, row["unit"], low, mid, high, year, source, given)


def _check_source(path: Path, line: int, row: Mapping[str, str]) -> None:
    if not re.fullmatch("[0-9]{4}", row["year"]) or not (
        FIRST_YEAR <= int(row["year"]) <= last_year()
    ):
        expected = f"a year from {FIRST_YEAR} to {last_year()}"
        raise InputError(path, f"line {line}: year", expected, shown(row["year"]))
    if not row["source"]:
        raise InputError(path, f"line {line}: source", "where the figure is from", "nothing")


def _number(path: Path, line: int, row: Mapping[str, str], column: str) -> float:
    value = float(row[column]) if PLAIN.fullmatch(row[column]) else math.nan
    if not value < math.inf:
        expected = "a number of at least 0"
        raise InputError(path, f"line {line}: {column}", expected, shown(row[column]))
    return value


def _factor(path: Path, line: int, given: str, wanted: str) -> float:
    """Return by how much a value in the given unit is multiplied to be in the wanted one."""
    try:
        factor = float(units()(given).to(wanted).magnitude)
        if not UNIT.fullmatch(given) or not 0 < factor < math.inf:  # a number would be a price
            raise ValueError
    except Exception:  # pint has many kinds of errors for what is no unit
        expected = f"a unit such as {wanted}"
        raise InputError(path, f"line {line}: unit", expected, shown(given)) from None
    return factor
