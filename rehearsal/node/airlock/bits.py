"""How much a result can say, in bits, whatever its algorithm meant by it."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from rehearsal.node.airlock.arrays import MOST_DIMENSIONS, Array

NUMBER_BITS = 32  # of each number that is told about all arrays
FLAG_BITS = 5  # whether it is additive and masked, and which three of the numbers are told
CELL_KINDS = 4  # bytes, small and large whole numbers, real numbers
# of each declared array: that it is not there, or what its cells and how many its axes are
ARRAY_BITS = math.log2(1 + CELL_KINDS * (MOST_DIMENSIONS + 1))


def bits_of_result(
    arrays: Mapping[str, Array], declared: int, numbers: int, people: int, significant_bits: int
) -> float:
    """Bound what a result can say: cells, shapes, and which arrays are there.

    Args:
        arrays: What leaves, by name.
        declared: Number of arrays that may leave.
        numbers: How many numbers are told about all arrays.
        people: People in the view.
        significant_bits: Bits that are kept of a real number.

    Returns:
        Bits. The length n of an axis has 2 log2(n + 1) + 1, as its Elias gamma code at most has.
    """
    total = FLAG_BITS + NUMBER_BITS * numbers + ARRAY_BITS * declared
    for one in arrays.values():
        total += one.size * _bits_of_cell(one, people, significant_bits)
        total += sum(2 * math.log2(length + 1) + 1 for length in one.shape)
    return total


def _bits_of_cell(array: Array, people: int, significant_bits: int) -> float:
    """Bound what a cell can say.

    A whole number from 0 to twice the people has log2(2 people + 1) bits where every cell of its
    array is one; another whole number has 64, a byte 8, a real number the kept bits, its sign and
    its exponent of 11 bits.
    """
    if array.dtype == np.float64:
        return significant_bits + 12
    if array.dtype == np.uint8:
        return 8
    is_small = array.size == 0 or (array.min() >= 0 and array.max() <= 2 * people)
    return math.log2(2 * people + 1) if is_small else 64
