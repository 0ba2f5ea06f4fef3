"""The allele-frequency spectrum of the cohort, its regions and its countries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import tskit

from rehearsal.model import Block, Country

ALL = "all"


def region_of(country: Country) -> str:
    """A quarter of Europe by the country's population centre: North, South, West or East.

    North of 54.5° N, south of 44° N, and what lies between parted at 12° E. For colours and
    groups in figures only; the model knows no regions.
    """
    if country.latitude >= 54.5:
        return "North"
    if country.latitude < 44.0:
        return "South"
    return "West" if country.longitude < 12.0 else "East"


REGIONS = ("North", "West", "East", "South")


def autosomal(trees: Sequence[Path]) -> list[Path]:
    """Those of the block files ``{contig}-{start}-{end}.trees`` that lie on an autosome."""
    return [path for path in trees if _contig(path).removeprefix("chr").isdecimal()]


def _contig(path: Path) -> str:
    return Block.from_id(Path(path).name.removesuffix(".trees")).contig


def sample_nodes(ts: tskit.TreeSequence, rows: np.ndarray) -> np.ndarray:
    """The two sample nodes of each of these individuals, as an array of shape (people, 2).

    Raises ValueError when one does not have exactly two: the block is not autosomal.
    """
    nodes = ts.samples()
    owners = ts.nodes_individual[nodes]
    nodes = nodes[np.argsort(owners, kind="stable")]
    counts = np.bincount(owners, minlength=ts.num_individuals)
    if np.any(counts[rows] != 2):
        raise ValueError("expected two sample nodes for every individual, an autosome")
    first = np.concatenate([[0], np.cumsum(counts)])[rows]
    return np.column_stack([nodes[first], nodes[first + 1]])


def frequency_spectrum(
    trees: Sequence[Path], people: pd.DataFrame, regions: Mapping[str, str]
) -> pd.DataFrame:
    """How many alleles have how many copies: the unfolded spectrum, autosomes only.

    ``people`` is people.parquet: row i is individual i of every block. ``regions`` maps a country
    to its region. Relatives are included, since they are in the data that nodes hold.

    Columns: level (``all``, ``region``, ``country``), group, haplotypes (sample size), copies
    (1 to haplotypes - 1), alleles. Copy numbers without any allele have no row.
    """
    paths = autosomal(trees)
    groups = _groups(people["country"], regions)
    totals = {key: np.zeros(2 * len(rows) + 1) for key, rows in groups.items()}
    for path in paths:
        ts = tskit.load(path)
        for key, rows in groups.items():
            totals[key] += ts.allele_frequency_spectrum(
                [sample_nodes(ts, rows).ravel()], polarised=True, span_normalise=False
            )
    return pd.concat([_tidy(key, counts) for key, counts in totals.items()], ignore_index=True)


def _groups(country: pd.Series, regions: Mapping[str, str]) -> dict[tuple[str, str], np.ndarray]:
    region = country.map(regions)
    groups = {(ALL, ALL): np.arange(len(country))}
    for name in REGIONS:
        groups["region", name] = np.flatnonzero(region == name)
    for code in country.unique():
        groups["country", code] = np.flatnonzero(country == code)
    return {key: rows for key, rows in groups.items() if len(rows)}


def _tidy(key: tuple[str, str], counts: np.ndarray) -> pd.DataFrame:
    copies = np.arange(1, len(counts) - 1)
    kept = copies[counts[copies] > 0]
    return pd.DataFrame(
        {
            "level": key[0],
            "group": key[1],
            "haplotypes": len(counts) - 1,
            "copies": kept,
            "alleles": np.rint(counts[kept]).astype(np.int64),
        }
    )


def spectrum_shares(spectrum: pd.DataFrame) -> pd.DataFrame:
    """Per group: haplotypes, alleles that vary in it, singletons, singleton_share, rare_share.

    ``rare_share`` is the share of alleles below 1 % frequency. One row a (level, group), in the
    order of ``frequency_spectrum``.
    """
    marked = spectrum.assign(
        singletons=spectrum["alleles"].where(spectrum["copies"] == 1, 0),
        rare=spectrum["alleles"].where(spectrum["copies"] < 0.01 * spectrum["haplotypes"], 0),
    )
    sums = marked.groupby(["level", "group"], sort=False).agg(
        haplotypes=("haplotypes", "first"),
        alleles=("alleles", "sum"),
        singletons=("singletons", "sum"),
        rare=("rare", "sum"),
    )
    sums["singleton_share"] = sums["singletons"] / sums["alleles"]
    sums["rare_share"] = sums.pop("rare") / sums["alleles"]
    return sums.reset_index()
