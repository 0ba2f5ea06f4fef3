"""The evidence in a node's answers for an attacker."""

import math

import numpy as np
import pytest

from rehearsal.attack.evidence import compute_evidence, presence_ratio
from rehearsal.node.privacy.protection import UNPROTECTED, Protection


def test_without_protection_the_evidence_is_that_of_raisaro():
    known = compute_evidence(100, UNPROTECTED, counted=False)
    row = int(np.searchsorted(known.grid, 0.003))
    no_carrier = (1 - known.grid[row]) ** 100
    absent, present = known.ratio[row]
    assert present == pytest.approx(-math.log(1 - no_carrier), rel=0.3)
    assert absent < math.log(2e-6), "only an error of the genotype explains this answer"


def test_the_gain_moves_to_the_threshold():
    shares = np.array([0.001, 0.1, 0.7])
    plain, hidden = (
        compute_evidence(100, rules, False) for rules in (UNPROTECTED, Protection(10, 1, 0))
    )
    assert plain.gain[plain.nearest(shares)].argmax() == 0
    assert hidden.gain[hidden.nearest(shares)].argmax() == 1


def test_evidence_with_unknown_frequencies_speaks_for_yes_and_against_no():
    there, absent = presence_ratio(np.geomspace(0.001, 0.9, 500), 100)
    assert there > 0 > absent
