"""The success of an attack, and the cost of a protection for honest users."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from rehearsal.attack.attacker import COMMON, QUERIES, Attacker
from rehearsal.attack.replayed_answers import replay_answers
from rehearsal.seeds import derive_seed


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
    """
    ranked = np.sort(outside)
    below = np.searchsorted(ranked, inside, "left")
    upto = np.searchsorted(ranked, inside, "right")
    return float((below + upto).mean() / (2 * outside.size))


def measure_utility(attacker: Attacker) -> dict[str, float]:
    """Measure the loss of an honest user who asks for 1,000 random alleles of the node, one by one.

    Args:
        attacker: An attacker of the node.

    Returns:
        ``refused``: share of existing alleles reported as absent. ``refused_common``: the same
        among alleles that at least 5 % of people carry. ``uncounted``: share of existing alleles
        whose count is not given when counts are asked for. ``frequency_error``: mean error of the
        share of carriers where it is given, otherwise NaN.
    """
    node, protection = attacker.node, attacker.protection
    random = np.random.default_rng(derive_seed(attacker.seed, node.code, "utility"))
    asked = random.permutation(len(node.questions))[: QUERIES[-1]]
    share = np.diff(node.carriers.start)[asked] / node.people
    plain, counted = (
        replay_answers(node, asked, -1, wanted, protection, attacker.price, attacker.drawn)
        for wanted in (False, True)
    )
    told = counted.count > 0
    error = np.abs(counted.count[told] / node.people - share[told])
    common = share >= COMMON[0]
    return {
        "refused": float((~plain.exists).mean()),
        "refused_common": float((~plain.exists[common]).mean()) if common.any() else math.nan,
        "uncounted": float((~told).mean()),
        "frequency_error": float(error.mean()) if told.any() else math.nan,
    }
