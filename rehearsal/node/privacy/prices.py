"""The price of an answer per carrier, in nats, and the power that nats give an attacker."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from rehearsal.errors import mismatch, shown
from rehearsal.node.privacy.noise import window_probabilities
from rehearsal.node.privacy.protection import Protection

FREE = 1e-9  # nats; a million such questions give 0.001 nats, so they are not stored
_DRIFT = 0.01  # difference of the node's frequencies from those elsewhere: F_ST and sampling
_FREQUENCIES = 1 / (1 + np.exp(-np.linspace(-12, 12, 241)))  # grid of precomputed prices


def price(frequency: float | None, people: int, protection: Protection, counted: bool) -> float:
    """Compute the price of an answer per carrier.

    The price is the highest :func:`information` within two standard deviations of drift around the
    frequency.

    Args:
        frequency: Share of carriers elsewhere. None takes the maximum over all frequencies.
        people: Number of people queried.
        protection: Threshold, rounding and noise.
        counted: Whether the answer is a count rather than yes or no.

    Returns:
        Nats.
    """
    if frequency is None:
        return _highest_price(people, protection, counted)
    return _price(int(np.abs(_FREQUENCIES - frequency).argmin()), people, protection, counted)


def prices(
    frequencies: NDArray[np.float64], people: int, protection: Protection, counted: bool
) -> NDArray[np.float64]:
    """Compute :func:`price` for many frequencies.

    Args:
        frequencies: Shares of carriers elsewhere, shape (n,).
        people: Number of people queried.
        protection: Threshold, rounding and noise.
        counted: Whether the answers are counts rather than yes or no.

    Returns:
        Nats, shape (n,), float64.
    """
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
    """Compute how much one answer reveals about whether one carrier is in the node.

    This is the relative entropy of the answer when the individual is in the node (1 +
    Binomial(people - 1, frequency) carriers) from the answer when not (Binomial(people,
    frequency)), over the noise, for an attacker who knows the frequency of carriers. It is near 0
    for alleles far from any boundary, the common and the very rare, and highest beside the
    threshold.

    Args:
        frequency: Share of carriers, between 0 and 1 exclusive.
        people: Number of people queried.
        protection: Threshold, rounding and noise.
        counted: Whether the answer is a count rather than yes or no.

    Returns:
        Nats.

    Raises:
        ValueError: The frequency is not between 0 and 1.
    """
    if not 0 < frequency < 1:
        raise ValueError(
            mismatch("frequency", "a share of carriers above 0 and below 1", shown(frequency))
        )
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
    """Compute the Binomial(n, c) probabilities at k, which are 0 outside 0..n."""
    inside = (k >= 0) & (k <= n)
    k = np.clip(k, 0, n)
    logs = _log_factorials(n)
    log_choose = logs[n] - logs[k] - logs[n - k]
    return np.where(inside, np.exp(log_choose + k * math.log(c) + (n - k) * math.log1p(-c)), 0.0)


@lru_cache(maxsize=8)
def _log_factorials(n: int) -> NDArray[np.float64]:
    return np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, n + 1)))])


def power_bound(nats: float, false_positives: float = 0.05) -> float:
    """Compute the highest power of any test on answers that reveal a number of nats.

    Solves kl(power || false positives) = nats by bisection, where kl is the relative entropy of two
    Bernoulli distributions.

    Args:
        nats: What the answers reveal.
        false_positives: False positive rate of the test.

    Returns:
        The power, between the false positive rate and 1.
    """
    low, high = false_positives, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        rest = (1 - middle) * math.log((1 - middle) / (1 - false_positives)) if middle < 1 else 0
        enough = middle * math.log(middle / false_positives) + rest <= nats
        low, high = (middle, high) if enough else (low, middle)
    return low
