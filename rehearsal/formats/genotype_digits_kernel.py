"""Compiled code that packs the digits of phased genotypes in text into words, 2 bits each."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rehearsal.compiled_code import lean
from rehearsal.formats.deflate_kernel import Bytes

MAX_TEXT = 65536  # bytes of a block
WORD_SHIFT = 5
WORD = 1 << WORD_SHIFT  # digits of a word
SENTINEL = np.uint64(0xFFFF_FFFF_FFFF_FFFF)  # behind the digits of a line: equal to no digit
TABLE_BITS = 13  # of the keys of 8 digits

_LINE = 2 * WORD  # bytes that they take in the text
_TAB, _BAR, _ZERO = b"\t|0"
_SHAPE = np.uint64(0x0930_7C30_0930_7C30)  # of eight bytes: 0|0, tab, twice
_SHAPE_BITS = np.uint64(0xFFFC_FFFC_FFFC_FFFC)  # all but the two last bits of digits
_DIGIT_BITS = np.uint64(0x0003_0003_0003_0003)
_LAST_BITS = np.uint64(0x0001_0001_0001_0001)

Words = NDArray[np.uint64]
Places = NDArray[np.uint16]  # half the bytes of 32 bits: tables and chains stay in the cache
Numbers = NDArray[np.int32]


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
            np.zeros(MAX_TEXT // WORD + 1, np.uint64),
            np.empty(MAX_TEXT // WORD, np.int32),
            np.empty(2 << TABLE_BITS, np.uint16),
            np.empty(MAX_TEXT, np.uint16),
        )


@lean(inlined=True)
def _is_genotype(text: Bytes, at: int) -> bool:
    """Tell whether a digit, a bar, a digit and a tab begin at a byte."""
    return (
        (text[at] ^ _ZERO) < 3
        and text[at + 1] == _BAR
        and (text[at + 2] ^ _ZERO) < 3
        and text[at + 3] == _TAB
    )


@lean()
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


@lean(inlined=True)
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


@lean()
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
    word, byte, is_whole = first // WORD, at, True
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
    work.digits[word] = packed | SENTINEL << np.uint64(bits)
    return word * WORD + bits // 2
