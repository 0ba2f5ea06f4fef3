"""Compiled code that finds repeats and CpG in a block's bases and sums mutation rates."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

LONGEST_UNIT = 6
A, G, C, T = 0, 1, 2, 3  # codes of bases, as in rehearsal.genomes.reference


@numba.njit(cache=True)
def _tract_weight(unit: int, copies: int) -> float:
    """How often a repeat slips, relative to indels at one base outside of repeats.

    Rates rise about exponentially with the number of copies (Montgomery et al. 2013, figure 2).
    """
    if unit == 1:
        return 0.0 if copies < 6 else 190.0 * 1.3 ** (min(copies, 16) - 6)
    if unit == 2:
        return 0.0 if copies < 4 else 500.0 * 1.3 ** (min(copies, 14) - 4)
    return 0.0 if copies < 3 else 380.0 * 1.3 ** (min(copies, 12) - 3)


@numba.njit(cache=True)
def find_repeats(
    code: NDArray[np.int8],
    weight: NDArray[np.float32],
    unit: NDArray[np.uint8],
    copies: NDArray[np.uint8],
) -> None:
    """Find homopolymers and tandem repeats of units of up to six bases.

    The last three arrays are zero at first and filled at the first base of each repeat. Where two
    repeats begin, that of the larger weight stands.

    Args:
        code: Bases, 0 to 3, -1 unknown, shape (n,).
        weight: How often the repeat slips, shape (n,).
        unit: Bases of its unit, shape (n,).
        copies: Whole units in it, at most 255, shape (n,).
    """
    for k in range(1, LONGEST_UNIT + 1):
        start = 0
        i = k
        while i <= code.size:
            if i < code.size and code[i] >= 0 and code[i] == code[i - k]:
                i += 1
                continue
            number = min((i - start) // k, 255)
            if number > 2:
                worth = _tract_weight(k, number)
                if worth > weight[start] and _primitive(code, start, k):
                    weight[start], unit[start], copies[start] = worth, k, number
            # the next repeat of this unit can begin k - 1 bases before the mismatch
            start = max(i - k + 1, start + 1)
            i = max(i + 1, start + k)


@numba.njit(cache=True)
def _primitive(code: NDArray[np.int8], start: int, k: int) -> bool:
    """Tell whether the unit is not itself a repeat of a shorter one."""
    for shorter in range(1, k):
        if k % shorter == 0:
            same = True
            for i in range(start + shorter, start + k):
                same &= code[i] == code[i - shorter]
            if same:
                return False
    return True


@numba.njit(cache=True)
def mark_cpg(code: NDArray[np.int8], cpg: NDArray[np.bool_]) -> None:
    """Mark both bases of each CpG.

    Args:
        code: Bases, 0 to 3, -1 unknown, shape (n,).
        cpg: False at first, shape (n,). Changed in place.
    """
    for i in range(code.size - 1):
        if code[i] == C and code[i + 1] == G:
            cpg[i] = True
            cpg[i + 1] = True


@numba.njit(cache=True)
def sum_rates(
    open_base: NDArray[np.bool_],
    cpg: NDArray[np.bool_],
    slip: NDArray[np.float32],
    spike: NDArray[np.float32],
    constant: NDArray[np.float64],
    cpg_transition: float,
    total: NDArray[np.float64],
) -> None:
    """Sum the rates of all mutations along the block.

    Args:
        open_base: Whether mutations may stand at the base, shape (n,).
        cpg: Whether it stands in CpG, shape (n,).
        slip: Rate of slippage of the repeat that begins there, shape (n,).
        spike: Rate of changes of copy number there, shape (n,).
        constant: Rates of all bases: transitions outside of CpG, transversions, indels outside of
            repeats, structural variants.
        cpg_transition: Rate of transitions in CpG.
        total: Filled with the sum over the bases before each base, shape (n + 1,).
    """
    total[0] = 0.0
    for i in range(cpg.size):
        rate = 0.0
        if open_base[i]:
            rate = constant[1] + constant[2] + constant[3]
            rate += cpg_transition if cpg[i] else constant[0]
            rate += slip[i] + spike[i]
        total[i + 1] = total[i] + rate
