"""A node of independent alleles and the attack on it; node folders of two countries."""

import numpy as np
import pytest
from rehearsal.node.privacy.question_keys import question_key

from rehearsal.attack.membership_table import membership_table, protection_ladder
from rehearsal.attack.node_extract import NodeExtract, NumberLists

from ..node_folders import write_two_countries


def made_up_node(people=100, alleles=12_000, targets=60, seed=1):
    """Independent alleles, with the frequencies that neutral drift leaves."""
    random = np.random.default_rng(seed)
    frequency = 5e-4 * (0.5 / 5e-4) ** random.random(alleles)
    share = 1 - (1 - frequency) ** 2
    holds = random.random((people, alleles)) < share
    held = np.flatnonzero(holds.any(axis=0))
    carriers = NumberLists.of([np.flatnonzero(holds[:, v]).astype(np.int32) for v in held])
    return NodeExtract(
        code="AT",
        people=people,
        questions=[question_key(f"chr1-{v}-A-T") for v in held],
        carriers=carriers,
        alleles=carriers.inverted(people),
        known=share[held],
        targets=np.arange(targets),
    )


@pytest.fixture(scope="module")
def node():
    return made_up_node()


@pytest.fixture(scope="module")
def table(node):
    return membership_table([node], protection_ladder(), seed=7)


@pytest.fixture
def folders(tmp_path):
    return write_two_countries(tmp_path)
