"""Compiled code that packs small indels and structural variants into one number, and back.

A mutation's *change* and an allele's *state* are 64-bit numbers:

- a single base: as a change 1 (transition), 2 or 3 (transversions), which XOR applies to the base;
  as a state the base, 0 to 3
- an indel: its length (negative: deletion), and what is inserted: the first ``unit`` bases after
  the anchor again and again, or bases drawn from ``seed`` and rotated by ``turn``
- a structural variant: its type and length; as a state its type + 1, or COPIES + the number of
  copies. 0 is the reference.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rehearsal.compiled_code import part
from rehearsal.genomes.variant_classes import GAIN, LOSS

SINGLE, INDEL, STRUCTURAL = 0, 1, 2  # classes of sites
COPIES = 10
NO_INDEL = 64  # the state of an indel site's reference allele
MAXIMUM_COPIES = 3


@part
def pack_indel(length: int, unit: int, turn: int, seed: int, slips: bool) -> int:
    """Pack an indel.

    Args:
        length: Bases inserted, or minus the bases deleted, at most 49.
        unit: Bases after the anchor that are inserted again and again, 0: drawn from ``seed``.
        turn: By how many bases the drawn bases are rotated to the right.
        seed: Decides the drawn bases, below 2**31.
        slips: Whether it is whole units of a repeat.

    Returns:
        The packed indel.
    """
    return (length + 64) | (unit << 8) | (turn << 16) | (int(slips) << 24) | (seed << 32)


@part
def indel_length(state: int) -> int:
    """Read the length of a packed indel, negative for a deletion.

    Args:
        state: A packed indel.
    """
    return (state & 0xFF) - 64


@part
def indel_slips(state: int) -> bool:
    """Tell whether a packed indel is whole units of a repeat.

    Args:
        state: A packed indel.
    """
    return (state >> 24) & 1 == 1


@part
def drawn_base(seed: int, i: int) -> int:
    """Draw base i of inserted bases (a multiplicative hash).

    Args:
        seed: Decides the bases.
        i: Index into the inserted bases.
    """
    value = (seed * 2_654_435_761 + i * 40_503 + 12_345) & 0x7FFFFFFF
    value = (value ^ (value >> 13)) * 1_103_515_245 & 0x7FFFFFFF
    return (value >> 17) & 3


@part
def inserted_base(state: int, i: int, anchor: int, code: NDArray[np.int8]) -> int:
    """Find base i of what an indel inserts after its anchor.

    Args:
        state: A packed insertion.
        i: Index into the inserted bases.
        anchor: Base of the block before them.
        code: The block's bases.

    Returns:
        The base, 0 to 3.
    """
    unit = (state >> 8) & 0xFF
    if unit:
        return code[anchor + 1 + i % unit]
    length = indel_length(state)
    return drawn_base(state >> 32, (i + length - ((state >> 16) & 0xFF)) % length)


@part
def allele_key(kind: int, state: int, anchor: int, code: NDArray[np.int8]) -> int:
    """Compute a number that is the same for alleles of a site with the same text.

    Args:
        kind: Class of the site.
        state: State of the allele.
        anchor: Base of the block at the site.
        code: The block's bases.

    Returns:
        The number. Insertions are hashed; others are exact.
    """
    if kind != INDEL:
        return state
    length = indel_length(state)
    if length <= 0:
        return length
    key = length
    for i in range(length):
        key = (key * 5 + inserted_base(state, i, anchor, code) + 1) % 2_305_843_009_213_693_951
    return key + 64


@part
def reference_state(kind: int, anchor: int, code: NDArray[np.int8]) -> int:
    """Give the state of the reference allele of a site.

    Args:
        kind: Class of the site.
        anchor: Base of the block at the site.
        code: The block's bases.
    """
    if kind == SINGLE:
        return code[anchor]
    return NO_INDEL if kind == INDEL else 0


@part
def changed_state(kind: int, change: int, before: int) -> int:
    """Apply a mutation to the state that it meets.

    Args:
        kind: Class of the site.
        change: The mutation's change.
        before: State of the allele that mutates.

    Returns:
        The state after it. Changes of the number of units of a repeat add up, and so do those of
        the number of copies; a lost stretch stays lost. Other indels are read against the
        reference.
    """
    if kind == SINGLE:
        return before ^ change
    if kind == INDEL:
        if indel_slips(change) and indel_slips(before):
            one, two = indel_length(change), indel_length(before)
            length = max(one + two, min(one, two, 0))  # a repeat loses no more than it has
            if length == 0:
                return NO_INDEL
            if length < 50:
                return change - one + length
        return change
    kind_of_change = change & 0xFF
    if kind_of_change < LOSS:
        return kind_of_change + 1
    copies = before - COPIES if before >= COPIES else 1
    if copies > 0 and (kind_of_change == LOSS or copies == MAXIMUM_COPIES):
        copies -= 1
    elif copies > 0 and kind_of_change == GAIN:
        copies += 1
    return 0 if copies == 1 else COPIES + copies


@part
def deleted_bases(kind: int, state: int, length: int) -> int:
    """Count the bases after the site's own that an allele has lost.

    Args:
        kind: Class of the site.
        state: State of the allele.
        length: Length of the site's structural variant.
    """
    if kind == INDEL:
        return max(-indel_length(state), 0)
    if kind == STRUCTURAL and (state == 1 or state == COPIES):
        return length
    return 0
