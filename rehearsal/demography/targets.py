"""Published values that the model is fitted to and judged by, and layouts of countries from them.

The tables beside this module were copied by hand from the sources that they name. All their F_ST
values come from SNPs; values from classical markers are not comparable and are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rehearsal.errors import InputError, cause, shown, unreadable_file
from rehearsal.model import Country

DATA = Path(__file__).parent / "data"
PUBLISHED_FST = DATA / "fst_published.tsv"
POPRES_CENTROIDS = DATA / "popres_centroids.tsv"
PUBLISHED_SHARING = DATA / "sharing_published.tsv"
SHARED_MORGANS = 0.03  # least length of a segment in PUBLISHED_SHARING

Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Targets:
    """What the model is fitted to."""

    fst: pd.DataFrame  # as ``published_pairs`` returns it
    pca: pd.DataFrame  # as ``pca_centroids`` returns it
    sharing: pd.DataFrame  # as ``published_sharing`` returns it


def published_targets(countries: Sequence[Country]) -> Targets:
    """Read the published values of some countries.

    Args:
        countries: The countries to keep.
    """
    return Targets(
        published_pairs(PUBLISHED_FST, countries),
        pca_centroids(POPRES_CENTROIDS, countries),
        published_sharing(PUBLISHED_SHARING, countries),
    )


def published_pairs(path: Path | str, countries: Sequence[Country]) -> pd.DataFrame:
    """Read published F_ST of pairs of countries.

    Several values of a pair become their mean. Rows about other countries are left out.

    Args:
        path: A tab-separated table with the columns ``country1``, ``country2`` and ``fst``; other
            columns are ignored.
        countries: The countries to keep.

    Returns:
        One row per pair, with the same three columns; the codes of a pair are in alphabetical
        order.

    Raises:
        InputError: A column is missing, or a value is not from 0 to 1.
    """
    table = _read_table(path, ["country1", "country2"], ["fst"])
    wrong = table[~table["fst"].between(0, 1)]
    if len(wrong):
        raise InputError(path, "fst", "a number from 0 to 1", f"{wrong['fst'].iloc[0]:g}")
    pairs = np.sort(table[["country1", "country2"]].to_numpy(dtype=str), axis=1)
    table = table.assign(country1=pairs[:, 0], country2=pairs[:, 1])
    codes = [country.code for country in countries]
    known = table["country1"].isin(codes) & table["country2"].isin(codes)
    differ = table["country1"] != table["country2"]
    means = table[known & differ].groupby(["country1", "country2"])["fst"].mean()
    return means.reset_index()


def published_sharing(path: Path | str, countries: Sequence[Country]) -> pd.DataFrame:
    """Read the mean number of segments over 3 cM that two people of different countries share.

    Args:
        path: A tab-separated table with the columns ``country1``, ``country2``, ``km`` (distance),
            ``segments`` and ``weight`` (relative precision).
        countries: The countries to keep.

    Returns:
        One row per pair, with the same columns.

    Raises:
        InputError: A column is missing, or a number of segments is not above 0.
    """
    table = _read_table(path, ["country1", "country2"], ["km", "segments", "weight"])
    wrong = table[table["segments"] <= 0]
    if len(wrong):
        raise InputError(path, "segments", "a number above 0", f"{wrong['segments'].iloc[0]:g}")
    codes = [country.code for country in countries]
    known = table["country1"].isin(codes) & table["country2"].isin(codes)
    return table.loc[known, ["country1", "country2", "km", "segments", "weight"]].reset_index(
        drop=True
    )


def pca_centroids(path: Path | str, countries: Sequence[Country]) -> pd.DataFrame:
    """Read the mean principal components of the people of countries.

    Args:
        path: A tab-separated table with the columns ``country``, ``pc1`` and ``pc2``.
        countries: The countries to keep.

    Returns:
        One row per country, with the same three columns.

    Raises:
        InputError: A column is missing, a value is not a number, or a country has several rows.
    """
    table = _read_table(path, ["country"], ["pc1", "pc2"])
    twice = table["country"][table["country"].duplicated()]
    if len(twice):
        found = f"several rows of {twice.iloc[0]}"
        raise InputError(path, "country", "one row per country", found)
    codes = [country.code for country in countries]
    known = table[table["country"].isin(codes)]
    return known[["country", "pc1", "pc2"]].reset_index(drop=True)


def principal_coordinates(fst: Matrix, axes: int = 2) -> Matrix:
    """Predict where a PCA with equally many people of each country places the countries.

    This is classical scaling with F_ST as the squared distance (McVean 2009, PLoS Genet
    5:e1000686).

    Args:
        fst: F_ST of all pairs of countries, shape (k, k).
        axes: How many principal components to return.

    Returns:
        Coordinates, shape (k, axes).
    """
    count = len(fst)
    centring = np.eye(count) - 1 / count
    values, vectors = np.linalg.eigh(-centring @ np.maximum(fst, 0) @ centring / 2)
    largest = np.argsort(values)[::-1][:axes]
    return vectors[:, largest] * np.sqrt(np.maximum(values[largest], 0))


def map_coordinates(countries: Sequence[Country]) -> Matrix:
    """Place countries on a flat map.

    Args:
        countries: The k countries.

    Returns:
        Coordinates in degrees of latitude, shape (k, 2): latitude, and longitude scaled by the
        cosine of the mean latitude.
    """
    latitude = np.array([country.latitude for country in countries])
    longitude = np.array([country.longitude for country in countries])
    return np.column_stack([latitude, longitude * np.cos(np.radians(latitude.mean()))])


def _read_table(path: Path | str, texts: list[str], numbers: list[str]) -> pd.DataFrame:
    try:
        table = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False)
    except OSError as error:
        found = unreadable_file(error)
        raise InputError(path, "file", "a tab-separated table", found) from error
    except (ValueError, pd.errors.ParserError) as error:
        found = f"another content ({cause(error)})"
        raise InputError(path, "file", "a tab-separated table", found) from error
    for name in [*texts, *numbers]:
        if name not in table:
            raise InputError(path, name, "a column of this name", "none")
    for name in numbers:
        values = pd.to_numeric(table[name], errors="coerce")
        if values.isna().any():
            found = table[name][values.isna()].iloc[0]
            raise InputError(path, name, "a number", shown(found))
        table[name] = values
    return table
