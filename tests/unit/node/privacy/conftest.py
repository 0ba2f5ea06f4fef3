"""A tier of a node of 100 people."""

from dataclasses import replace

import pytest
from pyroaring import BitMap
from rehearsal.node.privacy.budget import Budget
from rehearsal.node.privacy.protected_answers import TierProtection

from rehearsal.node.privacy.protection import PUBLIC

from ...node_folders import write_two_countries

KEY = bytes(range(32))
PEOPLE = 100
WIDE = replace(PUBLIC, user_budget=0.1, individual_budget=0.1)


def protected(protection=PUBLIC, budget=None, people=PEOPLE):
    budget = budget or Budget([str(i) for i in range(people)])
    return TierProtection(KEY, people, protection, budget)


def people(number, first=0):
    return BitMap(range(first, first + number))


@pytest.fixture
def folders(tmp_path):
    return write_two_countries(tmp_path)
