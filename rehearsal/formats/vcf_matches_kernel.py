"""Compiled code that finds repetitions in VCF text, for DEFLATE.

Genotypes are compared as packed digits, other text byte by byte, as zlib does.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rehearsal.compiled_code import kernel, lean
from rehearsal.formats.deflate_kernel import (
    DISTANCE_RANGE,
    EXTRA_OF_DISTANCE,
    MAX_DISTANCE,
    MAX_MATCH,
    Bytes,
    Tokens,
    write_block,
)
from rehearsal.formats.genotype_digits_kernel import (
    MAX_TEXT,
    Genotypes,
    Places,
    next_genotypes,
    pack_digits,
)
from rehearsal.formats.genotype_matches_kernel import (
    MULTIPLIER,
    NOWHERE,
    Copy,
    add_token,
    cut_digits,
    note,
)

_TABLE_BITS = 11
_MOST_PLACES, _MOST_SHORT_PLACES = 16, 4  # that are compared
_BY_BYTE, _COST = 5, 7  # what a match saves, in bits: by byte, less its own code
_LONG = 32  # bytes; behind a match that long, nothing better is looked for
_THREE_LETTERS = np.uint64(0xFF_FFFF)
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
        chains = [np.empty(MAX_TEXT, np.uint16) for _ in range(2)]
        tables = [np.empty(1 << _TABLE_BITS, np.uint16) for _ in range(2)]
        tokens = Tokens(np.empty(MAX_TEXT, np.int32), np.empty(MAX_TEXT, np.int32))
        return cls(Genotypes.make(), tables[0], chains[0], tables[1], chains[1], tokens)


@lean()
def _empty(table: Places) -> None:
    for key in range(table.size):  # assigning the slice is 10 times slower
        table[key] = NOWHERE


@kernel(nogil=True)
def compress_text(text: Bytes, work: Workspace, out: Bytes) -> int:
    """Compress a block of VCF text to a DEFLATE stream.

    Args:
        text: The block, at most ``MAX_TEXT`` bytes, shape (n,), uint8.
        work: Buffers; what is in them does not matter.
        out: Output buffer, at least ``8 * MAX_TEXT`` bytes, shape (m,), uint8.

    Returns:
        Number of bytes written.
    """
    return write_block(work.tokens, _find_matches(text, work), out)


@lean()
def _find_matches(text: Bytes, work: Workspace) -> int:
    """Cut a block of text into literals and matches, in ``work.tokens``; returns their number."""
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


@lean(inlined=True)
def _key(letters: np.uint64) -> int:
    return int(np.int64(letters * MULTIPLIER >> np.uint64(64 - _TABLE_BITS)))


@lean(inlined=True)
def _six_letters(text: Bytes, at: int) -> np.uint64:
    letters = np.uint64(0)
    for byte in range(6):
        letters |= np.uint64(text[at + byte]) << np.uint64(8 * byte)
    return letters


@lean(inlined=True)
def _note_text(text: Bytes, begin: int, end: int, long: Index, brief: Index) -> None:
    end = min(end, text.size - 5)
    if begin >= end:
        return
    letters = _six_letters(text, begin)
    for at in range(begin, end):
        note(at, _key(letters), *long)
        note(at, _key(letters & _THREE_LETTERS), *brief)
        if at + 1 < end:
            letters = letters >> np.uint64(8) | np.uint64(text[at + 6]) << np.uint64(40)


@lean(inlined=True)
def _best_in_chain(
    text: Bytes, at: int, end: int, first: int, chain: Places, most: int, best: Copy
) -> Copy:
    """Find what is longer than the best match so far: what is farther costs more bits."""
    place = first
    longest, closest, best_saved = best
    for _ in range(most):
        if place == NOWHERE or at - place > MAX_DISTANCE or at + longest >= end:
            break
        if text[at + longest] == text[place + longest]:
            length = 0
            while at + length < end and text[at + length] == text[place + length]:
                length += 1
            distance = at - place
            saved = length * _BY_BYTE - _COST - EXTRA_OF_DISTANCE[DISTANCE_RANGE[distance]]
            if length >= 3 and saved > best_saved:
                longest, closest, best_saved = length, distance, float(saved)
        place = int(np.int64(chain[place]))
    return longest, closest, best_saved


@lean(inlined=True)
def _best_match(text: Bytes, at: int, border: int, long: Index, brief: Index) -> Copy:
    best = (0, 0, 0.0)
    if at + 6 > text.size:
        return best
    letters = _six_letters(text, at)
    end = min(border, at + MAX_MATCH)
    place = int(np.int64(long[0][_key(letters)]))
    best = _best_in_chain(text, at, end, place, long[1], _MOST_PLACES, best)
    if best[0] >= 6:
        return best
    place = int(np.int64(brief[0][_key(letters & _THREE_LETTERS)]))
    return _best_in_chain(text, at, end, place, brief[1], _MOST_SHORT_PLACES, best)


@lean()
def _text_tokens(text: Bytes, at: int, border: int, work: Workspace, n: int) -> tuple[int, int]:
    """Cut other text into tokens, up to the next genotype."""
    lengths, values = work.tokens
    long, brief = (work.table, work.chain), (work.short_table, work.short_chain)
    later, is_known = (0, 0, 0.0), False  # the best match of the next byte
    while at < border:
        if not is_known:
            later = _best_match(text, at, border, long, brief)
        (length, distance, saved), is_known = later, False
        _note_text(text, at, at + 1, long, brief)
        if 0 < length < _LONG:
            later = _best_match(text, at + 1, border, long, brief)
            is_known = later[2] > saved + _WORTH_A_LETTER
        if length and not is_known:
            n = add_token(lengths, values, n, length, distance)
            _note_text(text, at + 1, at + length, long, brief)
            at += length
        else:
            n = add_token(lengths, values, n, 0, text[at])
            at += 1
    return at, n
