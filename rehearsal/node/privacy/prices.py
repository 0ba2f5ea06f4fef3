"""What an answer costs each carrier, in nats, and what so many nats are worth to an attacker."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from rehearsal.node.privacy.noise import window_probabilities
from rehearsal.node.privacy.protection import Protection

FREE = 1e-9  # nats: a million such questions tell a thousandth; they are not written down
_DRIFT = 0.01  # how far frequencies elsewhere may be from the node's people: F_ST and sampling
_FREQUENCIES = 1 / (1 + np.exp(-np.linspace(-12, 12, 241)))  # at which prices are computed


def price(frequency: float | None, people: int, protection: Protection, counted: bool) -> float:
    """Nats that an answer costs each carrier: the most it may tell if the frequency is about right.

    The highest :func:`information` within two standard deviations of drift around the frequency;
    over all frequencies when it is None.
    """
    if frequency is None:
        return _highest_price(people, protection, counted)
    return _price(int(np.abs(_FREQUENCIES - frequency).argmin()), people, protection, counted)


def prices(
    frequencies: NDArray[np.float64], people: int, protection: Protection, counted: bool
) -> NDArray[np.float64]:
    """:func:`price` of many frequencies at once."""
    middles = (_FREQUENCIES[1:] + _FREQUENCIES[:-1]) / 2
    table = np.array(
        [_price(step, people, protection, counted) for step in range(_FREQUENCIES.size)]
    )
    return table[np.searchsorted(middles, frequencies)]


@lru_cache(maxsize=1 << 14)
def _price(step: int, people: int, protection: Protection, counted: bool) -> float:
    frequency = _FREQUENCIES[step]
    spread = 2 * math.sqrt(_DRIFT * frequency * (1 - frequency))
    around = np.clip(frequency + np.linspace(-spread, spread, 5), _FREQUENCIES[0], _FREQUENCIES[-1])
    return max(information(float(one), people, protection, counted) for one in around)


@lru_cache(maxsize=256)
def _highest_price(people: int, protection: Protection, counted: bool) -> float:
    return max(_price(step, people, protection, counted) for step in range(_FREQUENCIES.size))


def information(frequency: float, people: int, protection: Protection, counted: bool) -> float:
    """Nats that one answer tells about whether one of its carriers is in the node.

    The relative entropy of the answer when the individual is in the node (1 + Binomial(people - 1,
    frequency) carriers) from the answer when not (Binomial(people, frequency)), over the noise, for
    an attacker who knows the frequency of carriers. Near 0 for alleles far from any boundary, the
    common and the very rare; highest beside the threshold. Raises ValueError for a frequency
    outside ]0, 1[.
    """
    if not 0 < frequency < 1:
        raise ValueError(f"share of carriers {frequency}: not between 0 and 1")
    reach = 12 * math.sqrt(people * frequency * (1 - frequency)) + 40
    low, high = (
        max(0, int(people * frequency - reach)),
        min(people, int(people * frequency + reach)),
    )
    carriers = np.arange(low, high + 1)
    absent = _binomial(carriers, people, frequency)
    present = _binomial(carriers - 1, people - 1, frequency)
    answers = window_probabilities(carriers, protection, counted)
    p, q = present @ answers, absent @ answers
    seen = p > 0
    terms = p[seen] * np.log(p[seen] / np.maximum(q[seen], 1e-300))
    return max(0.0, float(terms.sum()))


def _binomial(k: NDArray[np.int64], n: int, c: float) -> NDArray[np.float64]:
    """Binomial(n, c) at k, 0 outside 0..n."""
    inside = (k >= 0) & (k <= n)
    k = np.clip(k, 0, n)
    logs = _log_factorials(n)
    log_choose = logs[n] - logs[k] - logs[n - k]
    return np.where(inside, np.exp(log_choose + k * math.log(c) + (n - k) * math.log1p(-c)), 0.0)


@lru_cache(maxsize=8)
def _log_factorials(n: int) -> NDArray[np.float64]:
    return np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, n + 1)))])


def power_bound(nats: float, false_positives: float = 0.05) -> float:
    """The highest power that any test can have on answers that tell so many nats.

    Solves kl(power || false positives) = nats by bisection; kl is the relative entropy of two
    coins.
    """
    low, high = false_positives, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        rest = (1 - middle) * math.log((1 - middle) / (1 - false_positives)) if middle < 1 else 0
        enough = middle * math.log(middle / false_positives) + rest <= nats
        low, high = (middle, high) if enough else (low, middle)
    return low
