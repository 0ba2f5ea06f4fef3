"""Compiled code that writes the alleles of a BCF record and BCSQ, which names them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rehearsal.compiled_code import lean, part
from rehearsal.formats.bcf_header import BCSQ_KEY
from rehearsal.formats.bcf_values_kernel import CHAR, put, put_key, put_type

ALLELES = 1  # a byte of a note


class Sites(NamedTuple):
    """The content of the records of consecutive sites, in arrays for compiled code.

    A row is an alternate allele of a site. Alleles are pieces of one string of bytes.
    """

    position: NDArray[np.int64]  # (n_sites,) 0-based, ascending
    row_offset: NDArray[np.int64]  # (n_sites + 1,) first row of each site in ``people``
    first_allele: NDArray[np.int64]  # (n_sites,) first allele of each site in ``text_offset``
    text: NDArray[np.uint8]  # ASCII letters of all alleles
    text_offset: NDArray[np.int32]  # (n_alleles + 1,) first letter of each allele
    cut: NDArray[np.int64]  # (n_sites,) last letters that no allele of the record has
    haplotype: NDArray[np.int32]  # (n_entries,) carrying haplotypes, ascending within a site
    allele: NDArray[np.uint8]  # (n_entries,) index into the site's alleles, at least 1
    start: NDArray[np.int64]  # (n_sites,) first entry of each site that is in the file
    end: NDArray[np.int64]  # (n_sites,) one past the last such entry
    people: NDArray[np.int32]  # (n_rows, 2 sexes, 3) homozygous, heterozygous, hemizygous
    affected_end: NDArray[np.int64]  # (n_sites,) end of the bases that each site affects, exclusive
    svlen: NDArray[np.int64]  # (n_sites,) length of the structural variant, 0: the site has none
    # ASCII letters of BCSQ of all rows; ALLELES stands for the REF>ALT that the record has
    note: NDArray[np.uint8]
    note_offset: NDArray[np.int32]  # (n_rows + 1,) first letter of each row's BCSQ


@lean()
def _put_letters(index: int, site: int, sites: Sites, out: NDArray[np.uint8], w: int) -> int:
    """Write the letters of an allele as its record has it."""
    t0, t1 = sites.text_offset[index], sites.text_offset[index + 1] - sites.cut[site]
    for i in range(t1 - t0):  # assigning a slice takes seconds to compile
        out[w + i] = sites.text[t0 + i]
    return w + t1 - t0


@lean()
def put_allele(index: int, site: int, sites: Sites, out: NDArray[np.uint8], w: int) -> int:
    """Write an allele as its record has it.

    Args:
        index: The allele in ``text_offset``.
        site: Its site.
        sites: The sites.
        out: Bytes to write to.
        w: Where to begin.

    Returns:
        The end of what was written.
    """
    size = sites.text_offset[index + 1] - sites.cut[site] - sites.text_offset[index]
    w = put_type(size, CHAR, out, w)
    return _put_letters(index, site, sites, out, w)


@part
def _same_note(one: int, other: int, sites: Sites) -> bool:
    """Tell whether two rows have the same BCSQ, which it is not if it names the alleles."""
    a, b = sites.note_offset[one], sites.note_offset[one + 1]
    c, d = sites.note_offset[other], sites.note_offset[other + 1]
    is_same: bool = np.array_equal(sites.note[a:b], sites.note[c:d])
    return is_same and not (sites.note[a:b] == ALLELES).any()


@part
def list_noted(rows: NDArray[np.int64], sites: Sites) -> NDArray[np.int64]:
    """List the rows whose BCSQ is written: each text once.

    Args:
        rows: The rows of the record.
        sites: The sites.
    """
    noted = np.empty(rows.size, np.int64)
    n = 0
    for row in rows:
        is_new = sites.note_offset[row + 1] > sites.note_offset[row]
        for other in noted[:n]:
            is_new = is_new and not _same_note(row, other, sites)
        if is_new:
            noted[n] = row
            n += 1
    return noted[:n]


@lean()
def note_size(row: int, site: int, sites: Sites) -> int:
    """Count the letters of a row's BCSQ, with the names of alleles in it.

    Args:
        row: The row.
        site: Its site.
        sites: The sites.
    """
    ref = sites.first_allele[site]
    alt = ref + 1 + row - sites.row_offset[site]
    names = sites.text_offset[ref + 1] - sites.text_offset[ref]
    names += sites.text_offset[alt + 1] - sites.text_offset[alt] - 2 * sites.cut[site]
    t0, t1 = sites.note_offset[row], sites.note_offset[row + 1]
    size: int = t1 - t0
    for letter in sites.note[t0:t1]:
        size += names if letter == ALLELES else 0
    return size


@part
def put_notes(
    noted: NDArray[np.int64], site: int, sites: Sites, out: NDArray[np.uint8], w: int
) -> int:
    """Write BCSQ: the texts with commas between them.

    Args:
        noted: What ``list_noted`` returned.
        site: The site of these rows.
        sites: The sites.
        out: Bytes to write to.
        w: Where to begin.

    Returns:
        The end of what was written.
    """
    size = noted.size - 1
    for row in noted:
        size += note_size(row, site, sites)
    w = put_key(BCSQ_KEY, out, w)
    w = put_type(size, CHAR, out, w)
    ref = sites.first_allele[site]
    for i in range(noted.size):
        if i:
            w = put(44, 1, out, w)
        for letter in sites.note[sites.note_offset[noted[i]] : sites.note_offset[noted[i] + 1]]:
            if letter != ALLELES:
                w = put(letter, 1, out, w)
                continue
            w = _put_letters(ref, site, sites, out, w)
            w = put(62, 1, out, w)  # >
            w = _put_letters(ref + 1 + noted[i] - sites.row_offset[site], site, sites, out, w)
    return w
