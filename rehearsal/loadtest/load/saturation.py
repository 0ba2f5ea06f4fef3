"""Saturation: the highest rate at which a network still meets its objective."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt

IN_TIME_SHARE = 0.95  # of queries, answered within the deadline (QS-02)
P99_LIMIT_S = 1.0
PRECISION = 1.1  # the search ends when the missed rate is at most so many times the held one


@dataclass(frozen=True, slots=True)
class Saturation:
    """``held_per_s``: the highest rate that met the objective; None: none did.
    ``missed_per_s``: the lowest that did not; None: all did, so saturation lies higher."""

    held_per_s: float | None
    missed_per_s: float | None


def find_saturation(
    holds: Callable[[float], bool],
    first_per_s: float,
    highest_per_s: float,
    factor: float = 2.0,
    tries: int = 1,
    precision: float = PRECISION,
) -> Saturation:
    """Ramp up by ``factor`` until a rate misses the objective, then halve the gap, geometrically.

    ``holds`` measures one rate. A rate counts as missed when ``tries`` measurements in a row have
    missed, so that a machine that stumbles once does not decide. Raises ValueError for a ramp that
    cannot rise.
    """
    if not (0 < first_per_s <= highest_per_s and factor > 1 and precision > 1 and tries >= 1):
        raise ValueError("a ramp rises from a first rate above 0 to a highest, by a factor above 1")

    def met(rate: float) -> bool:
        return any(holds(rate) for _ in range(tries))

    ramped = _ramp_up(met, first_per_s, highest_per_s, factor)
    if ramped.held_per_s is None or ramped.missed_per_s is None:
        return ramped
    return _narrow(met, ramped.held_per_s, ramped.missed_per_s, precision)


def _ramp_up(
    met: Callable[[float], bool], first_per_s: float, highest_per_s: float, factor: float
) -> Saturation:
    """Rates that rise by ``factor``, the highest among them, until one is missed."""
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
