"""The replay gives an attacker the same answers as the node itself."""

import numpy as np
import pytest
from pyroaring import BitMap
from rehearsal.node.privacy.budget import Budget
from rehearsal.node.privacy.noise import draw_noise
from rehearsal.node.privacy.protected_answers import TierProtection, protect_boolean, protect_count

from rehearsal.attack.replayed_answers import AnswerPrices, replay_answers
from rehearsal.node.privacy.protection import PUBLIC, UNPROTECTED, Protection

from .conftest import made_up_node

KEY = bytes(32)


@pytest.mark.parametrize("counted", [False, True])
@pytest.mark.parametrize("left_out", [-1, 3])
@pytest.mark.parametrize(
    "protection",
    [PUBLIC, UNPROTECTED, Protection(5, 5, 1, 0.1, 0.3), Protection(10, 10, 9, 0.02, 0.02)],
)
def test_the_replay_gives_the_answers_of_the_node(protection, left_out, counted):
    node = made_up_node(people=60, alleles=600)
    asked = np.random.default_rng(5).permutation(len(node.questions))[:200]
    drawn = np.array([draw_noise(KEY, question, protection) for question in node.questions])
    price = AnswerPrices.of(node, protection)
    told = replay_answers(node, asked, left_out, counted, protection, price, drawn)
    guard = TierProtection(
        KEY, node.people, protection, Budget([str(i) for i in range(node.people)])
    )
    for i, v in enumerate(asked):
        carriers = BitMap(node.carriers[v]) - BitMap([left_out] if left_out >= 0 else [])
        question, share = node.questions[v], float(node.known[v])
        if counted:
            answer = protect_count(guard, "u", question, carriers, share)
            assert told.exists[i] == answer.exists
            assert told.count[i] == (-1 if answer.count is None else answer.count)
        else:
            assert told.exists[i] == protect_boolean(guard, "u", question, carriers, share)
