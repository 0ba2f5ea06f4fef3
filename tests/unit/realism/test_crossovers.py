"""Crossovers in gametes between people of the cohort."""

from itertools import pairwise

import pytest
import tskit

from rehearsal.realism.crossovers import count_crossovers


def family_trees(switches):
    """A parent with haplotypes 0 and 1, and a child whose haplotype 2 switches between them."""
    tables = tskit.TableCollection(100)
    parent, child = (tables.individuals.add_row() for _ in range(2))
    for individual, time in ((parent, 1), (parent, 1), (child, 0), (child, 0)):
        tables.nodes.add_row(flags=tskit.NODE_IS_SAMPLE, time=time, individual=individual)
    ends = [0, *switches, 100]
    for number, (left, right) in enumerate(pairwise(ends)):
        tables.edges.add_row(left, right, number % 2, 2)
    tables.sort()
    return tables.tree_sequence()


@pytest.mark.parametrize("switches", [[], [40], [10, 60, 90]])
def test_a_crossover_is_a_change_between_the_haplotypes_of_a_parent(switches):
    assert count_crossovers(family_trees(switches)) == (len(switches), 1)


def test_gametes_of_men_on_x_are_not_counted(cohort):
    ts = cohort.trees[cohort.blocks[2].id]
    children = cohort.people["mother"].notna().sum()
    assert count_crossovers(ts)[1] == children
    assert count_crossovers(cohort.trees[cohort.blocks[0].id])[1] == 2 * children
