"""Round-trip times between capitals: measured where a table has the pair, fitted elsewhere.

The fit is a line over the 104 European pairs of the measured table: 8.8 ms + 0.0175 ms per km
of great circle (R² 0.89, RMSE 3 ms). Light in fibre alone needs 0.0098 ms/km for the way there
and back; the rest of the slope is that cables bend, and the intercept is what every crossing
between operators costs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import isfinite, nan
from pathlib import Path

import pandas as pd

from rehearsal.errors import InputError
from rehearsal.geography import great_circle_km
from rehearsal.model import Country

FIT_INTERCEPT_MS = 8.8
FIT_SLOPE_MS_PER_KM = 0.0175
# A country to itself does not pay the intercept: no operator is crossed. Two zones of one cloud
# region in London answered in 1.55 ms on average (simonpainter.com/azure-latency-1), under the
# 2 ms that the provider promises between zones.
SAME_COUNTRY_MS = 1.5

COLUMNS = ("a", "b", "rtt_ms", "source")
BANDWIDTH = "bandwidth_mbps"  # a column that the table may have, empty where nobody knows


def capital_distance_km(first: Country, second: Country) -> float:
    """Distance in km between two capitals."""
    return great_circle_km(
        first.capital_latitude,
        first.capital_longitude,
        second.capital_latitude,
        second.capital_longitude,
    )


def fitted_rtt_ms(km: float) -> float:
    """Round-trip time in ms between two capitals ``km`` apart, by the fit above."""
    return FIT_INTERCEPT_MS + FIT_SLOPE_MS_PER_KM * km


def read_distances(path: Path) -> dict[frozenset[str], float]:
    """Measured round-trip times in ms by unordered pair of country codes.

    Raises InputError for missing columns, a pair given twice, a country with itself, or a time
    that is not a positive number.
    """
    return {pair: _positive(path, key, row, "rtt_ms") for pair, key, row in _pairs(path)}


def read_bandwidths(path: Path) -> dict[frozenset[str], float]:
    """Mbit/s by unordered pair of country codes, for the pairs of which the table says it.

    Raises InputError as ``read_distances``, and for a bandwidth that is no positive number.
    """
    known = (one for one in _pairs(path) if one[2].get(BANDWIDTH))
    return {pair: _positive(path, key, row, BANDWIDTH) for pair, key, row in known}


def _pairs(path: Path) -> Iterator[tuple[frozenset[str], str, dict[str, str]]]:
    """Every row of the table: its pair, what complaints call it, and its text by column."""
    try:
        # keep_default_na: Namibia's NA is nobody's missing value, and NO must stay text
        table = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False)
    except (OSError, pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise InputError(path, "file", f"a table {' '.join(COLUMNS)}: {error}") from error
    if missing := [column for column in COLUMNS if column not in table]:
        raise InputError(path, ", ".join(missing), f"columns {' '.join(COLUMNS)}")
    seen = set()
    for line, row in enumerate(table.to_dict("records"), start=2):
        pair, key = frozenset((row["a"], row["b"])), f"line {line} ({row['a']}-{row['b']})"
        if len(pair) != 2 or pair in seen:
            raise InputError(path, key, "two different countries, each pair once")
        seen.add(pair)
        yield pair, key, row


def _positive(path: Path, key: str, row: Mapping[str, str], column: str) -> float:
    text, unit = row[column], "ms" if column == "rtt_ms" else "Mbit/s"
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not (isfinite(value) and value > 0):
        raise InputError(path, f"{key} {column}", f"a positive number of {unit}, not {text!r}")
    return value


def rtt_matrix(
    countries: Sequence[Country],
    measured: Mapping[frozenset[str], float],
    bandwidths: Mapping[frozenset[str], float] | None = None,
) -> pd.DataFrame:
    """Round-trip times between all ordered pairs of countries, each with itself included.

    Columns: ``asker``, ``country`` (codes), ``km`` (great circle between capitals), ``rtt_ms``,
    ``measured`` (bool; False: fitted, or the constant within one country), ``bandwidth_mbps`` (of
    the line between them, Mbit/s; NaN: the configuration's, of all lines). One row an ordered
    pair, in the order of ``countries``; the times are symmetric.
    """
    rows = []
    for asker in countries:
        for country in countries:
            km = capital_distance_km(asker, country)
            pair = frozenset((asker.code, country.code))
            found, mbps = measured.get(pair), (bandwidths or {}).get(pair, nan)
            fitted = SAME_COUNTRY_MS if asker.code == country.code else fitted_rtt_ms(km)
            rtt_ms = fitted if found is None else found
            rows.append((asker.code, country.code, km, rtt_ms, found is not None, mbps))
    return pd.DataFrame(rows, columns=["asker", "country", "km", "rtt_ms", "measured", BANDWIDTH])


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
