"""Compiled code that finds repetitions in phased genotypes of one digit, for DEFLATE.

Such genotypes, ``0|0``, between tabs are nearly all of VCF text. Their digits are packed into
words, 2 bits each, so that 32 of them are compared at once; the bytes between them are always the
same. Digits are literals or begin matches; most matches repeat the genotype before (a distance of
4 bytes).
"""

from __future__ import annotations

import numpy as np

from rehearsal.compiled_code import lean
from rehearsal.formats.deflate_kernel import (
    DISTANCE_RANGE,
    EXTRA_OF_DISTANCE,
    MAX_DISTANCE,
    MAX_MATCH,
    Bytes,
    Tokens,
)
from rehearsal.formats.genotype_digits_kernel import (
    SENTINEL,
    TABLE_BITS,
    WORD,
    WORD_SHIFT,
    Genotypes,
    Numbers,
    Places,
    Words,
)

NOWHERE = 0xFFFF  # no place; a block has fewer
MULTIPLIER = np.uint64(0x9E37_79B9_7F4A_7C15)  # 2**64 by the golden ratio, for keys of tables

# a product with it has another value in the six highest bits for each power of two
_DE_BRUIJN = np.uint64(0x03F7_9D71_B4CB_0A89)
_LOWEST_BIT = np.zeros(64, np.int64)
_LOWEST_BIT[[(int(_DE_BRUIJN) << bit & (1 << 64) - 1) >> 58 for bit in range(64)]] = np.arange(64)

_KEY_BITS = np.uint64(0xFFFF)  # 8 digits find the places where they were before
_MOST_PLACES = 16  # that are compared
_LONG_RUN = 128  # digits; what repeats the genotype before for so long is not compared further
_MOST_DIGITS = 128  # of one match
_NOTED = 16  # digits at either end of a long match; what is between is found where it was before
_LONG = 64  # digits; behind what repeats that many, nothing better is looked for
# what a match saves, in bits: by digit, less its own code
_BY_DIGIT, _RUN_COST, _NEAR_COST, _FAR_COST = 2.5, 5, 6, 8
_WORTH_A_LITERAL = 6  # what a match must save more if it begins one digit later

Copy = tuple[int, int, float]  # digits or bytes, distance in bytes, bits saved


@lean(inlined=True)
def _digits_at(digits: Words, at: int) -> np.uint64:
    """Return 32 digits, the first in the lowest bits."""
    word, shift = at >> WORD_SHIFT, np.uint64(2 * (at & (WORD - 1)))
    # the next word in two steps, because no shift may be of 64 bits
    high = digits[word + 1] << np.uint64(1) << (np.uint64(63) - shift)
    return digits[word] >> shift | high


@lean(inlined=True)
def _count_equal(difference: np.uint64) -> int:
    """Count the digits below the lowest one that differs."""
    lowest = difference & (~difference + np.uint64(1))
    return _LOWEST_BIT[(lowest * _DE_BRUIJN) >> np.uint64(58)] // 2


@lean(inlined=True)
def _equal_digits(digits: Words, one: int, other: int, most: int) -> int:
    """Count how many digits are equal from two places on."""
    length = 0
    while length < most:
        difference = _digits_at(digits, one + length) ^ _digits_at(digits, other + length)
        if difference:
            return min(most, length + _count_equal(difference))
        length += WORD
    return most


@lean(inlined=True)
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


@lean(inlined=True)
def _digit_key(digits: np.uint64, at: int) -> int:
    """Number the lowest 8 digits, apart for first and second digits of genotypes."""
    key = (digits & _KEY_BITS) * MULTIPLIER >> np.uint64(64 - TABLE_BITS)
    return int(2 * np.int64(key)) + (at & 1)


@lean(inlined=True)
def _note_digits(begin: int, end: int, all_digits: Words, table: Places, chain: Places) -> None:
    """Let digits be found later."""
    at = begin
    while at < end:
        digits = _digits_at(all_digits, at)
        stop = min(end, at + WORD - 7)  # while 8 digits are left
        while at < stop:
            key = _digit_key(digits, at)
            note(at, key, table, chain)
            digits >>= np.uint64(2)
            at += 1


@lean(inlined=True)
def _run_length(at: int, first: int, end: int, digits: Words) -> int:
    """Count the digits that repeat the genotype before."""
    if at - first < 2:
        return 0
    most = min(end - at, 2 * WORD)
    length = _equal_digits(digits, at, at - 2, most)
    if length < most or most == end - at:
        return length
    word = (at + WORD) // WORD  # from here on, whole words are all the same
    repeated = digits[word]
    while digits[word] == repeated:
        word += 1
    done = word * WORD
    return min(end, done + _equal_digits(digits, done, done - 2, WORD)) - at


@lean(inlined=True)
def _note_match(begin: int, end: int, digits: Words, table: Places, chain: Places) -> None:
    """Let the digits of a match be found later: of a long one those at its ends."""
    if end - begin < 3 * _NOTED:
        _note_digits(begin, end, digits, table, chain)
    else:
        _note_digits(begin, begin + _NOTED, digits, table, chain)
        _note_digits(end - _NOTED, end, digits, table, chain)


@lean(inlined=True)
def _low_digits(length: int) -> np.uint64:
    """Select the digits that a match has which is longer, as far as they are in one word."""
    return SENTINEL >> np.uint64(2 * max(0, WORD - 1 - length))


@lean(inlined=True)
def _far_copy(
    at: int,
    first: int,
    most: int,
    best: Copy,
    digits: Words,
    bases: Numbers,
    table: Places,
    chain: Places,
) -> Copy:
    """Find a match anywhere in reach that saves more than the best one so far."""
    length, distance, saved = best
    here, base = _digits_at(digits, at), bases[first >> WORD_SHIFT]
    place = int(np.int64(table[_digit_key(here, at)]))
    to_beat = _low_digits(length)
    for _ in range(_MOST_PLACES):
        if place == NOWHERE or length >= most:
            break
        difference = here ^ _digits_at(digits, place)
        if difference & to_beat == 0:  # else it is no longer, and what is farther costs more
            away = base - bases[place >> WORD_SHIFT] + 2 * (at - place)
            if away > MAX_DISTANCE:
                break
            equal = _equal_digits(digits, at, place, most)
            save = equal * _BY_DIGIT - _FAR_COST - EXTRA_OF_DISTANCE[DISTANCE_RANGE[away]]
            if save > saved:
                length, distance, saved = equal, away, save
                to_beat = _low_digits(length)
        place = int(np.int64(chain[place]))
    return length, distance, saved


@lean(inlined=True)
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
    near = _equal_digits(digits, at, at - 4, min(most, WORD)) if at - first >= 4 else 0
    if near * _BY_DIGIT - _NEAR_COST > saved:
        length, distance, saved = near, 8, near * _BY_DIGIT - _NEAR_COST
    best = (length, distance, saved)
    best = _far_copy(at, first, most, best, digits, bases, table, chain)
    if best[1] > 8 and _ends_in_a_run(at, near, best[0], end, digits):
        return near, 8, best[2]
    return best


@lean(inlined=True)
def _ends_in_a_run(at: int, near: int, length: int, end: int, digits: Words) -> bool:
    """Tell whether a copy is of a single carrier before a long run, which alone takes fewer bits
    than a distant copy."""
    ahead = at + near
    if length < 48 or near < 2 or ahead + WORD > end:
        return False
    return _equal_digits(digits, ahead, ahead - 2, WORD) == WORD


@lean(inlined=True)
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


@lean()
def _add_run(lengths: Numbers, values: Numbers, n: int, left: int) -> int:
    """Add a run of genotypes in matches of at most 258 bytes and at least 3."""
    while left:
        taken = min(left, MAX_MATCH)
        if 0 < left - taken < 3:
            taken -= 3
        n = add_token(lengths, values, n, taken, 4)
        left -= taken
    return n


@lean(inlined=True)
def _choose_copy(
    at: int,
    first: int,
    end: int,
    later: Copy,
    is_known: bool,
    digits: Words,
    bases: Numbers,
    table: Places,
    chain: Places,
) -> tuple[Copy, Copy, bool]:
    """Find the best copy of a digit, which is ``later`` if that is known.

    Returns:
        The copy, that of the next digit, and whether the latter saves so much more that this digit
        is to be a literal.
    """
    copy = later
    if not is_known:
        copy = _best_copy(at, first, end, digits, bases, table, chain)
    if not 2 <= copy[0] < _LONG or at + 1 >= end:
        return copy, copy, False
    later = _best_copy(at + 1, first, end, digits, bases, table, chain)
    return copy, later, later[2] > copy[2] + _WORTH_A_LITERAL


@lean(inlined=True)
def _is_match(length: int, distance: int, before: int) -> bool:
    """Tell whether a copy has the 3 bytes of a match, and is not so far that literals are less."""
    return length >= 2 or (length == 1 and before == 1 and distance <= 8)


@lean()
def _lengthen_last(text: Bytes, at: int, lengths: Numbers, values: Numbers, n: int) -> int:
    """Add to the last match what follows: the last genotype of a line has no tab behind it."""
    while at < text.size and lengths[n - 1] < MAX_MATCH and text[at] == text[at - values[n - 1]]:
        lengths[n - 1] += 1
        at += 1
    return at


@lean()
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
    bases[first >> WORD_SHIFT : (end >> WORD_SHIFT) + 1] = base
    before = 0  # bytes between the last token and the digit: the one behind a literal, or none
    later, is_known = (0, 0, 0.0), False  # the best copy of the next digit
    while at < end:
        copy, later, is_known = _choose_copy(
            at, first, end, later, is_known, digits, bases, table, chain
        )
        length, distance, _ = copy
        if distance == 4 and length >= _LONG_RUN:
            n = _add_run(lengths, values, n, 2 * length + before)
            _note_digits(at + length - _NOTED, at + length, digits, table, chain)
            at, before = at + length, 0
            continue
        if not is_known and _is_match(length, distance, before):
            n = add_token(lengths, values, n, 2 * length + before, distance)
            before = 0
        else:
            for byte in range(base + 2 * at - before, base + 2 * at + 1):
                n = add_token(lengths, values, n, 0, text[byte])
            length = before = 1
        _note_match(at, at + length, digits, table, chain)
        at += length
    behind = base + 2 * end
    if before:
        return behind, add_token(lengths, values, n, 0, text[behind - 1])
    return _lengthen_last(text, behind, lengths, values, n), n
