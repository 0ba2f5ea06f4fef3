"""How far insertions and deletions can be moved to the right without a change of the sequence.

VCF names the leftmost place of an indel in a repeat, HGVS the rightmost, and both are the same
variant. The bases in between repeat those that are inserted or deleted, so the number of bases
between the two places tells all equivalent names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from rehearsal.genomes.carriers import CarrierChunk


def shift_right(reference: str, at: int, bases: str, is_deletion: bool) -> int:
    """Count the bases by which an indel can be moved to the right.

    Args:
        reference: Bases of the reference.
        at: Index in them of the first deleted base, or of the base before which bases are inserted.
        bases: The deleted or inserted bases.
        is_deletion: Whether they are deleted.

    Returns:
        The number of bases, which ends at the end of the reference or an unknown base.
    """
    ahead = at + len(bases) if is_deletion else at
    shift = 0
    while ahead + shift < len(reference) and reference[ahead + shift] == bases[shift % len(bases)]:
        shift += 1
    return shift


def row_shifts(chunk: CarrierChunk, reference: str, start: int) -> NDArray[np.int32]:
    """Compute the shift of each alternate allele of a chunk.

    Args:
        chunk: Carriers of some sites.
        reference: Bases of the block.
        start: Position of their first base, 0-based.

    Returns:
        Bases by row, shape (R,), int32. 0 for all but insertions and deletions with letters.
    """
    offset = chunk.row_offset
    shifts = np.zeros(int(offset[-1]), np.int32)
    table, first = chunk.table, chunk.first_site
    length = np.diff(table.text_offset[table.site_offset[first] :])
    ref = table.site_offset[first : first + chunk.positions.size] - table.site_offset[first]
    site = np.repeat(np.arange(chunk.positions.size), np.diff(offset))
    row_length = length[np.arange(site.size) + site + 1]
    small = chunk.svlen[site] == 0
    for row in np.flatnonzero((row_length != length[ref[site]]) & small).tolist():
        alleles = table.of_site(first + int(site[row]))
        at = int(chunk.positions[site[row]]) - start
        shifts[row] = _shift(reference, at, alleles[0], alleles[row - int(offset[site[row]]) + 1])
    return shifts


def _shift(reference: str, at: int, ref: str, alt: str) -> int:
    """Return the shift of an allele in VCF notation, 0 if it also replaces bases."""
    most = min(len(ref), len(alt))
    end = 0
    while end < most and ref[-1 - end] == alt[-1 - end]:
        end += 1
    first = 0
    while first < most - end and ref[first] == alt[first]:
        first += 1
    deleted, inserted = ref[first : len(ref) - end], alt[first : len(alt) - end]
    if deleted and inserted:
        return 0
    return shift_right(reference, at + first, deleted or inserted, bool(deleted))
