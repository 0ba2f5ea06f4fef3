"""Published figures the model is fitted to and judged by, and where they put countries.

The tables beside this module were typed in from the sources they name, row by row. All their F_ST
values come from SNPs; classical markers are not comparable and left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rehearsal.errors import InputError
from rehearsal.model import Country

DATA = Path(__file__).parent / "data"
PUBLISHED_FST = DATA / "fst_published.tsv"
POPRES_CENTROIDS = DATA / "popres_centroids.tsv"

Matrix = NDArray[np.float64]


def published_pairs(path: Path | str, countries: Sequence[Country]) -> pd.DataFrame:
    """Published F_ST between two of these countries: ``country1``, ``country2``, ``fst``.

    ``path`` is a tab-separated table with these columns; others are ignored. Several values of
    a pair become their mean; rows about other countries are left out. Codes of a pair are in
    alphabetical order. Raises InputError for a missing column or a value that is no F_ST.
    """
    table = _read_table(path, ["country1", "country2"], ["fst"])
    wrong = table[~table["fst"].between(0, 1)]
    if len(wrong):
        raise InputError(path, "fst", f"expected 0 to 1, found {wrong['fst'].iloc[0]:g}")
    pairs = np.sort(table[["country1", "country2"]].to_numpy(dtype=str), axis=1)
    table = table.assign(country1=pairs[:, 0], country2=pairs[:, 1])
    codes = [country.code for country in countries]
    known = table["country1"].isin(codes) & table["country2"].isin(codes)
    differ = table["country1"] != table["country2"]
    means = table[known & differ].groupby(["country1", "country2"])["fst"].mean()
    return means.reset_index()


def pca_centroids(path: Path | str, countries: Sequence[Country]) -> pd.DataFrame:
    """Mean principal components of people of these countries: ``country``, ``pc1``, ``pc2``.

    ``path`` is a tab-separated table with these columns. Raises InputError as above.
    """
    table = _read_table(path, ["country"], ["pc1", "pc2"])
    twice = table["country"][table["country"].duplicated()]
    if len(twice):
        raise InputError(path, "country", f"expected one row a country, {twice.iloc[0]} has more")
    codes = [country.code for country in countries]
    known = table[table["country"].isin(codes)]
    return known[["country", "pc1", "pc2"]].reset_index(drop=True)


def principal_coordinates(fst: Matrix, axes: int = 2) -> Matrix:
    """Where a PCA with equally many people of each country puts the countries, (k, axes).

    Classical scaling of F_ST taken as squared distance (McVean 2009, PLoS Genet 5:e1000686).
    """
    count = len(fst)
    centring = np.eye(count) - 1 / count
    values, vectors = np.linalg.eigh(-centring @ np.maximum(fst, 0) @ centring / 2)
    largest = np.argsort(values)[::-1][:axes]
    return vectors[:, largest] * np.sqrt(np.maximum(values[largest], 0))


def map_coordinates(countries: Sequence[Country]) -> Matrix:
    """Places on a flat map, (k, 2): latitude, and longitude shortened as at the mean latitude."""
    latitude = np.array([country.latitude for country in countries])
    longitude = np.array([country.longitude for country in countries])
    return np.column_stack([latitude, longitude * np.cos(np.radians(latitude.mean()))])


def _read_table(path: Path | str, texts: list[str], numbers: list[str]) -> pd.DataFrame:
    try:
        table = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False)
    except OSError as error:
        raise InputError(path, "file", f"cannot be read: {error.strerror}") from error
    except (ValueError, pd.errors.ParserError) as error:
        raise InputError(path, "file", f"expected a tab-separated table: {error}") from error
    for name in [*texts, *numbers]:
        if name not in table:
            raise InputError(path, name, "missing column")
    for name in numbers:
        values = pd.to_numeric(table[name], errors="coerce")
        if values.isna().any():
            found = table[name][values.isna()].iloc[0]
            raise InputError(path, name, f"expected a number, found {found!r}")
        table[name] = values
    return table
