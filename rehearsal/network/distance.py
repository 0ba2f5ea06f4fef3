"""Round-trip times between capitals: measured where a table has the pair, fitted elsewhere.

The fit is a line over the 104 European pairs of the measured table: 8.8 ms + 0.0175 ms per km
of great circle (R² 0.89, RMSE 3 ms). Light in fibre alone needs 0.0098 ms/km for the way there
and back; the rest of the slope is that cables bend, and the intercept is what every crossing
between operators costs.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import asin, cos, isfinite, radians, sin, sqrt
from pathlib import Path

import pandas as pd

from rehearsal.model import Country, InputError

EARTH_RADIUS_KM = 6371.0
FIT_INTERCEPT_MS = 8.8
FIT_SLOPE_MS_PER_KM = 0.0175
# A country to itself does not pay the intercept: no operator is crossed. Two zones of one cloud
# region in London answered in 1.55 ms on average (simonpainter.com/azure-latency-1), under the
# 2 ms that the provider promises between zones.
SAME_COUNTRY_MS = 1.5

COLUMNS = ("a", "b", "rtt_ms", "source")


def great_circle_km(first: Country, second: Country) -> float:
    """Distance in km between two capitals on a sphere (haversine formula)."""
    latitude_1, latitude_2 = radians(first.capital_latitude), radians(second.capital_latitude)
    half_latitude = (latitude_2 - latitude_1) / 2
    half_longitude = radians(second.capital_longitude - first.capital_longitude) / 2
    chord = sin(half_latitude) ** 2 + cos(latitude_1) * cos(latitude_2) * sin(half_longitude) ** 2
    return 2 * EARTH_RADIUS_KM * asin(sqrt(min(1.0, chord)))


def fitted_rtt_ms(km: float) -> float:
    """Round-trip time in ms between two capitals ``km`` apart, by the fit above."""
    return FIT_INTERCEPT_MS + FIT_SLOPE_MS_PER_KM * km


def read_distances(path: Path) -> dict[frozenset[str], float]:
    """Measured round-trip times in ms by unordered pair of country codes.

    Raises InputError for missing columns, a pair given twice, a country with itself, or a time
    that is not a positive number.
    """
    try:
        # keep_default_na: Namibia's NA is nobody's missing value, and NO must stay text
        table = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False)
    except (OSError, pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise InputError(path, "file", f"a table {' '.join(COLUMNS)}: {error}") from error
    if missing := [column for column in COLUMNS if column not in table]:
        raise InputError(path, ", ".join(missing), f"columns {' '.join(COLUMNS)}")
    pairs: dict[frozenset[str], float] = {}
    for line, row in enumerate(table.itertuples(index=False), start=2):
        pair, key = frozenset((row.a, row.b)), f"line {line} ({row.a}-{row.b})"
        if len(pair) != 2 or pair in pairs:
            raise InputError(path, key, "two different countries, each pair once")
        pairs[pair] = _positive_ms(path, key, row.rtt_ms)
    return pairs


def _positive_ms(path: Path, key: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not (isfinite(value) and value > 0):
        raise InputError(path, f"{key} rtt_ms", f"a positive number of ms, not {text!r}")
    return value


def rtt_matrix(countries: Sequence[Country], measured: dict[frozenset[str], float]) -> pd.DataFrame:
    """Round-trip times between all ordered pairs of countries, each with itself included.

    Columns: ``asker``, ``country`` (codes), ``km`` (great circle between capitals), ``rtt_ms``,
    ``measured`` (bool; False: fitted, or the constant within one country). One row an ordered
    pair, in the order of ``countries``; the times are symmetric.
    """
    rows = []
    for asker in countries:
        for country in countries:
            km = great_circle_km(asker, country)
            found = measured.get(frozenset((asker.code, country.code)))
            fitted = SAME_COUNTRY_MS if asker.code == country.code else fitted_rtt_ms(km)
            rtt_ms = fitted if found is None else found
            rows.append((asker.code, country.code, km, rtt_ms, found is not None))
    return pd.DataFrame(rows, columns=["asker", "country", "km", "rtt_ms", "measured"])


def distances_from(asker: str, pairs: pd.DataFrame) -> pd.DataFrame:
    """The rows of ``rtt_matrix`` for one asking country.

    Raises KeyError when the asker is none of the countries.
    """
    rows = pairs[pairs["asker"] == asker]
    if rows.empty:
        raise KeyError(asker)
    return rows.reset_index(drop=True)


def delays_ms(distances: pd.DataFrame) -> dict[str, float]:
    """Round-trip time in ms to every country, as nodes are started with."""
    return {row.country: float(row.rtt_ms) for row in distances.itertuples(index=False)}
