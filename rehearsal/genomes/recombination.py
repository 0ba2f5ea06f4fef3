"""Recombination maps: rates along a contig, and the binned form that makes simulation fast.

A map is an ``msprime.RateMap`` over a whole contig, in Morgans per base (crossovers per base and
meiosis). A block is simulated with ``binned_map``: the same total, but only one place in each
bin where recombination can happen, which leaves far fewer distinct trees among many samples.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msprime
import numpy as np
import pandas as pd

from rehearsal.errors import InputError
from rehearsal.genomes.assembly import CONTIG_LENGTHS
from rehearsal.model import Block

NO_RECOMBINATION = frozenset({"chrY", "chrM"})
HAPMAP_COLUMNS = "contig, position (bp), rate (cM/Mb) and map (cM)"


def uniform_map(contig: str, rate: float) -> msprime.RateMap:
    """The same rate (Morgans per base) along the whole contig; none on chrY and chrM."""
    silent = contig in NO_RECOMBINATION
    return msprime.RateMap.uniform(CONTIG_LENGTHS[contig], 0.0 if silent else rate)


def contig_map(contig: str, rate: float, hapmap: Path | str | None = None) -> msprime.RateMap:
    """The map of a contig: of a HapMap-format file, or without one ``uniform_map``.

    Raises InputError as ``read_hapmap`` does.
    """
    return uniform_map(contig, rate) if hapmap is None else read_hapmap(hapmap, contig)


def read_hapmap(path: Path | str, contig: str, blocks: Iterable[Block] = ()) -> msprime.RateMap:
    """The map of one contig from a HapMap-format file, plain or gzipped.

    The file has a header and four columns: contig, position, rate in cM/Mb from this position to
    the next, and the map in cM (not used). It may hold several contigs, with or without ``chr``.
    Before the first position and after the last one the rate is missing (NaN). Raises InputError
    when the file has other columns, lacks the contig, is out of order, or does not cover one of
    the ``blocks`` (those of other contigs do not matter).
    """
    try:
        table = pd.read_csv(path, sep=r"\s+", header=0, dtype={0: str})
    except (OSError, ValueError) as error:
        raise InputError(path, contig, f"expected a HapMap-format file: {error}") from None
    if table.shape[1] != 4:
        raise InputError(path, "header", f"expected four columns: {HAPMAP_COLUMNS}")
    names = table.iloc[:, 0].astype(str)
    rows = table[(names == contig) | (names == contig.removeprefix("chr"))]
    if len(rows) < 2:
        raise InputError(path, contig, "expected two or more rows of this contig")
    position, rate = (
        pd.to_numeric(rows.iloc[:, column], errors="coerce").to_numpy(float) for column in (1, 2)
    )
    _check_hapmap(path, contig, position, rate)
    contig_map = _map_of_rows(position, rate * 1e-8, CONTIG_LENGTHS[contig])
    for block in blocks:
        if block.contig == contig:
            _check_coverage(contig_map, block, path)
    return contig_map


def binned_map(
    block: Block,
    contig_map: msprime.RateMap,
    bin_size: int = 1_000,
    source: object = "recombination map",
) -> msprime.RateMap:
    """The block's map with all recombination of each bin at one base, 0 elsewhere.

    Bins are multiples of ``bin_size`` on the contig, so that neighbouring blocks agree on them; the
    place is the bin's middle base (of the part inside the block). The result is over
    ``[0, block.length)`` with the same total mass. Raises InputError when the map does not cover
    the block.
    """
    _check_coverage(contig_map, block, source)
    edges = bin_edges(block, bin_size)
    mass = np.diff(contig_map.get_cumulative_mass(edges))
    places = bin_places(edges) - block.start
    position = np.unique(np.concatenate(([0, block.length], places, places + 1)))
    rate = np.zeros(len(position) - 1)
    rate[np.searchsorted(position, places)] = mass
    return msprime.RateMap(position=position, rate=rate)


def bin_edges(block: Block, bin_size: int) -> np.ndarray:
    """The borders of the block's bins, the block's own ends first and last."""
    inner = np.arange((block.start // bin_size + 1) * bin_size, block.end, bin_size)
    return np.concatenate(([block.start], inner, [block.end]))


def bin_places(edges: np.ndarray) -> np.ndarray:
    """The base of each bin where its recombination happens."""
    return (edges[:-1] + edges[1:] - 1) // 2


def covers(contig_map: msprime.RateMap, block: Block) -> bool:
    """Whether the map has a rate at every base of the block."""
    if contig_map.sequence_length < block.end:
        return False
    missing = np.flatnonzero(np.isnan(contig_map.rate))
    overlap = (contig_map.left[missing] < block.end) & (contig_map.right[missing] > block.start)
    return not overlap.any()


def _check_coverage(contig_map: msprime.RateMap, block: Block, source: object) -> None:
    if not covers(contig_map, block):
        raise InputError(source, block.contig, f"expected a map that covers the block {block.id}")


def _check_hapmap(path: Path | str, contig: str, position: np.ndarray, rate: np.ndarray) -> None:
    if np.isnan(position).any() or np.isnan(rate[:-1]).any() or (rate[:-1] < 0).any():
        raise InputError(path, contig, f"expected numbers of 0 or more in {HAPMAP_COLUMNS}")
    if (np.diff(position) <= 0).any():
        raise InputError(path, contig, "expected positions in ascending order")
    if position[-1] > CONTIG_LENGTHS[contig]:
        expected = f"expected positions of at most {CONTIG_LENGTHS[contig]}, the contig's length"
        raise InputError(path, contig, expected)


def _map_of_rows(position: np.ndarray, rate: np.ndarray, length: int) -> msprime.RateMap:
    """Rows (a rate holds until the next position) with the missing ends filled by NaN."""
    positions, rates = list(position), list(rate[:-1])
    if positions[0] > 0:
        positions, rates = [0.0, *positions], [np.nan, *rates]
    if positions[-1] < length:
        positions, rates = [*positions, float(length)], [*rates, np.nan]
    return msprime.RateMap(position=positions, rate=rates)
