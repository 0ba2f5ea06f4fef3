"""Write the TBI index of a bgzipped VCF with records on one contig, from what its writer knows.

The format: Tabix index, github.com/samtools/hts-specs (tabix.pdf).
"""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

from rehearsal.formats.bgzf import BgzfWriter
from rehearsal.formats.csi import MIN_SHIFT, RecordOffsets, runs_by_bin, summary_bin

DEPTH = 5  # levels below the bin of all 512 Mb
_OF_VCF = struct.pack("<6i", 2, 1, 2, 0, ord("#"), 0)  # columns of contig, start; comments


def write_tbi(path: Path, contig: str, records: RecordOffsets) -> None:
    """Write the index of a file.

    Args:
        path: The index file.
        contig: The contig of all records.
        records: Positions and offsets of the records.
    """
    name = contig.encode() + b"\0"
    count = 1 if records.start.size else 0
    with BgzfWriter(path) as file:
        file.write(b"TBI\1" + struct.pack("<i", count) + _OF_VCF)
        file.write(struct.pack("<i", len(name) * count) + name * count)
        if count:
            file.write(_bins(records) + _linear_index(records))
        file.write(struct.pack("<Q", 0))  # number of records without a position


def _bins(records: RecordOffsets) -> bytes:
    bins = runs_by_bin(records, DEPTH)
    out = [struct.pack("<i", len(bins) + 1)]
    for number, (_, *chunks) in bins.items():
        out.append(struct.pack("<Ii", number, len(chunks)))
        out += [struct.pack("<QQ", *chunk) for chunk in chunks]
    return b"".join(out) + struct.pack("<Ii", *summary_bin(DEPTH)) + records.summary()


def _linear_index(records: RecordOffsets) -> bytes:
    """Write, for each 16,384 bases, the offset of the first record that overlaps them or what is
    behind them."""
    windows = np.arange((int(records.end.max()) - 1 >> MIN_SHIFT) + 1) << MIN_SHIFT
    reach = np.maximum.accumulate(records.end)
    first = records.offset[np.searchsorted(reach, windows, side="right")]
    return struct.pack("<i", windows.size) + first.astype("<u8").tobytes()
