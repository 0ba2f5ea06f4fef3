"""Matches share a gene or variant and are ranked; answers contain shared facts only."""

import json
import random
import warnings

import pytest
from pyroaring import BitMap, FrozenBitMap

from rehearsal.genomes.assembly import CONTIG_LENGTHS
from rehearsal.model import Variant
from rehearsal.node.matchmaker.index import FILE_NAME, MatchmakerIndex
from rehearsal.node.matchmaker.ranking import Ranking
from rehearsal.node.matchmaker.request import MatchRequest
from rehearsal.stores.node_reference import ReferenceBases
from rehearsal.stores.variant_store import AlleleEffect

from ..conftest import NAMES
from .conftest import DELAY, FEATURES, HYPOSERINEMIA, MARTIN, MICROCEPHALY, SEIZURE, patient


def test_matches_are_sorted_by_score_then_shared_variant(node, clinician):
    status, body, _ = node.post(patient(), clinician)
    assert status == 200
    first, *others = body["results"]
    assert first["patient"]["genomicFeatures"] == [
        {
            "gene": {"id": "PHGDH"},
            "variant": {
                "assembly": "GRCh38",
                "referenceName": "17",
                "start": 50_000_000,
                "end": 50_000_001,
                "referenceBases": "G",
                "alternateBases": "C",
            },
            "zygosity": 2,
        }
    ]
    assert [one["patient"]["genomicFeatures"] for one in others] == [
        [{"gene": {"id": "PHGDH"}}]
    ] * 2
    scores = [one["score"]["patient"] for one in body["results"]]
    assert scores == sorted(scores, reverse=True)
    assert all(0.1 <= score <= 1 for score in scores)


def test_answers_contain_only_the_most_specific_shared_terms(node, clinician):
    """The match has primary microcephaly, which is more than the caller may know."""
    _, body, _ = node.post(patient(), clinician)
    (first, *_) = body["results"]
    assert {one["id"] for one in first["patient"]["features"]} == {
        MICROCEPHALY,
        DELAY,
        SEIZURE,
        HYPOSERINEMIA,
    }
    assert set(first) == {"score", "patient"}
    assert set(first["patient"]) == {"id", "contact", "features", "genomicFeatures"}
    text = json.dumps(body)
    assert not any(name in text for name in NAMES)


def content(ontology, terms):
    return sum(ontology.phenotypes()[one].content for one in terms)


def closure(ontology, terms):
    return {one for term in terms for one in (term, *ontology.phenotypes()[term].ancestors)}


def test_the_score_is_graph_information_content(node, clinician, ontology):
    mine = closure(ontology, MARTIN)
    theirs = closure(ontology, FEATURES[11])
    _, body, _ = node.post(patient(), clinician)
    expected = content(ontology, mine & theirs) / content(ontology, mine | theirs)
    assert body["results"][0]["score"]["patient"] == pytest.approx(expected, abs=1e-5)


def test_excluded_terms_lower_the_score_in_both_directions(node, clinician, ontology):
    """4 and 7 have the same terms, but seizures were excluded in 7."""
    _, body, _ = node.post(patient(), clinician)
    _, four, seven = (one["score"]["patient"] for one in body["results"])
    mine, theirs = closure(ontology, MARTIN), closure(ontology, FEATURES[7])
    against = [one for one in mine if one in closure(ontology, [SEIZURE])]
    against = [one for one in against if SEIZURE in closure(ontology, [one])]
    both, either = content(ontology, mine & theirs), content(ontology, mine | theirs)
    assert four == pytest.approx(both / either, abs=1e-5)
    assert seven == pytest.approx((both - content(ontology, against)) / either, abs=1e-5)
    _, body, _ = node.post(patient(FEATURES[7], absent=[SEIZURE]), clinician)
    by_score = [one["score"]["patient"] for one in body["results"]]
    mine, theirs = closure(ontology, FEATURES[7]), closure(ontology, FEATURES[11])
    both, either = content(ontology, mine & theirs), content(ontology, mine | theirs)
    against = content(ontology, [one for one in theirs if SEIZURE in closure(ontology, [one])])
    assert by_score == [1.0, 1.0, pytest.approx((both - against) / either, abs=1e-5)]


def test_without_a_shared_gene_there_are_no_matches(node, clinician):
    status, body, _ = node.post(patient(genes=["PSAT1"], variants=()), clinician)
    assert (status, body["results"]) == (200, [])


def test_carriers_of_rare_variants_share_the_gene_of_the_nodes_table(node, clinician, facts):
    """BRCA1 is not a recorded candidate of anybody, but all of its variants are rare here."""
    status, body, _ = node.post(patient(genes=["BRCA1"], variants=()), clinician)
    assert status == 200
    carriers = set()
    for (contig, start, *_), copies in facts.genotypes.items():
        if contig == "chr17" and start < 43_125_364:
            assert len(copies) <= 5
            carriers |= copies.keys()
    alike = {number for number in (4, 5, 7, 11) if number in carriers}
    assert body["results"][0]["score"]["patient"] == 1.0  # number 5
    assert len(body["results"]) == len(alike) == 3


def test_an_exact_rare_variant_is_enough_and_a_common_one_is_not(node, clinician, facts):
    rare = ("chr17", 43_057_061, "T", "TG")  # 5 alone
    _, body, _ = node.post(patient(genes=(), variants=[rare]), clinician)
    (one,) = body["results"]
    assert one["patient"]["genomicFeatures"][0]["zygosity"] == 1
    common = max(facts.genotypes, key=lambda allele: len(facts.genotypes[allele]))
    assert {4, 5, 7} & facts.genotypes[common].keys()
    assert node.post(patient(genes=(), variants=[common]), clinician)[1]["results"] == []


@pytest.mark.parametrize("seed", range(20))
def test_nobody_who_is_excluded_decides_what_is_rare(node, facts, seed):
    """A variant is rare by the carriers who permit the use: at most five, at so few people."""
    excluded = set(random.Random(seed).sample(range(len(NAMES)), seed % 10))
    index = MatchmakerIndex.open(node.log.parent / FILE_NAME, len(NAMES))
    ranking = Ranking(node.node_data.variants, node.node_data.genes, index)
    for allele, copies in facts.genotypes.items():
        permitting = copies.keys() - excluded
        expected = permitting if len(permitting) <= 5 else set()
        found, twice = ranking._with_variant(Variant(*allele), FrozenBitMap(excluded))
        assert set(found) == expected
        assert set(twice) == {person for person in expected if copies[person] == 2}


BRCA1_DUP = ("chr17", 43_057_061, "T", "TG")  # 5 alone
# what rare alleles change, as a store with a gene model knows it
CHANGED = {
    ("chr17", 43_044_300, "A", "G"): ("BRCA1", "SO:0001583"),  # missense: 0, 1, 2, 3
    ("chr17", 43_050_000, "C", "T"): ("BRCA1", "SO:0001587"),  # stop gained: 0, 5, 9
    ("chr17", 43_050_000, "C", "CA"): ("BRCA1", "SO:0001627"),  # intron: 8
    ("chr17", 43_124_026, "ACT", "A"): ("NBR2", "SO:0001589"),  # frameshift of another gene: 4, 7
}


@pytest.fixture
def ranked(node, monkeypatch):
    """Score by number of the person, for genes and variants alone."""

    def effects(row):
        known = CHANGED.get((row.contig, row.start, row.ref, row.alt))
        return [] if known is None else [AlleleEffect(known[0], "T", known[1], "", "", "")]

    index = MatchmakerIndex.open(node.log.parent / FILE_NAME, len(NAMES))
    monkeypatch.setattr(node.node_data.variants, "effects", effects)
    ranking = Ranking(node.node_data.variants, node.node_data._gene_names, index)

    def scores(genes=(), variants=()):
        request = MatchRequest("martin", (), (), genes, variants, None, {}, ())
        return {one.person: one.score for one in ranking.matches(request, BitMap(), 50)}

    return scores


def test_a_gene_alone_is_scored_by_what_the_rare_variants_change(ranked):
    """As Exomiser weighs effects; what changes nothing known is a poor match."""
    assert ranked(("BRCA1",)) == {
        **dict.fromkeys((0, 5, 9), 1.0),
        **dict.fromkeys((1, 2, 3), 0.6),
        **dict.fromkeys((4, 7, 8), 0.1),
    }


def test_a_candidate_on_record_and_the_very_variant_are_the_best_matches(ranked):
    assert ranked(("PHGDH",)) == dict.fromkeys((1, 3, 4, 6, 7), 1.0)
    scores = ranked(("BRCA1",), (Variant(*BRCA1_DUP),))
    assert scores[5] == 1.0  # has the variant, and so the gene
    assert scores[0] == 0.5
    assert scores[8] == 0.05


@pytest.mark.parametrize("known", ["T", "N"])
def test_a_variant_with_other_bases_than_the_reference_is_nobodys_and_gets_a_note(node, known):
    """It was found as the insertion of G behind any base."""
    reference = ReferenceBases(lambda block: known * block.length, CONTIG_LENGTHS)
    index = MatchmakerIndex.open(node.log.parent / FILE_NAME, len(NAMES))
    ranking = Ranking(node.node_data.variants, node.node_data._gene_names, index, reference)
    right, wrong = (Variant(*BRCA1_DUP[:2], ref, f"{ref}G") for ref in "TA")
    for variant, contradicts in ((right, False), (wrong, known == "T")):
        request = MatchRequest("martin", (), (), (), (variant,), None, {}, ())
        found = [one.person for one in ranking.matches(request, BitMap(), 50)]
        assert found == ([] if contradicts else [5])
        notes = ranking.notes(request)
        assert len(notes) == contradicts
        assert not contradicts or "expected 'T', which the reference has" in notes[0]


@pytest.mark.parametrize("start", [43_049_998, 43_050_000])
@pytest.mark.parametrize("behind", ["", "GT"])
def test_a_variant_is_the_same_with_bases_that_it_need_not_state(node, start, behind):
    """chr17:43050001 C>T (1-based), with bases before it and behind it."""
    index = MatchmakerIndex.open(node.log.parent / FILE_NAME, len(NAMES))
    ranking = Ranking(node.node_data.variants, node.node_data._gene_names, index)
    before = "GA"[: 43_050_000 - start]
    variant = Variant("chr17", start, f"{before}C{behind}", f"{before}T{behind}")
    request = MatchRequest("martin", (), (), ("BRCA1",), (variant,), None, {}, ())
    best = [one for one in ranking.matches(request, BitMap(), 50) if one.score == 1.0]
    assert [one.person for one in best] == [0, 5, 9]
    assert {one.variants[0][0] for one in best} == {variant}


def test_terms_that_hpo_does_not_have_match_nobody(node, clinician):
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # it divided 0 by 0
        asked = patient(("HP:9999999",), genes=(), variants=())
        status, body, _ = node.post(asked, clinician)
    assert (status, body["results"]) == (200, [])
    assert "'HP:9999999'" in body["_notes"][0]
