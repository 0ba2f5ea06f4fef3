"""Saturation: the highest rate at which a network still meets its objective."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt

from rehearsal.errors import mismatch

IN_TIME_SHARE = 0.95  # share of queries answered within the deadline (QS-02)
P99_LIMIT_S = 1.0
PRECISION = 1.1  # the search ends when missed rate / held rate is at most this


@dataclass(frozen=True, slots=True)
class Saturation:
    """The rates around saturation, in queries per second."""

    held_per_s: float | None  # highest rate that met the objective; None: none did
    missed_per_s: float | None  # lowest rate that missed it; None: none did, saturation is higher


def find_saturation(
    holds: Callable[[float], bool],
    first_per_s: float,
    highest_per_s: float,
    factor: float = 2.0,
    tries: int = 1,
    precision: float = PRECISION,
) -> Saturation:
    """Find saturation: raise the rate until one misses, then narrow the gap by geometric means.

    A rate counts as missed when several measurements in a row miss the objective, so that one
    disturbance of the machine does not decide.

    Args:
        holds: Measures a rate, and tells whether it met the objective.
        first_per_s: The first rate, in queries per second.
        highest_per_s: The highest rate of the ramp.
        factor: Ratio of two successive rates of the ramp.
        tries: How many measurements in a row must miss.
        precision: The search ends when missed rate / held rate is at most this.

    Returns:
        The rates around saturation.

    Raises:
        ValueError: The ramp cannot rise.
    """
    if not (0 < first_per_s <= highest_per_s and factor > 1 and precision > 1 and tries >= 1):
        expected = "0 < first rate <= highest rate, factor and precision above 1, at least 1 try"
        found = f"{first_per_s:g}, {highest_per_s:g}, {factor:g}, {precision:g}, {tries}"
        raise ValueError(mismatch("ramp", expected, found))

    def met(rate: float) -> bool:
        return any(holds(rate) for _ in range(tries))

    ramped = _ramp_up(met, first_per_s, highest_per_s, factor)
    if ramped.held_per_s is None or ramped.missed_per_s is None:
        return ramped
    return _narrow(met, ramped.held_per_s, ramped.missed_per_s, precision)


def _ramp_up(
    met: Callable[[float], bool], first_per_s: float, highest_per_s: float, factor: float
) -> Saturation:
    """Measure rates that rise by ``factor``, up to the highest, until one is missed."""
    held, rate = None, first_per_s
    while rate <= highest_per_s:
        if not met(rate):
            return Saturation(held, rate)
        held = rate
        rate = highest_per_s if rate < highest_per_s < rate * factor else rate * factor
    return Saturation(held, None)


def _narrow(
    met: Callable[[float], bool], held: float, missed: float, precision: float
) -> Saturation:
    while missed > held * precision:
        rate = sqrt(held * missed)
        if met(rate):
            held = rate
        else:
            missed = rate
    return Saturation(held, missed)
