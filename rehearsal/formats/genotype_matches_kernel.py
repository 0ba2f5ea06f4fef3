"""Compiled code that finds repetitions in phased genotypes of one digit, for DEFLATE.

Such genotypes, ``0|0``, between tabs are nearly all of VCF text. Their digits are packed into
words, 2 bits each, so that 32 of them are compared at once; the bytes between them are always the
same. Digits are literals or begin matches; most matches repeat the genotype before (a distance of
4 bytes).
"""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from rehearsal.compiled_code import INLINED, LEAN
from rehearsal.formats.deflate_kernel import (
    DISTANCE_RANGE,
    EXTRA_OF_DISTANCE,
    MAX_DISTANCE,
    MAX_MATCH,
    Bytes,
    Tokens,
)

MAX_TEXT = 65536  # bytes of a block
NOWHERE = 0xFFFF  # no place; a block has fewer
MULTIPLIER = np.uint64(0x9E37_79B9_7F4A_7C15)  # 2**64 by the golden ratio, for keys of tables

_WORD_SHIFT = 5
_WORD = 1 << _WORD_SHIFT  # digits of a word
_LINE = 2 * _WORD  # bytes that they take in the text
_SENTINEL = np.uint64(0xFFFF_FFFF_FFFF_FFFF)  # behind the digits of a line: equal to no digit
_TAB, _BAR, _ZERO = b"\t|0"
_SHAPE = np.uint64(0x0930_7C30_0930_7C30)  # of eight bytes: 0|0, tab, twice
_SHAPE_BITS = np.uint64(0xFFFC_FFFC_FFFC_FFFC)  # all but the two last bits of digits
_DIGIT_BITS = np.uint64(0x0003_0003_0003_0003)
_LAST_BITS = np.uint64(0x0001_0001_0001_0001)
# a product with it has another value in the six highest bits for each power of two
_DE_BRUIJN = np.uint64(0x03F7_9D71_B4CB_0A89)
_LOWEST_BIT = np.zeros(64, np.int64)
_LOWEST_BIT[[(int(_DE_BRUIJN) << bit & (1 << 64) - 1) >> 58 for bit in range(64)]] = np.arange(64)

_KEY_BITS = np.uint64(0xFFFF)  # 8 digits find the places where they were before
_TABLE_BITS = 13
_MOST_PLACES = 16  # that are compared
_LONG_RUN = 128  # digits; what repeats the genotype before for so long is not compared further
_MOST_DIGITS = 128  # of one match
_NOTED = 16  # digits at either end of a long match; what is between is found where it was before
_LONG = 64  # digits; behind what repeats that many, nothing better is looked for
# what a match saves, in bits: by digit, less its own code
_BY_DIGIT, _RUN_COST, _NEAR_COST, _FAR_COST = 2.5, 5, 6, 8
_WORTH_A_LITERAL = 6  # what a match must save more if it begins one digit later

Words = NDArray[np.uint64]
Places = NDArray[np.uint16]  # half the bytes of 32 bits: tables and chains stay in the cache
Numbers = NDArray[np.int32]
Copy = tuple[int, int, float]  # digits or bytes, distance in bytes, bits saved


class Genotypes(NamedTuple):
    """Genotypes of a block. The table has the last place of a key, the chain the one before."""

    text: Bytes  # (4096,) a copy of genotypes
    words: Words  # (512,) the same, 8 bytes each
    digits: Words  # (MAX_TEXT / 32 + 1,) packed; a line begins with a new word
    base: Numbers  # (MAX_TEXT / 32,) of each word: digit d is byte base + 2 d of the block
    table: Places  # of 8 digits, for first and second digits of genotypes
    chain: Places  # (MAX_TEXT,)

    @classmethod
    def make(cls) -> Genotypes:
        """Allocate the buffers."""
        text = np.zeros(64 * _LINE, np.uint8)
        return cls(
            text,
            text.view(np.uint64),
            np.zeros(MAX_TEXT // _WORD + 1, np.uint64),
            np.empty(MAX_TEXT // _WORD, np.int32),
            np.empty(2 << _TABLE_BITS, np.uint16),
            np.empty(MAX_TEXT, np.uint16),
        )


@numba.njit(**INLINED)
def _is_genotype(text: Bytes, at: int) -> bool:
    """Tell whether a digit, a bar, a digit and a tab begin at a byte."""
    return (
        (text[at] ^ _ZERO) < 3
        and text[at + 1] == _BAR
        and (text[at + 2] ^ _ZERO) < 3
        and text[at + 3] == _TAB
    )


@numba.njit(**LEAN)
def next_genotypes(text: Bytes, at: int) -> int:
    """Find the next 16 genotypes in a row. A tab precedes them, so a match may begin with it.

    Args:
        text: The block, shape (n,), uint8.
        at: The byte to begin at.

    Returns:
        The first digit; the end of the block if there are none.
    """
    for begin in range(max(at, 1), text.size - _LINE + 1):
        if text[begin - 1] == _TAB and _is_genotype(text, begin):
            byte = begin + 4
            while byte < begin + _LINE and _is_genotype(text, byte):
                byte += 4
            if byte == begin + _LINE:
                return begin
    return text.size


@numba.njit(**INLINED)
def _pack_word(eights: Words) -> tuple[np.uint64, bool]:
    """Pack the 32 digits of 64 bytes, and tell whether there is nothing but genotypes."""
    other = np.uint64(0)
    for i in range(8):
        other |= eights[i] ^ _SHAPE
    if other == 0:  # nobody carries anything: most of the text of rare variants
        return np.uint64(0), True
    packed = strange = np.uint64(0)
    for i in range(8):
        eight = eights[i]
        digits = eight & _DIGIT_BITS
        strange |= (eight ^ _SHAPE) & _SHAPE_BITS | digits & digits >> np.uint64(1) & _LAST_BITS
        digits = (digits | digits >> np.uint64(14)) & np.uint64(0x0000_000F_0000_000F)
        digits = (digits | digits >> np.uint64(28)) & np.uint64(0xFF)
        packed |= digits << np.uint64(8 * i)
    return packed, strange == 0


@numba.njit(**LEAN)
def pack_digits(text: Bytes, at: int, first: int, work: Genotypes) -> int:
    """Pack the digits of consecutive genotypes, each with the byte behind it.

    Args:
        text: The block, shape (n,), uint8.
        at: The first digit, as of :func:`next_genotypes`.
        first: Its number, a multiple of 32.
        work: Where they are packed.

    Returns:
        The number behind the last digit. Digit ``d`` is byte ``at + 2 * (d - first)``.
    """
    word, byte, is_whole = first // _WORD, at, True
    copy, eights = work.text, work.words
    while is_whole and byte + _LINE <= text.size:
        size = min(copy.size, text.size - byte) // _LINE * _LINE
        here = text[byte : byte + size]
        for i in range(size):  # to where words begin at a multiple of 8 bytes
            copy[i] = here[i]
        for line in range(size // _LINE):
            packed, is_whole = _pack_word(eights[8 * line : 8 * line + 8])
            if not is_whole:
                break
            work.digits[word] = packed
            word, byte = word + 1, byte + _LINE
    packed, bits = np.uint64(0), 0
    while byte + 4 <= text.size and _is_genotype(text, byte):
        both = (text[byte] & 3) | (text[byte + 2] & 3) << 2
        packed |= np.uint64(both) << np.uint64(bits)
        bits, byte = bits + 4, byte + 4
    if bits == 64:
        work.digits[word] = packed
        word, packed, bits = word + 1, np.uint64(0), 0
    work.digits[word] = packed | _SENTINEL << np.uint64(bits)
    return word * _WORD + bits // 2


@numba.njit(**INLINED)
def _digits_at(digits: NDArray[np.uint64], at: int) -> np.uint64:
    """Return 32 digits, the first in the lowest bits."""
    word, shift = at >> _WORD_SHIFT, np.uint64(2 * (at & (_WORD - 1)))
    # the next word in two steps, because no shift may be of 64 bits
    high = digits[word + 1] << np.uint64(1) << (np.uint64(63) - shift)
    return digits[word] >> shift | high


@numba.njit(**INLINED)
def _count_equal(difference: np.uint64) -> int:
    """Count the digits below the lowest one that differs."""
    lowest = difference & (~difference + np.uint64(1))
    return _LOWEST_BIT[(lowest * _DE_BRUIJN) >> np.uint64(58)] // 2


@numba.njit(**INLINED)
def _equal_digits(digits: NDArray[np.uint64], one: int, other: int, most: int) -> int:
    """Count how many digits are equal from two places on."""
    length = 0
    while length < most:
        difference = _digits_at(digits, one + length) ^ _digits_at(digits, other + length)
        if difference:
            return min(most, length + _count_equal(difference))
        length += _WORD
    return most


@numba.njit(**INLINED)
def note(at: int, key: int, table: Places, chain: Places) -> None:
    """Let a place be found by a key.

    Args:
        at: The place.
        key: The key.
        table: Last place of each key, or ``NOWHERE``.
        chain: The place before each place that has its key.
    """
    chain[at] = table[key]
    table[key] = at


@numba.njit(**INLINED)
def _digit_key(digits: np.uint64, at: int) -> int:
    """Number the lowest 8 digits, apart for first and second digits of genotypes."""
    key = (digits & _KEY_BITS) * MULTIPLIER >> np.uint64(64 - _TABLE_BITS)
    return int(2 * np.int64(key)) + (at & 1)


@numba.njit(**INLINED)
def _note_digits(begin: int, end: int, all_digits: Words, table: Places, chain: Places) -> None:
    """Let digits be found later."""
    at = begin
    while at < end:
        digits = _digits_at(all_digits, at)
        stop = min(end, at + _WORD - 7)  # while 8 digits are left
        while at < stop:
            key = _digit_key(digits, at)
            note(at, key, table, chain)
            digits >>= np.uint64(2)
            at += 1


@numba.njit(**INLINED)
def _run_length(at: int, first: int, end: int, digits: Words) -> int:
    """Count the digits that repeat the genotype before."""
    if at - first < 2:
        return 0
    most = min(end - at, 2 * _WORD)
    length = _equal_digits(digits, at, at - 2, most)
    if length < most or most == end - at:
        return length
    word = (at + _WORD) // _WORD  # from here on, whole words are all the same
    repeated = digits[word]
    while digits[word] == repeated:
        word += 1
    done = word * _WORD
    return min(end, done + _equal_digits(digits, done, done - 2, _WORD)) - at


@numba.njit(**INLINED)
def _best_copy(
    at: int, first: int, end: int, digits: Words, bases: Numbers, table: Places, chain: Places
) -> Copy:
    """Find the match of digits that saves most: of the genotype before, the second before, or
    anywhere in reach."""
    run = _run_length(at, first, end, digits)
    length, distance, saved = run, 4, max(0.0, run * _BY_DIGIT - _RUN_COST)
    if run >= _LONG_RUN:
        return length, distance, saved
    most = min(_MOST_DIGITS, end - at)
    near = _equal_digits(digits, at, at - 4, min(most, _WORD)) if at - first >= 4 else 0
    if near * _BY_DIGIT - _NEAR_COST > saved:
        length, distance, saved = near, 8, near * _BY_DIGIT - _NEAR_COST
    here, base = _digits_at(digits, at), bases[first >> _WORD_SHIFT]
    place = np.int64(table[_digit_key(here, at)])
    to_beat = _low_digits(length)
    for _ in range(_MOST_PLACES):
        if place == NOWHERE or length >= most:
            break
        difference = here ^ _digits_at(digits, place)
        if difference & to_beat == 0:  # else it is no longer, and what is farther costs more
            away = base - bases[place >> _WORD_SHIFT] + 2 * (at - place)
            if away > MAX_DISTANCE:
                break
            equal = _count_equal(difference) if difference else _WORD
            if difference == 0:
                equal = _equal_digits(digits, at, place, most)
            equal = min(equal, most)
            save = equal * _BY_DIGIT - _FAR_COST - EXTRA_OF_DISTANCE[DISTANCE_RANGE[away]]
            if save > saved:
                length, distance, saved = equal, away, save
                to_beat = _low_digits(length)
        place = np.int64(chain[place])
    if distance > 8 and _ends_in_a_run(at, near, length, end, digits):
        return near, 8, saved
    return length, distance, saved


@numba.njit(**INLINED)
def _low_digits(length: int) -> np.uint64:
    """Select the digits that a match has which is longer, as far as they are in one word."""
    return _SENTINEL >> np.uint64(2 * max(0, _WORD - 1 - length))


@numba.njit(**INLINED)
def _ends_in_a_run(at: int, near: int, length: int, end: int, digits: Words) -> bool:
    """Tell whether a copy is of a single carrier before a long run, which alone takes fewer bits
    than a distant copy."""
    ahead = at + near
    if length < 48 or near < 2 or ahead + _WORD > end:
        return False
    return _equal_digits(digits, ahead, ahead - 2, _WORD) == _WORD


@numba.njit(**INLINED)
def add_token(lengths: Numbers, values: Numbers, n: int, length: int, value: int) -> int:
    """Add a token.

    Args:
        lengths: Lengths of tokens.
        values: Values of tokens.
        n: Number of tokens.
        length: Bytes of the match, 0 for a literal.
        value: Distance, or the literal.

    Returns:
        The number of tokens with it.
    """
    lengths[n], values[n] = length, value
    return n + 1


@numba.njit(**LEAN)
def _add_run(lengths: Numbers, values: Numbers, n: int, left: int) -> int:
    """Add a run of genotypes in matches of at most 258 bytes and at least 3."""
    while left:
        taken = min(left, MAX_MATCH)
        if 0 < left - taken < 3:
            taken -= 3
        n = add_token(lengths, values, n, taken, 4)
        left -= taken
    return n


@numba.njit(**LEAN)
def cut_digits(
    text: Bytes, begin: int, first: int, end: int, work: Genotypes, tokens: Tokens, n: int
) -> tuple[int, int]:
    """Cut packed digits into tokens.

    Args:
        text: The block, shape (n,), uint8.
        begin: The first digit.
        first: Its number.
        end: The number behind the last digit.
        work: The packed digits of the block.
        tokens: The tokens.
        n: Number of tokens.

    Returns:
        The byte behind the genotypes, and the number of tokens.
    """
    digits, bases, table, chain = work.digits, work.base, work.table, work.chain
    lengths, values = tokens
    base, at = begin - 2 * first, first
    bases[first >> _WORD_SHIFT : (end >> _WORD_SHIFT) + 1] = base
    before = 0  # bytes between the last token and the digit: the one behind a literal, or none
    later, is_known = (0, 0, 0.0), False  # the best copy of the next digit
    while at < end:
        if not is_known:
            later = _best_copy(at, first, end, digits, bases, table, chain)
        (length, distance, saved), is_known = later, False
        if distance == 4 and length >= _LONG_RUN:
            n = _add_run(lengths, values, n, 2 * length + before)
            _note_digits(at + length - _NOTED, at + length, digits, table, chain)
            at, before = at + length, 0
            continue
        if 2 <= length < _LONG and at + 1 < end:
            later = _best_copy(at + 1, first, end, digits, bases, table, chain)
            is_known = later[2] > saved + _WORTH_A_LITERAL
        is_match = length >= 2 or (length == 1 and before and distance <= 8)
        if is_match and not is_known:
            n = add_token(lengths, values, n, 2 * length + before, distance)
            before = 0
        else:
            if before:
                n = add_token(lengths, values, n, 0, text[base + 2 * at - 1])
            n = add_token(lengths, values, n, 0, text[base + 2 * at])
            length = before = 1
        if length >= 3 * _NOTED:
            _note_digits(at, at + _NOTED, digits, table, chain)
            _note_digits(at + length - _NOTED, at + length, digits, table, chain)
        else:
            _note_digits(at, at + length, digits, table, chain)
        at += length
    behind = base + 2 * end
    if before:
        return behind, add_token(lengths, values, n, 0, text[behind - 1])
    while (  # the last genotype of a line, which has no tab behind it
        behind < text.size
        and lengths[n - 1] < MAX_MATCH
        and text[behind] == text[behind - values[n - 1]]
    ):
        lengths[n - 1] += 1
        behind += 1
    return behind, n
