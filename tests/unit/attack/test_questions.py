"""What an attack takes for the numbers of matching people is what the node itself counts."""

from dataclasses import replace

import numpy as np
import pytest
from pyroaring import BitMap

from rehearsal.attack.attacks import ATTACKS, aim_at, secrets_of
from rehearsal.attack.earlier_rules import Rows
from rehearsal.node.beacon.answers import answer

MEMBERSHIP = ATTACKS["membership"]


def counted_by_the_node(node, question, people):
    permitting = node.permitting(question.rights.purpose)
    dataset = node.data.settings.people_dataset
    rights = replace(
        question.rights,
        tiers={dataset: "controlled", node.data.settings.frequencies_dataset: "controlled"},
        finest={dataset: "count"},
        permitted=BitMap(np.flatnonzero(permitting & people)),
    )
    return answer(replace(question, rights=rights, granularity="count"), node.data).count


@pytest.mark.parametrize("attack", MEMBERSHIP[:9], ids=lambda one: one.name)
def test_both_nodes_of_a_pair_count_what_the_attack_expects(node, attack):
    secret = secrets_of(node, "membership", 7)[5]
    questions = attack.build(aim_at(secret, 7))
    inside, outside = secret.groups(np.ones(node.people, bool))
    for place in range(0, len(questions), max(1, len(questions) // 5)):
        question = questions.beacon(place)
        numbers = [counted_by_the_node(node, question, one) for one in (inside, outside)]
        assert numbers == [questions.inside[place], questions.outside[place]]


def test_a_diagnosis_makes_a_difference_of_one_person(node):
    for secret in secrets_of(node, "diagnosis", 7)[:5]:
        for attack in ATTACKS["diagnosis"]:
            questions = attack.build(aim_at(secret, 7))
            difference = questions.inside - questions.outside
            assert set(difference.tolist()) <= {0, 1}
            assert (difference == questions.matches).all() or attack.special == "form"


def test_bisecting_the_form_finds_whether_a_variant_is_there(node):
    last = len(node.places) - 1
    contig, start = node.places[last][:2]
    for carried in (True, False):
        rows = np.ones(len(node.places), int)
        rows[last] = carried
        found = Rows(node, [0, *np.cumsum(rows).tolist()])
        assert found.is_present(contig, start) is carried
        assert found.asked <= 22
    assert Rows(node, [0] * (len(node.places) + 1)).is_present(contig, start) is None
