"""The success of an attack."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from rehearsal.seeds import derive_seed

RESAMPLES = 1_000
CONFIDENCE = 0.95


def power(
    inside: NDArray[np.float64], outside: NDArray[np.float64], false_positives: float
) -> float:
    """Compute the share of members found when a given share of non-members is accused.

    The threshold is the non-members' quantile. Ties are accused at random, so that the share is met
    exactly and answers without information give a power equal to it.

    Args:
        inside: Scores of members, in an array of any shape.
        outside: Scores of non-members, too.
        false_positives: Share of non-members that are accused.

    Returns:
        The power.
    """
    wanted = false_positives * outside.size
    cut = np.sort(outside, axis=None)[::-1][min(int(wanted), outside.size - 1)]
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
    ranked = np.sort(outside, axis=None)
    below = np.searchsorted(ranked, inside, "left")
    upto = np.searchsorted(ranked, inside, "right")
    return float((below + upto).mean() / (2 * outside.size))


def upper_bound(
    inside: NDArray[np.float64],
    outside: NDArray[np.float64],
    false_positives: float,
    seed: int,
) -> float:
    """Compute an upper bound of the power: the 95th percentile of a bootstrap over targets.

    A target is drawn with all its scores. The threshold is estimated again from the non-members of
    each sample, so that its uncertainty is part of the bound.

    Args:
        inside: Scores of members, shape (targets, draws of noise).
        outside: Scores of the same targets as non-members.
        false_positives: Share of non-members that are accused.
        seed: Seed of the samples, which are the same for every attack on so many targets.

    Returns:
        The bound.
    """
    number, draws = inside.shape
    drawn = _samples(number, seed)
    wanted = false_positives * number * draws
    # thresholds of samples differ little, so the highest scores mostly suffice
    for share in (3 * false_positives, 1.0):
        cuts, wrong = _wrongly_accused(outside, drawn, share)
        if (wrong[:, -1] > wanted).all():
            break
    # the first point of each sample's ROC curve beyond the wanted share, and the line up to it
    beyond = np.argmax(wrong[:, 1:] > wanted, axis=1)
    rows = np.arange(RESAMPLES)
    w0, w1 = wrong[rows, beyond], wrong[rows, beyond + 1]
    f0, f1 = (one[rows, beyond] for one in _found(inside, drawn, cuts))
    powers = f0 + (f1 - f0) * (wanted - w0) / (w1 - w0)
    return float(np.quantile(powers / (number * draws), CONFIDENCE))


@lru_cache(maxsize=4)
def _samples(number: int, seed: int) -> NDArray[np.int32]:
    """Draw how often each target is in each sample."""
    random = np.random.default_rng(derive_seed(seed, "bootstrap"))
    drawn = random.integers(number, size=(RESAMPLES, number))
    drawn += np.arange(RESAMPLES)[:, None] * number
    found = np.bincount(drawn.ravel(), minlength=RESAMPLES * number)
    return found.reshape(RESAMPLES, number).astype(np.int32)


def _wrongly_accused(
    outside: NDArray[np.float64], drawn: NDArray[np.int32], share: float
) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Count the accused non-members of each sample.

    Returns:
        The highest scores, down to the one that a share of all reaches; and how many are accused
        from each, after a column of zeros.
    """
    scores = -outside.ravel()
    order = np.argsort(scores, kind="stable")
    least = scores[order[math.ceil(share * scores.size) - 1]]
    order = order[: np.searchsorted(scores[order], least, "right")]
    cuts = np.unique(scores[order])
    upto = np.searchsorted(scores[order], cuts, "right")
    return -cuts, _summed(drawn, order // outside.shape[1])[:, np.concatenate([[0], upto])]


def _found(
    inside: NDArray[np.float64], drawn: NDArray[np.int32], cuts: NDArray[np.float64]
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Count the members of each sample with scores above each cut, and from it."""
    scores = -inside.ravel()
    order = np.argsort(scores, kind="stable")
    above, upto = (np.searchsorted(scores[order], -cuts, side) for side in ("left", "right"))
    summed = _summed(drawn, order[: upto[-1]] // inside.shape[1])
    return summed[:, above], summed[:, upto]


def _summed(drawn: NDArray[np.int32], targets: NDArray[np.int32]) -> NDArray[np.int32]:
    """Count how often the first 0, 1, 2, ... of some targets were drawn in each sample."""
    summed = np.zeros((RESAMPLES, len(targets) + 1), np.int32)
    np.cumsum(drawn[:, targets], axis=1, out=summed[:, 1:])
    return summed
