"""The evidence in each answer about whether the target is in the node."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaln, gammaln

from rehearsal.node.privacy.noise import answer_probabilities
from rehearsal.node.privacy.protection import Protection

_DRIFT = 0.005  # F_ST that the attacker assumes between the node and the known frequencies
_ERROR = 1e-6  # probability that two readings of a genotype differ (SB's delta)
_GRID = 400  # number of frequencies at which likelihoods are computed


@dataclass(frozen=True, slots=True)
class Evidence:
    """Log-likelihood ratios of answers, in against out, by frequency and answer.

    ``grid`` holds frequencies of carriers, ascending. ``ratio[f, a]`` is the ratio of answer a,
    where 0 means absent and i means present, or the count ``i * rounding``. ``gain[f]`` is the mean
    information of an answer in nats if the target is in the node.
    """

    grid: NDArray[np.float64]
    ratio: NDArray[np.float64]
    gain: NDArray[np.float64]

    def nearest(self, known: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the row of the grid for each frequency.

        Args:
            known: Frequencies of carriers, shape (alleles,).
        """
        return np.clip(np.searchsorted(self.grid, known), 0, self.grid.size - 1)


def compute_evidence(people: int, protection: Protection, counted: bool) -> Evidence:
    """Compute the evidence in answers about an allele that the target carries, frequencies known.

    Other people carry it like people of a population that drifted from the known one by F_ST 0.005
    (beta-binomial). Without protection this is the ratio of Raisaro et al. 2017. The target's
    genotype is wrong once in a million.

    Args:
        people: Number of people in the node.
        protection: How the node protects its answers.
        counted: Whether counts are asked for, or presence.
    """
    half = np.geomspace(1e-5, 0.5, _GRID // 2)
    grid = np.unique(np.concatenate([half, 1 - half]))
    table = answer_probabilities(people, protection, counted)
    out = _beta_binomial(people, grid) @ table
    with_target = _beta_binomial(people - 1, grid) @ table[1:]
    inside = (1 - _ERROR) * with_target + _ERROR * out
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(inside > 0, np.log(inside) - np.log(np.maximum(out, 1e-300)), 0.0)
    return Evidence(grid, ratio, (inside * ratio).sum(axis=1))


def _beta_binomial(people: int, grid: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the probability of 0 to ``people`` carriers (columns) at each frequency (rows)."""
    k = np.arange(people + 1)
    a, b = (share[:, None] * (1 / _DRIFT - 1) for share in (grid, 1 - grid))
    choose = gammaln(people + 1) - gammaln(k + 1) - gammaln(people - k + 1)
    return np.exp(choose + betaln(k + a, people - k + b) - betaln(a, b))


def presence_ratio(known: NDArray[np.float64], people: int) -> tuple[float, float]:
    """Compute SB's log-likelihood ratios of "present" and "absent" at unknown frequencies.

    Shringarpure & Bustamante 2015: the frequency of an allele that the target carries follows a
    beta distribution, fitted by moments to ``known`` frequencies of alleles. Let D(n) be the
    probability that none of n chromosomes has it. Absent has D(2N) if the target is not in the
    node, and an error of the genotype times D(2N - 2) if the target is.

    Args:
        known: Frequencies of carriers, shape (alleles,).
        people: Number of people in the node.

    Returns:
        The ratios of "present" and "absent".
    """
    frequency = 1 - np.sqrt(1 - known)  # of the allele, from that of its carriers
    weight = known / known.sum()
    mean = float(weight @ frequency)
    variance = float(weight @ (frequency - mean) ** 2)
    strength = mean * (1 - mean) / max(variance, 1e-12) - 1
    a, b = mean * strength, (1 - mean) * strength
    none = [math.exp(betaln(a, b + n) - betaln(a, b)) for n in (2 * people, 2 * people - 2)]
    there = math.log1p(-_ERROR * none[1]) - math.log1p(-none[0])
    return there, math.log(_ERROR * none[1]) - math.log(none[0])
