"""Compiled code that numbers the alleles of each site and copies their texts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rehearsal.compiled_code import kernel, part


@part
def _same(a: NDArray[np.int8], a0: int, a1: int, b: NDArray[np.int8], b0: int, b1: int) -> bool:
    if a1 - a0 != b1 - b0:
        return False
    for i in range(a1 - a0):  # noqa: SIM110 (numba has no generator expressions)
        if a[a0 + i] != b[b0 + i]:
            return False
    return True


@kernel()
def index_alleles(
    ancestral: NDArray[np.int8],
    ancestral_offset: NDArray[np.int64],
    derived: NDArray[np.int8],
    derived_offset: NDArray[np.int64],
    mutation_offset: NDArray[np.int64],
    allele: NDArray[np.int64],
    source: NDArray[np.int64],
    offset: NDArray[np.int64],
) -> None:
    """Number the distinct alleles of each site in order of first appearance, from 0, the ancestral.

    The last three arrays are filled.

    Args:
        ancestral: Letters of all ancestral states, ASCII, one after the other.
        ancestral_offset: First letter of each site's state, shape (n_sites + 1,).
        derived: Letters of all derived states, ASCII.
        derived_offset: First letter of each mutation's state, shape (n_mutations + 1,).
        mutation_offset: First mutation of each site, shape (n_sites + 1,).
        allele: Filled with each mutation's index into its site's alleles, shape (n_mutations,).
        source: Filled, by allele of the whole block, with the mutation that introduced it, or -1
            for an ancestral allele. Shape (at least the number of alleles,).
        offset: Filled with each site's first row in ``source``, shape (n_sites + 1,).
    """
    n = 0
    for site in range(ancestral_offset.size - 1):
        offset[site] = n
        source[n] = -1
        n += 1
        a0, a1 = ancestral_offset[site], ancestral_offset[site + 1]
        for m in range(mutation_offset[site], mutation_offset[site + 1]):
            d0, d1 = derived_offset[m], derived_offset[m + 1]
            found = -1
            if _same(derived, d0, d1, ancestral, a0, a1):
                found = 0
            for k in range(offset[site] + 1, n):
                s = source[k]
                if _same(derived, d0, d1, derived, derived_offset[s], derived_offset[s + 1]):
                    found = k - offset[site]
            if found == -1:
                found = n - offset[site]
                source[n] = m
                n += 1
            allele[m] = found
    offset[ancestral_offset.size - 1] = n


@kernel()
def copy_alleles(
    ancestral: NDArray[np.int8],
    ancestral_offset: NDArray[np.int64],
    derived: NDArray[np.int8],
    derived_offset: NDArray[np.int64],
    source: NDArray[np.int64],
    offset: NDArray[np.int64],
    text: NDArray[np.uint8],
    text_offset: NDArray[np.int32],
) -> None:
    """Copy the letters of all alleles into one array. The last two arrays are filled.

    Args:
        ancestral: Letters of all ancestral states, ASCII.
        ancestral_offset: First letter of each site's state, shape (n_sites + 1,).
        derived: Letters of all derived states, ASCII.
        derived_offset: First letter of each mutation's state, shape (n_mutations + 1,).
        source: By allele: the mutation that introduced it, or -1 for an ancestral allele.
        offset: First allele of each site, shape (n_sites + 1,).
        text: Filled with the letters. Must be large enough.
        text_offset: Filled with each allele's first letter, shape (n_alleles + 1,).
    """
    w = 0
    for site in range(offset.size - 1):
        for k in range(offset[site], offset[site + 1]):
            text_offset[k] = w
            if source[k] == -1:
                for i in range(ancestral_offset[site], ancestral_offset[site + 1]):
                    text[w] = ancestral[i]
                    w += 1
            else:
                for i in range(derived_offset[source[k]], derived_offset[source[k] + 1]):
                    text[w] = derived[i]
                    w += 1
    text_offset[offset[-1]] = w


@kernel()
def find_shared_ends(
    site_offset: NDArray[np.int64],
    text: NDArray[np.uint8],
    text_offset: NDArray[np.int32],
    shared: NDArray[np.int32],
) -> int:
    """Count the last letters that each alternate allele shares with its REF, leaving one of each.

    Args:
        site_offset: First allele of each site, shape (n_sites + 1,).
        text: ASCII letters of all alleles.
        text_offset: First letter of each allele, shape (n_alleles + 1,).
        shared: Filled with the counts, shape (n_alleles,). 0 for REF and symbolic alleles.

    Returns:
        The first site with an allele that, without those letters, has first letters in common with
        REF too, although both have more than one; -1 if there is none.
    """
    shared[:] = 0
    wrong = -1
    for site in range(site_offset.size - 1):
        ref = site_offset[site]
        r0, r1 = text_offset[ref], text_offset[ref + 1]
        if r1 - r0 == 1:
            continue
        for k in range(ref + 1, site_offset[site + 1]):
            a0, a1 = text_offset[k], text_offset[k + 1]
            if text[a0] == 60:  # <
                continue
            most = min(r1 - r0, a1 - a0) - 1
            n = 0
            while n < most and text[r1 - 1 - n] == text[a1 - 1 - n]:
                n += 1
            shared[k] = n
            if n < most and text[r0] == text[a0] and wrong < 0:
                wrong = site
    return wrong


@kernel()
def find_cuts(
    first_allele: NDArray[np.int64],
    row_offset: NDArray[np.int64],
    shared: NDArray[np.int32],
    present: NDArray[np.bool_],
    cut: NDArray[np.int64],
) -> None:
    """Find the last letters that all alleles of a record share: it has those that are present.

    Args:
        first_allele: First allele of each site in ``shared``, shape (n_sites,).
        row_offset: First row (alternate allele) of each site, shape (n_sites + 1,).
        shared: The counts of :func:`find_shared_ends`.
        present: Which alternate alleles the records have, shape (n_rows,).
        cut: Filled with the number of letters, shape (n_sites,). 0 for a site without any.
    """
    for site in range(cut.size):
        least = -1
        for row in range(row_offset[site], row_offset[site + 1]):
            if present[row]:
                n = shared[first_allele[site] + 1 + row - row_offset[site]]
                least = n if least < 0 else min(least, n)
        cut[site] = max(least, 0)


@kernel()
def copy_cut_alleles(
    allele: NDArray[np.int64],
    cut: NDArray[np.int32],
    text: NDArray[np.uint8],
    text_offset: NDArray[np.int32],
) -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
    """Copy alleles without their last letters.

    Args:
        allele: Which alleles to copy, shape (n,).
        cut: Letters that each loses, shape (n,).
        text: ASCII letters of all alleles.
        text_offset: First letter of each allele.

    Returns:
        The letters, and the first one of each allele, shape (n + 1,).
    """
    offset = np.zeros(allele.size + 1, np.int32)
    for i in range(allele.size):
        size = text_offset[allele[i] + 1] - text_offset[allele[i]] - cut[i]
        offset[i + 1] = offset[i] + size
    out = np.empty(offset[-1], np.uint8)
    for i in range(allele.size):
        first = text_offset[allele[i]]
        for k in range(offset[i + 1] - offset[i]):
            out[offset[i] + k] = text[first + k]
    return out, offset
