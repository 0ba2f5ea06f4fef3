"""De novo mutations of children, on a trio whose mutations are written by hand."""

import pandas as pd
import tskit

from rehearsal.model import Block
from rehearsal.truth.de_novo import list_de_novo

PEOPLE = pd.DataFrame({"id": ["mother", "father", "child"], "country": "FI"})


def trio(path):
    """The child has the mother's first and the father's second haplotype."""
    tables = tskit.TableCollection(1000)
    for parents in ([], [], [1, 0]):
        tables.individuals.add_row(parents=parents)
    for person, time in ((0, 1), (0, 1), (1, 1), (1, 1), (2, 0), (2, 0)):
        tables.nodes.add_row(flags=tskit.NODE_IS_SAMPLE, time=time, individual=person)
    root = tables.nodes.add_row(time=50)
    for child in range(4):
        tables.edges.add_row(0, 1000, root, child)
    tables.edges.add_row(0, 1000, 0, 4)
    tables.edges.add_row(0, 1000, 3, 5)
    for position, ref, mutations in (
        (100, "A", [(4, "G")]),  # of the mother's haplotype
        (200, "C", [(5, "CTT")]),  # of the father's
        (300, "G", [(0, "T")]),  # inherited
        (400, "T", [(0, "C"), (4, "T")]),  # mutated back to the reference
        (500, "AGG", [(2, "AG"), (5, "A")]),  # beside an allele of the father's other haplotype
    ):
        site = tables.sites.add_row(position, ref)
        for node, state in mutations:
            tables.mutations.add_row(site, node, state, time=tskit.UNKNOWN_TIME)
    tables.sort()
    tables.build_index()
    tables.compute_mutation_parents()
    tables.tree_sequence().dump(path)
    return {Block("chr22", 0, 1000): path}


def test_what_arose_between_parent_and_child_is_listed_once(tmp_path):
    found = list_de_novo(trio(tmp_path / "trio.trees"), PEOPLE)
    assert found.values.tolist() == [
        ["child", "chr22", 100, "A", "G", "mother"],
        ["child", "chr22", 200, "C", "CTT", "father"],
        ["child", "chr22", 500, "AGG", "A", "father"],
    ]


def test_people_without_parents_have_none(tmp_path):
    trees = trio(tmp_path / "trio.trees")
    ts = tskit.load(next(iter(trees.values())))
    ts.simplify([0, 1, 2, 3]).dump(tmp_path / "couple.trees")
    found = list_de_novo({Block("chr22", 0, 1000): tmp_path / "couple.trees"}, PEOPLE)
    assert found.empty and list(found) == ["individual", "contig", "start", "ref", "alt", "parent"]
