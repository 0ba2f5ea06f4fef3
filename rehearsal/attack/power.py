"""How well an attack works, and what a protection costs honest users."""

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
    """Share of members found when this share of non-members is accused.

    The threshold is the non-members' quantile; ties at it are accused at random, so that the share
    is met exactly and answers that tell nothing give a power equal to it.
    """
    wanted = false_positives * outside.size
    cut = np.sort(outside)[::-1][min(int(wanted), outside.size - 1)]
    above, ties = (outside > cut).sum(), (outside == cut).sum()
    at_random = min(max((wanted - above) / ties, 0.0), 1.0)
    return float((inside > cut).mean() + at_random * (inside == cut).mean())


def area_under_curve(inside: NDArray[np.float64], outside: NDArray[np.float64]) -> float:
    """Probability that a member scores higher than a non-member; ties count half."""
    ranked = np.sort(outside)
    below = np.searchsorted(ranked, inside, "left")
    upto = np.searchsorted(ranked, inside, "right")
    return float((below + upto).mean() / (2 * outside.size))


def measure_utility(attacker: Attacker) -> dict[str, float]:
    """What an honest user loses who asks for 1,000 random alleles of the node, one by one.

    ``refused``: share of existing alleles that are said to be absent. ``refused_common``: of those
    that 5 % of people or more carry. ``uncounted``: share of existing alleles whose count is not
    told when counts are asked for. ``frequency_error``: mean error of the share of carriers where
    one is told, NaN where none is.
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
