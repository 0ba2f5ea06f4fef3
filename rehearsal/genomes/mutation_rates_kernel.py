"""Compiled code that finds repeats and CpG in a block's bases and sums mutation rates."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rehearsal.compiled_code import kernel, part

LONGEST_UNIT = 6
G, C = 1, 2  # codes of bases, as in rehearsal.genomes.reference
AT, GC, CPG = 0, 1, 2  # contexts of a base: A or T, G or C outside of CpG, G or C in CpG


@part
def _tract_weight(unit: int, copies: int) -> float:
    """How often a repeat slips, relative to indels at one base outside of repeats.

    Rates rise about exponentially with the number of copies (Montgomery et al. 2013, figure 2).
    """
    if unit == 1:
        return 0.0 if copies < 6 else 190.0 * 1.3 ** (min(copies, 16) - 6)
    if unit == 2:
        return 0.0 if copies < 4 else 500.0 * 1.3 ** (min(copies, 14) - 4)
    return 0.0 if copies < 3 else 380.0 * 1.3 ** (min(copies, 12) - 3)


@kernel()
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


@part
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


@kernel()
def mark_contexts(code: NDArray[np.int8], context: NDArray[np.int8]) -> None:
    """Find what decides the rates of single-base mutations at each base.

    Args:
        code: Bases, 0 to 3, -1 unknown, shape (n,).
        context: Filled with AT, GC or CPG, shape (n,). Unknown bases are filled with AT.
    """
    for i in range(code.size):
        context[i] = GC if code[i] == G or code[i] == C else AT
    for i in range(code.size - 1):
        if code[i] == C and code[i + 1] == G:
            context[i] = CPG
            context[i + 1] = CPG


@kernel()
def sum_rates(
    open_base: NDArray[np.bool_],
    context: NDArray[np.int8],
    single: NDArray[np.float64],
    slip: NDArray[np.float32],
    spike: NDArray[np.float32],
    constant: NDArray[np.float64],
    total: NDArray[np.float64],
) -> None:
    """Sum the rates of all mutations along the block.

    Args:
        open_base: Whether mutations may stand at the base, shape (n,).
        context: AT, GC or CPG, shape (n,).
        single: Rates of changes 1, 2 and 3 of a base by its context, shape (3, 3).
        slip: Rate of slippage of the repeat that begins there, shape (n,).
        spike: Rate of changes of copy number there, shape (n,).
        constant: Rates of all bases: indels outside of repeats, structural variants.
        total: Filled with the sum over the bases before each base, shape (n + 1,).
    """
    everywhere = single.sum(axis=1) + constant.sum()
    total[0] = 0.0
    for i in range(context.size):
        rate = everywhere[context[i]] + slip[i] + spike[i] if open_base[i] else 0.0
        total[i + 1] = total[i] + rate
