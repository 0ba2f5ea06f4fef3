"""Compiled code that writes the alleles of sites as text, as VCF has them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rehearsal.compiled_code import kernel, part
from rehearsal.genomes.site_kernel import Sites
from rehearsal.genomes.variant_codes_kernel import (
    COPIES,
    INDEL,
    STRUCTURAL,
    indel_length,
    inserted_base,
    reference_state,
)

LETTERS = np.frombuffer(b"AGCT", np.int8)


@kernel()
def measure_alleles(
    sites: Sites, symbol_size: NDArray[np.int64], ref: NDArray[np.uint64], alt: NDArray[np.uint64]
) -> None:
    """Compute where the text of each allele begins.

    The REF of a site of indels reaches to the end of its longest deletion.

    Args:
        sites: The sites.
        symbol_size: Letters of each symbolic allele, shape (n_symbols,).
        ref: Filled with the first letter of each site's REF and the end of the last one, shape
            (n_sites + 1,).
        alt: Filled likewise for each mutation's allele, shape (n_mutations + 1,).
    """
    ref[0] = 0
    alt[0] = 0
    for site in range(sites.position.size):
        kind, longest = sites.kind[site], 0
        first, end = sites.offset[site], sites.offset[site + 1]
        if kind == INDEL:
            for m in range(first, end):
                longest = max(longest, -indel_length(sites.state[m]))
        ref[site + 1] = ref[site] + np.uint64(1 + longest)
        for m in range(first, end):
            size = 1
            if kind == INDEL:
                size = 1 + longest + indel_length(sites.state[m])
            elif kind == STRUCTURAL and sites.state[m] != 0:
                size = symbol_size[_symbol(sites.state[m])]
            alt[m + 1] = alt[m] + np.uint64(size)


@part
def _symbol(state: int) -> int:
    """The row of a structural state in the table of symbols; copies stand after the six types."""
    return 6 + state - COPIES if state >= COPIES else state - 1


@kernel()
def write_alleles(
    sites: Sites,
    code: NDArray[np.int8],
    symbols: NDArray[np.int8],
    symbol_size: NDArray[np.int64],
    ref: NDArray[np.uint64],
    alt: NDArray[np.uint64],
    ref_text: NDArray[np.int8],
    alt_text: NDArray[np.int8],
) -> None:
    """Write the texts of all alleles. The last two arrays are filled.

    Args:
        sites: The sites.
        code: The block's bases.
        symbols: Texts of symbolic alleles, shape (n_symbols, longest).
        symbol_size: Letters of each, shape (n_symbols,).
        ref: First letter of each site's REF, of ``measure_alleles``.
        alt: First letter of each mutation's allele.
        ref_text: Filled with ASCII letters.
        alt_text: Filled with ASCII letters.
    """
    for site in range(sites.position.size):
        kind, p = sites.kind[site], sites.position[site]
        size = int(ref[site + 1] - ref[site])
        for i in range(size):
            ref_text[int(ref[site]) + i] = LETTERS[code[p + i]]
        for m in range(sites.offset[site], sites.offset[site + 1]):
            w, state = int(alt[m]), sites.state[m]
            if kind == INDEL:
                _write_indel(state, p, size, code, alt_text[w:])
            elif kind == STRUCTURAL and state != reference_state(kind, p, code):
                row = _symbol(state)
                for i in range(symbol_size[row]):
                    alt_text[w + i] = symbols[row, i]
            else:
                alt_text[w] = LETTERS[code[p] if kind == STRUCTURAL else state]


@part
def _write_indel(
    state: int, anchor: int, ref_size: int, code: NDArray[np.int8], out: NDArray[np.int8]
) -> None:
    length = indel_length(state)
    out[0] = LETTERS[code[anchor]]
    w = 1
    for i in range(length):
        out[w] = LETTERS[inserted_base(state, i, anchor, code)]
        w += 1
    for i in range(1 + max(-length, 0), ref_size):
        out[w] = LETTERS[code[anchor + i]]
        w += 1
