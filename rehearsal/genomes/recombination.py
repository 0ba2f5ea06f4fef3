"""Recombination maps: rates along a contig.

A map is an ``msprime.RateMap`` over a whole contig, in Morgans per base (crossovers per base and
meiosis).
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import msprime
import numpy as np
import pandas as pd

from rehearsal.errors import InputError, shown, unreadable_file
from rehearsal.genomes.assembly import CONTIG_LENGTHS, NO_RECOMBINATION
from rehearsal.genomes.contig_names import names_in_files, note_other_names
from rehearsal.model import Block

CM_PER_MB = 1e8  # 1 Morgan per base
# Genetic lengths in cM by the map of HapMap phase II (doi:10.1038/nature06258): its mean rates in
# stdpopsim's catalogue (HomSap, HapMapII_GRCh37) times the contigs' lengths in GRCh37. Both sexes'
# mean; women's of chrX.
CENTIMORGANS = {
    "chr1": 286.3,
    "chr2": 268.8,
    "chr3": 223.4,
    "chr4": 214.7,
    "chr5": 204.1,
    "chr6": 192.0,
    "chr7": 187.2,
    "chr8": 168.0,
    "chr9": 166.4,
    "chr10": 181.1,
    "chr11": 158.2,
    "chr12": 174.7,
    "chr13": 125.7,
    "chr14": 120.2,
    "chr15": 141.9,
    "chr16": 134.0,
    "chr17": 128.5,
    "chr18": 117.7,
    "chr19": 107.7,
    "chr20": 108.3,
    "chr21": 62.8,
    "chr22": 74.1,
    "chrX": 180.8,
}
# Bases at the beginning of a contig that the map does not cover: short arms, as in config/masks.tsv
SHORT_ARMS = {
    "chr13": 16_000_000,
    "chr14": 16_000_000,
    "chr15": 17_000_000,
    "chr21": 5_010_000,
    "chr22": 10_510_000,
}
MOST_CM_PER_MB = 100_000  # no hotspot comes near it
# Means of human chromosomes are about 1 to 2 cM/Mb (HapMap and deCODE, from memory).
# Rates per base (1e-8) or in Morgans (0.01) are far below this, those of any real stretch above.
LEAST_MEAN_CM_PER_MB = 0.001
LEAST_MEAN_OF_A_CHROMOSOME = 0.1
CHROMOSOME = 20_000_000  # bases that have such a mean
MOST_DISAGREEMENT = 30  # of the two columns: rates in Morgans are 100 times too small
HAPMAP_COLUMNS = "contig, position (bp), rate (cM/Mb) and map (cM)"


def uniform_map(contig: str, rate: float) -> msprime.RateMap:
    """Build a map with the same rate along the whole contig.

    Args:
        contig: A contig of GRCh38. On chrY and chrM the rate is 0.
        rate: Morgans per base.

    Returns:
        The map of the whole contig.
    """
    silent = contig in NO_RECOMBINATION
    return msprime.RateMap.uniform(CONTIG_LENGTHS[contig], 0.0 if silent else rate)


def mean_rate(contig: str, rate: float | None) -> float:
    """Return the mean recombination rate of a contig.

    Args:
        contig: A contig of GRCh38.
        rate: Morgans per base of all contigs. None: each contig has its published genetic length
            outside of a short arm without known bases.

    Returns:
        Morgans per base. 0 on chrY and chrM.
    """
    if contig in NO_RECOMBINATION:
        return 0.0
    if rate is not None:
        return rate
    bases = CONTIG_LENGTHS[contig] - SHORT_ARMS.get(contig, 0)
    return CENTIMORGANS[contig] / 100 / bases


def contig_map(contig: str, hapmap: Path | str | None) -> msprime.RateMap:
    """Read the map of a contig from a HapMap-format file.

    Args:
        contig: A contig of GRCh38.
        hapmap: A HapMap-format file. None for chrY and chrM, where nothing recombines.

    Returns:
        The map of the whole contig.

    Raises:
        InputError: As :func:`read_hapmap`.
    """
    return uniform_map(contig, 0.0) if hapmap is None else read_hapmap(hapmap, contig)


def mapped_stretch(path: Path | str, contig: str) -> Block:
    """Find from where to where a HapMap-format file has rates of a contig.

    Args:
        path: The file.
        contig: The contig.

    Returns:
        From the first position to the last one.

    Raises:
        InputError: The file cannot be read or has no two positions of the contig within it.
    """
    position = _numbers(path, contig, _rows(path, contig), 1)
    first, last = position.min(), position.max()
    if not 0 <= first < last <= CONTIG_LENGTHS[contig]:
        expected = f"two or more positions of at most {CONTIG_LENGTHS[contig]}"
        raise InputError(path, contig, expected, f"{len(position)} rows, {first:.0f} to {last:.0f}")
    return Block(contig, int(first), int(last))


def read_hapmap(path: Path | str, contig: str, blocks: Iterable[Block] = ()) -> msprime.RateMap:
    """Read the map of one contig from a HapMap-format file, plain or gzipped.

    The file has a header and four columns: contig, position, rate in cM/Mb from this position to
    the next, and the map in cM (only compared with the rates). It may hold several contigs, by any
    of their names. Before the first position and after the last one the rate is missing (NaN).

    Args:
        path: The file.
        contig: The contig to read.
        blocks: Blocks that the map must cover. Those of other contigs are ignored.

    Returns:
        The map of the whole contig, in Morgans per base.

    Raises:
        InputError: The file has other columns, lacks the contig, is out of order, or does not cover
            one of the blocks.
    """
    rows = _rows(path, contig)
    if len(rows) < 2:
        found = f"{len(rows)} rows"
        raise InputError(path, contig, "at least two rows of this contig", found)
    position, rate, along = (_numbers(path, contig, rows, column) for column in (1, 2, 3))
    _check_hapmap(path, contig, position, rate)
    _check_units(path, contig, position, rate, along)
    contig_map = _map_of_rows(position, rate / CM_PER_MB, CONTIG_LENGTHS[contig])
    for block in blocks:
        if block.contig == contig:
            _check_coverage(contig_map, block, path)
    return contig_map


def _rows(path: Path | str, contig: str) -> pd.DataFrame:
    """Read the rows of one contig from a HapMap-format file."""
    try:
        packed: Literal["gzip"] | None = "gzip" if str(path).endswith(".gz") else None
        table = pd.read_csv(path, sep=r"\s+", header=0, dtype={0: str}, compression=packed)
    except (OSError, ValueError, EOFError, zlib.error) as error:
        found = unreadable_file(error)
        raise InputError(path, contig, "a recombination map in HapMap format", found) from None
    if table.shape[1] != 4:
        found = f"{table.shape[1]} columns"
        raise InputError(path, "line 1", f"four columns: {HAPMAP_COLUMNS}", found)
    if _is_number(table.columns[1]):
        found = f"a row of the map ({shown(' '.join(map(str, table.columns)))})"
        raise InputError(path, "line 1", f"a header that names {HAPMAP_COLUMNS}", found)
    names = table.iloc[:, 0].astype(str)
    rows = table[names.isin(names_in_files(contig))]
    if rows.empty:
        expected = f"at least two rows of this contig ({', '.join(names_in_files(contig))})"
        found = ", ".join(map(shown, names.unique()[:3])) or "no rows"
        raise InputError(path, contig, expected, found)
    note_other_names(path, rows.iloc[:, 0].astype(str).unique())
    return rows


def _numbers(path: Path | str, contig: str, rows: pd.DataFrame, column: int) -> np.ndarray:
    """Read a column. After the last position there is no rate."""
    cells = rows.iloc[:, column]
    values = pd.to_numeric(cells, errors="coerce").to_numpy(float)
    wrong = np.isnan(values) | (values < 0)
    if column == 2:
        wrong[-1] = False
    if column < 3 and wrong.any():
        cell = cells.iloc[int(np.argmax(wrong))]
        expected = "numbers of at least 0 as position and rate"
        raise InputError(
            path, contig, expected, shown(cell) if isinstance(cell, str) else f"{cell:g}"
        )
    return values


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def covers(contig_map: msprime.RateMap, block: Block) -> bool:
    """Tell whether the map has a rate at every base of the block.

    Args:
        contig_map: Map of the block's contig.
        block: The block, 0-based half-open.

    Returns:
        False if the map ends too early or a rate inside the block is missing (NaN).
    """
    if contig_map.sequence_length < block.end:
        return False
    missing = np.flatnonzero(np.isnan(contig_map.rate))
    overlap = (contig_map.left[missing] < block.end) & (contig_map.right[missing] > block.start)
    return not overlap.any()


def _check_coverage(contig_map: msprime.RateMap, block: Block, source: object) -> None:
    if not covers(contig_map, block):
        expected = f"a map that covers the block {block.region}"
        raise InputError(source, block.contig, expected, "bases without a rate")


def _check_hapmap(path: Path | str, contig: str, position: np.ndarray, rate: np.ndarray) -> None:
    if (rate[:-1] > MOST_CM_PER_MB).any():
        expected = f"rates of at most {MOST_CM_PER_MB:,.0f} cM/Mb"
        raise InputError(path, contig, expected, f"{rate[:-1].max():g}")
    step = np.diff(position)
    if (step <= 0).any():
        row = int(np.argmax(step <= 0))
        found = f"{position[row + 1]:.0f} after {position[row]:.0f}"
        raise InputError(path, contig, "positions in ascending order", found)
    if position[-1] > CONTIG_LENGTHS[contig]:
        expected = f"positions of at most {CONTIG_LENGTHS[contig]}, the contig's length"
        raise InputError(path, contig, expected, f"{position[-1]:.0f}")


def _check_units(
    path: Path | str, contig: str, position: np.ndarray, rate: np.ndarray, along: np.ndarray
) -> None:
    """Refuse rates per base or in Morgans, which would give genomes without recombination."""
    length = position[-1] - position[0]
    mass = float((rate[:-1] * np.diff(position)).sum()) / 1e6  # cM
    mean, given = mass / length * 1e6, along[-1] - along[0]
    least = LEAST_MEAN_OF_A_CHROMOSOME if length >= CHROMOSOME else LEAST_MEAN_CM_PER_MB
    if 0 < mean < least:
        expected = f"rates in cM/Mb (third column), about 1 on average and at least {least:g}"
        raise InputError(path, contig, expected, f"{mean:.3g} on average")
    if mass > 0 and given > 0 and not 1 / MOST_DISAGREEMENT < mass / given < MOST_DISAGREEMENT:
        expected = "rates in cM/Mb (third column) that add up to the map in cM (fourth column)"
        raise InputError(path, contig, expected, f"{mass:.3g} cM and {given:.3g} cM")


def _map_of_rows(position: np.ndarray, rate: np.ndarray, length: int) -> msprime.RateMap:
    """Build a map of rows (a rate holds until the next position), with NaN at the missing ends."""
    positions, rates = list(position), list(rate[:-1])
    if positions[0] > 0:
        positions, rates = [0.0, *positions], [np.nan, *rates]
    if positions[-1] < length:
        positions, rates = [*positions, float(length)], [*rates, np.nan]
    return msprime.RateMap(position=positions, rate=rates)
