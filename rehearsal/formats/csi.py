"""Write the CSI index of a BCF with records on one contig, from what its writer knows.

The format: CSI v1, github.com/samtools/hts-specs. Reading the file again to index it, as bcftools
must, takes as long as writing it did.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rehearsal.formats.bgzf import BgzfWriter

MIN_SHIFT = 14  # the smallest bins hold 16,384 bases


@dataclass(frozen=True, slots=True)
class RecordOffsets:
    """The N records of a file, in the order of the file."""

    start: NDArray[np.int64]  # (N,) 0-based, ascending
    end: NDArray[np.int64]  # (N,) one past the last reference base
    offset: NDArray[np.int64]  # (N + 1,) virtual file offsets of the records and the file's end

    def summary(self) -> bytes:
        """Return the range of the records in the file and their number, as htslib keeps them."""
        return struct.pack("<QQQQ", self.offset[0], self.offset[-1], self.start.size, 0)


def write_csi(path: Path, contigs: dict[str, int], contig: int, records: RecordOffsets) -> None:
    """Write the index of a file.

    Args:
        path: The index file.
        contigs: Lengths in bases of the contigs in the file's header, in this order.
        contig: Index of the contig that has all records. The others have no bins.
        records: Positions and offsets of the records.
    """
    depth = _depth(max(contigs.values()))
    with BgzfWriter(path) as file:
        file.write(b"CSI\1" + struct.pack("<iiii", MIN_SHIFT, depth, 0, len(contigs)))
        for number in range(len(contigs)):
            file.write(_bins(records, depth) if number == contig else struct.pack("<i", 0))
        file.write(struct.pack("<Q", 0))  # number of records without a position


def _depth(contig_length: int) -> int:
    """Return the number of levels below the bin that holds the longest contig, as in htslib."""
    depth = 0
    while contig_length + 256 > 1 << (MIN_SHIFT + 3 * depth):
        depth += 1
    return depth


def first_bin(level: int) -> int:
    """Return the number of the first bin of a level: 0, 1, 9, 73, ...

    Args:
        level: The level, 0 for the one bin that covers everything.

    Returns:
        The bin's number.
    """
    return ((1 << 3 * level) - 1) // 7


def smallest_bins(
    start: NDArray[np.int64], end: NDArray[np.int64], depth: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find the smallest bin that holds each record.

    Args:
        start: First reference base of each record, 0-based, shape (N,).
        end: One past the last reference base, shape (N,).
        depth: Number of levels below level 0.

    Returns:
        Numbers of the bins, and the first base of each of these bins, both of shape (N,), int64.
    """
    number = np.zeros(start.size, np.int64)
    begin = np.zeros(start.size, np.int64)
    for level in range(1, depth + 1):
        shift = MIN_SHIFT + 3 * (depth - level)
        inside = start >> shift == (end - 1) >> shift
        number[inside] = first_bin(level) + (start[inside] >> shift)
        begin[inside] = start[inside] >> shift << shift
    return number, begin


def runs_by_bin(records: RecordOffsets, depth: int) -> dict[int, list]:
    """Group records by the smallest bin that holds them.

    Args:
        records: Positions and offsets of at least one record.
        depth: Number of levels below level 0.

    Returns:
        By number of the bin, ascending: the virtual offset where readers must start to find all
        records that overlap the bin, and the first and last virtual offset of each run of records.
    """
    number, begin = smallest_bins(records.start, records.end, depth)
    breaks = np.flatnonzero(number[1:] != number[:-1]) + 1
    first = np.concatenate(([0], breaks))  # of each run of records in one bin
    last = np.concatenate((breaks, [number.size]))
    reach = np.maximum.accumulate(records.end)
    entry = records.offset[np.searchsorted(reach, begin[first], side="right")]
    order = np.argsort(number[first], kind="stable")
    runs = np.column_stack((number[first], entry, records.offset[first], records.offset[last]))
    bins: dict[int, list] = {}
    for bin_number, low, run_start, run_end in runs[order].tolist():
        bins.setdefault(bin_number, [low]).append((run_start, run_end))
    return bins


def summary_bin(depth: int) -> tuple[int, int]:
    """Return the otherwise unused bin in which htslib keeps a summary, and its number of chunks.

    Args:
        depth: Number of levels below level 0.
    """
    return first_bin(depth + 1) + 1, 2


def _bins(records: RecordOffsets, depth: int) -> bytes:
    """Write the contig's bins, each with its runs of records."""
    if records.start.size == 0:
        return struct.pack("<i", 0)
    bins = runs_by_bin(records, depth)
    out = [struct.pack("<i", len(bins) + 1)]
    for bin_number, (low, *chunks) in bins.items():
        out.append(struct.pack("<IQi", bin_number, low, len(chunks)))
        out += [struct.pack("<QQ", *chunk) for chunk in chunks]
    number, parts = summary_bin(depth)
    return b"".join(out) + struct.pack("<IQi", number, 0, parts) + records.summary()
