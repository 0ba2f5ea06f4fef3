"""Public facts of a node of 100 people, and node folders of two countries."""

import pytest

from rehearsal.node.privacy.public_facts import PublicFacts

from ...node_folders import write_two_countries

SECRET = bytes(range(32))


@pytest.fixture
def facts():
    return PublicFacts.of_size(100, release="r1")


@pytest.fixture
def folders(tmp_path):
    return write_two_countries(tmp_path)
