"""The attacked nodes are read from their files, within bounds."""

import numpy as np
import pytest

from rehearsal.attack.node_extract import Bounds, NumberLists, read_node_extracts


def test_inverted_lists_give_the_lists_of_each_item():
    lists = NumberLists.of([np.array(one, np.int32) for one in ([0, 2], [], [2], [1, 2])])
    assert [lists.inverted(4)[i].tolist() for i in range(4)] == [[0], [3], [0, 2, 3], []]


def test_nodes_are_read_with_autosomes_only_and_without_relatives_as_targets(folders):
    at, be = read_node_extracts(folders)
    assert (at.code, be.code) == ("AT", "BE")
    assert [at.carriers[v].tolist() for v in range(2)] == [[0, 1], [21]] and len(at.questions) == 2
    assert at.known.tolist() == pytest.approx([1 / 22, 0.5 / 23])
    assert at.targets.tolist() == list(range(22)) and be.targets.tolist() == list(range(2, 22))


def test_bounds_take_the_first_people_and_alleles(folders):
    (node,) = read_node_extracts(folders, Bounds(nodes=1, people=20, alleles=1))
    assert node.people == 20 and len(node.questions) == 1 and node.targets.tolist() == [*range(20)]
