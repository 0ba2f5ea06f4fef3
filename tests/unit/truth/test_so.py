"""The truth's own copy of the Sequence Ontology."""

import pytest

from rehearsal.genomes.consequence_terms import TERMS
from rehearsal.node.beacon.effects_above import effects_below
from rehearsal.truth import so

MISSENSE, FRAMESHIFT, SYNONYMOUS, INTRON = "SO:0001583", "SO:0001589", "SO:0001819", "SO:0001627"


@pytest.mark.parametrize(
    ("term", "inside", "outside"),
    [
        ("SO:0001818", {MISSENSE, FRAMESHIFT}, {SYNONYMOUS, INTRON}),  # protein-altering
        ("SO:0001580", {MISSENSE, FRAMESHIFT, SYNONYMOUS}, {INTRON}),  # coding sequence
        (MISSENSE, {MISSENSE}, {FRAMESHIFT}),
    ],
)
def test_a_term_means_all_more_specific_ones(term, inside, outside):
    below = so.at_or_below(term)
    assert inside <= below
    assert not outside & below


def test_nodes_and_the_truth_find_the_same_effects_by_separate_copies():
    effects = {one.accession for one in TERMS}
    edges = set(so._edges()["object"])
    assert edges
    for term in effects | edges:
        assert effects_below(term) == so.at_or_below(term) & effects
