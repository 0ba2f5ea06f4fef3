"""Association statistics of pooled people, from the files that nodes serve to people.

Genotypes are read from BCF, measurements and consent from tables: nothing of what an analysis at a
node reads or computes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pysam
from numpy.typing import NDArray

from rehearsal.node.settings.node_settings import NodeSettings
from rehearsal.truth.association import hide_small_cells, linear_association
from rehearsal.truth.query_answers import PERMISSION, covering_uses

PURPOSE = "DUO:0000006"
FEWEST = 10  # people of a node: with fewer a regression makes little sense
Key = tuple[str, int, str, str]


class TooFewPeopleError(ValueError):
    """There is nothing that could be compared. Its text is one line."""


@dataclass(frozen=True, slots=True)
class PooledStatistics:
    """The right answers."""

    outcome: str  # code of a measurement
    z: Mapping[Key, float]  # by contig, 0-based position, ref and alt; NaN: not to be tested


def pooled_statistics(folders: Mapping[str, Path], without: str = "") -> PooledStatistics:
    """Regress a measurement on the single-base variants of one block, over all people.

    Args:
        folders: Folders of nodes by country.
        without: The country whose people are left out. It needs enough of them nevertheless.

    Raises:
        TooFewPeopleError: A node has few people who permit the purpose and were measured, or the
            nodes have no unencrypted block of an autosome in common.
    """
    outcome = _most_measured(folders)
    by_country = _known_people(folders, outcome)
    block = _smallest_block(folders)
    values = [known for code, known in by_country.items() if code != without]
    paths = [folder / block for code, folder in folders.items() if code != without]
    keys, copies = _joined([_genotypes(*one) for one in zip(paths, values, strict=True)], values)
    country = np.repeat(np.arange(len(values)), [len(one) for one in values])
    least = max(NodeSettings.read(one).analyses.smallest_count for one in folders.values())
    measured = np.concatenate([one.to_numpy() for one in values])
    hidden = hide_small_cells(copies, country, least)
    found = linear_association(hidden, measured, np.ones((len(measured), 1)))
    return PooledStatistics(outcome, dict(zip(keys, found.statistic.tolist(), strict=True)))


def _known_people(folders: Mapping[str, Path], outcome: str) -> dict[str, pd.Series[float]]:
    """Return the values of each country's people. Raises TooFewPeopleError."""
    by_country = {code: _values(folder, outcome) for code, folder in folders.items()}
    for code, known in by_country.items():
        if len(known) < FEWEST:
            expected = f"at least {FEWEST} people with {outcome} who permit {PURPOSE}"
            raise TooFewPeopleError(f"{expected} are needed, and {code} has {len(known)}")
    return by_country


def _joined(
    parts: Sequence[Mapping[Key, NDArray[np.int8]]], values: Sequence[pd.Series[float]]
) -> tuple[list[Key], NDArray[np.int8]]:
    """Join genotypes; a variant that a node lacks is carried by none of its people."""
    keys = sorted(set().union(*parts))
    nobody = [np.zeros(len(one), np.int8) for one in values]
    both = list(zip(parts, nobody, strict=True))
    rows = [np.concatenate([part.get(key, none) for part, none in both]) for key in keys]
    return keys, np.array(rows, np.int8).reshape(len(keys), -1)


def _most_measured(folders: Mapping[str, Path]) -> str:
    """Choose the measurement that most people of the smallest node have."""
    people = []
    for folder in folders.values():
        table = pd.read_parquet(folder / "phenotypes/measurements.parquet")
        people.append(table.groupby("code")["individual"].nunique())
    least = pd.concat(people, axis=1).fillna(0).min(axis=1)
    if least.empty:
        raise TooFewPeopleError("measurements are needed, and there are none")
    return str(least.sort_index().idxmax())


def _values(folder: Path, outcome: str) -> pd.Series[float]:
    """Return the mean value of each person who permits the purpose, by identifier."""
    table = pd.read_parquet(folder / "phenotypes/measurements.parquet")
    consent = pd.read_parquet(folder / "phenotypes/consent.parquet").set_index("individual")
    uses = consent["uses"].str.split(",").explode().str.strip()
    permits = uses.isin(covering_uses(PURPOSE)).groupby(level=0).any()
    permits &= uses.str.match(PERMISSION).groupby(level=0).all()
    permits &= ~consent["withdrawn"].reindex(permits.index)
    known = table[(table["code"] == outcome) & table["individual"].isin(permits[permits].index)]
    return known.groupby("individual")["value"].mean()


def _smallest_block(folders: Mapping[str, Path]) -> str:
    sizes = [
        {f"genomes/{path.name}": path.stat().st_size for path in (one / "genomes").glob("*.bcf")}
        for one in folders.values()
    ]
    common = set.intersection(*map(set, sizes))
    autosomal = [name for name in common if name.split("/chr")[-1].partition("-")[0].isdigit()]
    if not autosomal:
        raise TooFewPeopleError("a block of an autosome is needed, and the nodes have none")
    return min(autosomal, key=lambda name: (sizes[0][name], name))


def _genotypes(path: Path, people: pd.Series[float]) -> dict[Key, NDArray[np.int8]]:
    """Read copies of the alternate base of each variant of two single bases."""
    found: dict[Key, NDArray[np.int8]] = {}
    with pysam.VariantFile(str(path)) as file:
        file.subset_samples(list(people.index))
        order = [list(file.header.samples).index(name) for name in people.index]
        for record in file:
            alleles = record.alleles or ()
            if [len(one) for one in alleles] == [1, 1]:
                copies = [sum(filter(None, one["GT"])) for one in record.samples.values()]
                key = (record.contig, record.start, alleles[0], alleles[1])
                found[key] = np.array(copies, np.int8)[order]
    return found
