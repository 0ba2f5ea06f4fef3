"""Round-trip times between capitals: measured where a table has the pair, fitted elsewhere.

The fit is a line over the 104 European pairs of the measured table: 8.8 ms + 0.0175 ms per km of
great circle (R² 0.89, RMSE 3 ms). Light in fibre alone needs 0.0098 ms/km for both ways. The rest
of the slope comes from cables that bend, and the intercept is the cost of crossing between
operators.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import isfinite, nan
from pathlib import Path

import pandas as pd

from rehearsal.errors import InputError, mismatch, shown, unreadable_file
from rehearsal.geography import great_circle_km
from rehearsal.model import Country

FIT_INTERCEPT_MS = 8.8
FIT_SLOPE_MS_PER_KM = 0.0175
# Within a country there is no intercept, because no operator is crossed. Two zones of one cloud
# region in London had 1.55 ms on average (simonpainter.com/azure-latency-1), under the 2 ms that
# the provider promises between zones.
SAME_COUNTRY_MS = 1.5

COLUMNS = ("a", "b", "rtt_ms", "source")
BANDWIDTH = "bandwidth_mbps"  # optional column, empty where the bandwidth is unknown


def capital_distance_km(first: Country, second: Country) -> float:
    """Compute the great-circle distance between two capitals.

    Args:
        first: A country.
        second: Another country.

    Returns:
        Distance in km.
    """
    return great_circle_km(
        first.capital_latitude,
        first.capital_longitude,
        second.capital_latitude,
        second.capital_longitude,
    )


def fitted_rtt_ms(km: float) -> float:
    """Compute the fitted round-trip time between two capitals.

    Args:
        km: Their distance in km.

    Returns:
        Round-trip time in ms.
    """
    return FIT_INTERCEPT_MS + FIT_SLOPE_MS_PER_KM * km


def read_distances(path: Path) -> dict[frozenset[str], float]:
    """Read measured round-trip times.

    Args:
        path: TSV with the columns ``a``, ``b``, ``rtt_ms`` and ``source``.

    Returns:
        Round-trip time in ms by unordered pair of country codes.

    Raises:
        InputError: A column is missing, a pair occurs twice or has one country only, or a time is
            not a positive number.
    """
    return {pair: _positive(path, key, row, "rtt_ms") for pair, key, row in _pairs(path)}


def read_bandwidths(path: Path) -> dict[frozenset[str], float]:
    """Read the bandwidths of the pairs for which the table gives one.

    Args:
        path: TSV as for :func:`read_distances`, with the optional column ``bandwidth_mbps``.

    Returns:
        Mbit/s by unordered pair of country codes.

    Raises:
        InputError: As in :func:`read_distances`, or a bandwidth is not a positive number.
    """
    known = (one for one in _pairs(path) if one[2].get(BANDWIDTH))
    return {pair: _positive(path, key, row, BANDWIDTH) for pair, key, row in known}


def _pairs(path: Path) -> Iterator[tuple[frozenset[str], str, dict[str, str]]]:
    """Yield every row of the table: its pair, its name in messages, and its text by column."""
    try:
        # keep_default_na=False: NA is Namibia and no missing value
        table = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:  # of pandas too
        expected = f"a table with the columns {', '.join(COLUMNS)}"
        raise InputError(path, "file", expected, unreadable_file(error)) from error
    if missing := [column for column in COLUMNS if column not in table]:
        expected = f"the columns {', '.join(COLUMNS)}"
        raise InputError(path, "header", expected, f"none called {', '.join(missing)}")
    seen = set()
    for line, row in enumerate(table.to_dict("records"), start=2):
        pair, key = frozenset((row["a"], row["b"])), f"line {line} ({row['a']}-{row['b']})"
        if len(pair) != 2 or pair in seen:
            found = "a repeated pair" if pair in seen else "one country"
            raise InputError(path, key, "two different countries, each pair once", found)
        seen.add(pair)
        yield pair, key, row


def _positive(path: Path, key: str, row: Mapping[str, str], column: str) -> float:
    text, unit = row[column], "ms" if column == "rtt_ms" else "Mbit/s"
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not (isfinite(value) and value > 0):
        raise InputError(path, f"{key} {column}", f"a positive number of {unit}", shown(text))
    return value


def rtt_matrix(
    countries: Sequence[Country],
    measured: Mapping[frozenset[str], float],
    bandwidths: Mapping[frozenset[str], float] | None = None,
) -> pd.DataFrame:
    """Tabulate round-trip times between all ordered pairs of countries, each with itself included.

    Args:
        countries: The countries, in the order of the rows.
        measured: Measured round-trip times in ms, by unordered pair of codes.
        bandwidths: Bandwidths in Mbit/s, by unordered pair of codes.

    Returns:
        One row per ordered pair. Columns: ``asker`` and ``country`` (codes), ``km`` (great circle
        between the capitals), ``rtt_ms``, ``measured`` (bool; False: fitted, or the constant within
        one country), ``bandwidth_mbps`` (Mbit/s of the line between them; NaN: the default of the
        configuration). Times are symmetric.
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
    """Select the rows of one asking country.

    Args:
        asker: Country code.
        pairs: Table of :func:`rtt_matrix`.

    Returns:
        Its rows, renumbered.

    Raises:
        KeyError: The table has no such country.
    """
    rows = pairs[pairs["asker"] == asker]
    if rows.empty:
        raise KeyError(mismatch("asker", "a country of the table", shown(asker)))
    return rows.reset_index(drop=True)


def delays_ms(distances: pd.DataFrame) -> dict[str, float]:
    """Return the round-trip times that nodes are started with.

    Args:
        distances: Table of :func:`distances_from`.

    Returns:
        Round-trip time in ms by country code.
    """
    return {row.country: float(row.rtt_ms) for row in distances.itertuples(index=False)}
