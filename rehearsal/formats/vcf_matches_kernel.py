"""Compiled code that finds repetitions in VCF text, for DEFLATE.

Genotypes are compared as packed digits, other text byte by byte, as zlib does.
"""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np

from rehearsal.formats.deflate_kernel import (
    DISTANCE_RANGE,
    EXTRA_OF_DISTANCE,
    MAX_DISTANCE,
    MAX_MATCH,
    Bytes,
    Tokens,
)
from rehearsal.formats.genotype_matches_kernel import (
    MAX_TEXT,
    MULTIPLIER,
    Copy,
    Genotypes,
    Places,
    add_token,
    cut_digits,
    next_genotypes,
    note,
    pack_digits,
)

_TABLE_BITS = 11
_MOST_PLACES, _MOST_SHORT_PLACES = 16, 4  # that are compared
_BY_BYTE, _COST = 5, 7  # what a match saves, in bits: by byte, less its own code
_WORTH_A_LETTER = 3  # what a match must save more if it begins one byte later

Index = tuple[Places, Places]  # the last place of each key, and of each place the one before


class Workspace(NamedTuple):
    """Buffers for one block."""

    genotypes: Genotypes
    table: Places  # of 6 bytes
    chain: Places
    short_table: Places  # of 3 bytes
    short_chain: Places
    tokens: Tokens

    @classmethod
    def make(cls) -> Workspace:
        """Allocate the buffers."""
        chains = [np.empty(MAX_TEXT, np.int32) for _ in range(4)]
        tables = [np.empty(1 << _TABLE_BITS, np.int32) for _ in range(2)]
        tokens = Tokens(chains[2], chains[3])
        return cls(Genotypes.make(), tables[0], chains[0], tables[1], chains[1], tokens)


@numba.njit(cache=True, nogil=True)
def _empty(table: Places) -> None:
    for key in range(table.size):  # assigning the slice is 10 times slower
        table[key] = -1


@numba.njit(cache=True, nogil=True)
def find_matches(text: Bytes, work: Workspace) -> int:
    """Cut a block of VCF text into literals and matches, in ``work.tokens``.

    Args:
        text: The block, at most ``MAX_TEXT`` bytes, shape (n,), uint8.
        work: Buffers; what is in them does not matter.

    Returns:
        Number of tokens.
    """
    _empty(work.genotypes.table)
    _empty(work.table)
    _empty(work.short_table)
    tokens = digits = at = 0
    while at < text.size:
        border = next_genotypes(text, at)
        at, tokens = _text_tokens(text, at, border, work, tokens)
        if at < text.size:
            end = pack_digits(text, at, digits, work.genotypes)
            at, tokens = cut_digits(text, at, digits, end, work.genotypes, work.tokens, tokens)
            digits = (end // 32 + 1) * 32  # a new word
    return tokens


@numba.njit(cache=True, nogil=True)
def _text_keys(text: Bytes, at: int) -> tuple[int, int]:
    """Number 6 bytes, and the first 3 of them."""
    short = np.uint64(text[at]) | np.uint64(text[at + 1]) << np.uint64(8)
    short |= np.uint64(text[at + 2]) << np.uint64(16)
    whole = short
    for byte in range(3, 6):
        whole |= np.uint64(text[at + byte]) << np.uint64(8 * byte)
    shift = np.uint64(64 - _TABLE_BITS)
    return int(whole * MULTIPLIER >> shift), int(short * MULTIPLIER >> shift)


@numba.njit(cache=True, nogil=True)
def _note_text(text: Bytes, begin: int, end: int, long: Index, brief: Index) -> None:
    for at in range(begin, min(end, text.size - 5)):
        whole, short = _text_keys(text, at)
        note(at, whole, *long)
        note(at, short, *brief)


@numba.njit(cache=True, nogil=True)
def _best_in_chain(
    text: Bytes, at: int, end: int, place: int, chain: Places, most: int, best: Copy
) -> Copy:
    for _ in range(most):
        if place < 0 or at - place > MAX_DISTANCE:
            break
        length = 0
        while at + length < end and text[at + length] == text[place + length]:
            length += 1
        distance = at - place
        saved = length * _BY_BYTE - _COST - EXTRA_OF_DISTANCE[DISTANCE_RANGE[distance]]
        if length >= 3 and saved > best[2]:
            best = length, distance, float(saved)
        place = chain[place]
    return best


@numba.njit(cache=True, nogil=True)
def _best_match(text: Bytes, at: int, border: int, long: Index, brief: Index) -> Copy:
    best = (0, 0, 0.0)
    if at + 6 > text.size:
        return best
    whole, short = _text_keys(text, at)
    end = min(border, at + MAX_MATCH)
    place = long[0][whole]
    best = _best_in_chain(text, at, end, place, long[1], _MOST_PLACES, best)
    if best[0] >= 6:
        return best
    place = brief[0][short]
    return _best_in_chain(text, at, end, place, brief[1], _MOST_SHORT_PLACES, best)


@numba.njit(cache=True, nogil=True)
def _text_tokens(text: Bytes, at: int, border: int, work: Workspace, n: int) -> tuple[int, int]:
    """Cut other text into tokens, up to the next genotype."""
    lengths, values = work.tokens
    long, brief = (work.table, work.chain), (work.short_table, work.short_chain)
    while at < border:
        length, distance, saved = _best_match(text, at, border, long, brief)
        _note_text(text, at, at + 1, long, brief)
        if 0 < length < 32:
            later = _best_match(text, at + 1, border, long, brief)
            length = 0 if later[2] > saved + _WORTH_A_LETTER else length
        if length:
            n = add_token(lengths, values, n, length, distance)
            _note_text(text, at + 1, at + length, long, brief)
            at += length
        else:
            n = add_token(lengths, values, n, 0, text[at])
            at += 1
    return at, n
