"""The success of an attack."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 1_000
CONFIDENCE = 0.95


def power(
    inside: NDArray[np.float64], outside: NDArray[np.float64], false_positives: float
) -> float:
    """Compute the share of members found when a given share of non-members is accused.

    The threshold is the non-members' quantile. Ties are accused at random, so that the share is met
    exactly and answers without information give a power equal to it.

    Args:
        inside: Scores of members.
        outside: Scores of non-members.
        false_positives: Share of non-members that are accused.

    Returns:
        The power.
    """
    wanted = false_positives * outside.size
    cut = np.sort(outside)[::-1][min(int(wanted), outside.size - 1)]
    above, ties = (outside > cut).sum(), (outside == cut).sum()
    at_random = min(max((wanted - above) / ties, 0.0), 1.0)
    return float((inside > cut).mean() + at_random * (inside == cut).mean())


def area_under_curve(inside: NDArray[np.float64], outside: NDArray[np.float64]) -> float:
    """Compute the probability that a member scores higher than a non-member; ties count half.

    Args:
        inside: Scores of members.
        outside: Scores of non-members.

    Returns:
        The area.
    """
    ranked = np.sort(outside)
    below = np.searchsorted(ranked, inside, "left")
    upto = np.searchsorted(ranked, inside, "right")
    return float((below + upto).mean() / (2 * outside.size))


def upper_bound(
    inside: NDArray[np.float64],
    outside: NDArray[np.float64],
    false_positives: float,
    random: np.random.Generator,
) -> float:
    """Compute an upper bound of the power: the 95th percentile of a bootstrap over targets.

    A target is drawn with its two scores. The threshold is estimated again from the non-members of
    each sample, so that its uncertainty is part of the bound.

    Args:
        inside: Scores of members.
        outside: Scores of the same targets as non-members.
        false_positives: Share of non-members that are accused.
        random: Source of the samples.

    Returns:
        The bound.
    """
    number = inside.size
    drawn = random.multinomial(number, np.full(number, 1 / number), size=RESAMPLES)
    scores, places = np.unique(-np.concatenate([inside, outside]), return_inverse=True)
    accused = []
    for part in (places[:number], places[number:]):
        order = np.argsort(part, kind="stable")
        ordered = np.concatenate([np.zeros((RESAMPLES, 1)), np.cumsum(drawn[:, order], 1)], 1)
        upto = np.searchsorted(part[order], np.arange(scores.size), "right")
        accused.append(ordered[:, np.concatenate([[0], upto])] / number)
    found, wrong = accused
    # the first point of each sample's ROC curve beyond the wanted share, and the line up to it
    beyond = np.argmax(wrong > false_positives, axis=1)
    rows = np.arange(RESAMPLES)
    w0, w1, f0, f1 = (one[rows, beyond + step] for one in (wrong, found) for step in (-1, 0))
    powers = f0 + (f1 - f0) * (false_positives - w0) / (w1 - w0)
    return float(np.quantile(powers, CONFIDENCE))
