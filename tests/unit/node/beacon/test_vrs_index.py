"""Alleles are found by their computed identifiers, and nobody learns more by them."""

import asyncio
import sqlite3
from dataclasses import replace

import pytest

from rehearsal.genomes.assembly import CONTIG_LENGTHS, REFGET
from rehearsal.genomes.indel_shifts import shift_right
from rehearsal.model import Block
from rehearsal.node.access.authorizer import Authorizer
from rehearsal.node.access.settings import AccessSettings
from rehearsal.node.app import beacon_app
from rehearsal.node.beacon import vrs
from rehearsal.node.beacon.canonical_queries import canonical_query, names_one_allele
from rehearsal.node.beacon.entries import ONLY_SUBSTITUTIONS
from rehearsal.node.beacon.node_data import NodeData
from rehearsal.node.beacon.variant_queries import SequenceQuery, StructuralQuery
from rehearsal.node.beacon.vrs_index import VrsIndex, VrsQuery, identifiers_of
from rehearsal.node.privacy.door import Door
from rehearsal.node.privacy.public_facts import SCHEMA, PublicFacts, size_facts

from ..conftest import call
from . import named_genes

EVERYTHING = {"_granularity": "record", "_limit": 100, "_include": "ALL"}
UNKNOWN = "ga4gh:VA." + "A" * 32


class SameSequence:
    """A reference of which every contig has one accession."""

    def accession(self, contig, start, end):
        return REFGET[contig]


def records(body, dataset="GDI-FI-REHEARSAL-1"):
    (results,) = [one["results"] for one in body["response"]["resultSets"] if one["id"] == dataset]
    return results


def test_every_identifier_of_a_record_finds_it(ask, query):
    named = 0
    for record in records(query("g_variants", **EVERYTHING)):
        for other in record["identifiers"].get("variantAlternativeIds", ()):
            status, body = ask(f"/g_variants/{other['id']}")
            assert status == 200
            assert [one["variantInternalId"] for one in records(body)] == [
                record["variantInternalId"]
            ]
            assert body["info"]["warnings"] == [ONLY_SUBSTITUTIONS]  # it has no reference
            named += 1
    assert named > 60


def test_an_unknown_identifier_does_not_exist_here_and_another_form_is_not_found(ask):
    status, body = ask(f"/g_variants/{UNKNOWN}")
    assert (status, body["responseSummary"]["exists"]) == (200, False)
    for odd in ("ga4gh:VA.short", "ga4gh:SQ." + "A" * 32, UNKNOWN + "A"):
        assert ask(f"/g_variants/{odd}")[0] == 404


@pytest.fixture
def facts():
    connection = sqlite3.connect(":memory:")
    connection.executescript(SCHEMA)
    connection.executemany("INSERT INTO meta VALUES (?, ?)", size_facts(100, "release"))
    connection.execute("INSERT INTO contigs VALUES ('chr17', 83257441, 3, 2)")
    rows = [
        ("chr17", 43_044_300, "A", "G", 0, 0, 0),
        ("chr17", 43_057_061, "T", "TG", 0, 0, 2),
        ("chr17", 43_060_000, "T", "<CN0>", 500, 500, 0),
    ]
    connection.executemany("INSERT INTO alleles VALUES (?, ?, ?, ?, ?, ?, ?, 9, 9)", rows)
    opened = PublicFacts(connection)
    yield opened
    opened.close()


def test_a_public_allele_is_one_question_by_its_identifiers_and_by_its_bases(node_data, facts):
    parts = node_data.settings, node_data.variants, node_data.people, None
    data = NodeData(*parts, SameSequence())
    by_bases = {
        "G": SequenceQuery("chr17", 43_044_300, "A", "G"),
        "TG": SequenceQuery("chr17", 43_057_063, "G", "GG"),  # at another place of its repeat
        "<CN0>": StructuralQuery("chr17", 43_060_000, "<CN0>", 500),
    }
    for allele in facts.overlapping("chr17", 0, 83_257_441):
        expected = canonical_query(by_bases[allele.alt], data, facts)
        found = {
            canonical_query(VrsQuery(identifier), data, facts)
            for _, identifier in identifiers_of(allele, data.sequences)
        }
        assert found == {expected}
        assert names_one_allele(expected)


def test_what_is_not_public_is_not_looked_up_for_the_public(node_data, monkeypatch):
    settings = replace(node_data.settings, access=AccessSettings(without_consent="include"))
    data = NodeData(settings, node_data.variants, node_data.people)
    looked_at, asked = [], []
    monkeypatch.setattr(NodeData, "vrs_index", spying(NodeData.vrs_index, looked_at))
    monkeypatch.setattr(Door, "answer", spying(Door.answer, asked))
    app = beacon_app(data, Authorizer(settings, data.people))
    carried = dict(vrs.identifiers("chr17", 43_044_300, "A", "G"))["2.0"]
    answers = {
        asyncio.run(call(app, f"/g_variants/{identifier}"))[2].replace(identifier.encode(), b"")
        for identifier in (carried, UNKNOWN)
    }
    assert len(answers) == 1
    assert looked_at and data.variants not in looked_at
    reason = "a computed identifier of no public allele, which needs a grant"
    assert {question.needs_grant for question in asked} == {reason}


def spying(method, looked_at):
    def spy(self, first, *more):
        looked_at.append(first)
        return method(self, first, *more)

    return spy


def test_alleles_that_share_the_key_are_told_apart(node_data, monkeypatch):
    monkeypatch.setattr("rehearsal.node.beacon.vrs_index._key", lambda identifier: 7)
    index = VrsIndex(node_data.variants, None)
    for row in node_data.variants:
        for _, identifier in identifiers_of(row, None):
            assert list(index.find(identifier)) == [row]
    assert list(index.find(UNKNOWN)) == []


def test_ga4gh_vrs_computes_the_same_identifiers_on_real_bases():
    """Of the planted variants, whose bases around are those of GRCh38."""
    models = pytest.importorskip("ga4gh.vrs.models", reason="ga4gh.vrs is not installed")
    from ga4gh.core import ga4gh_identify
    from ga4gh.vrs import normalize
    from ga4gh.vrs.dataproxy import _DataProxy

    class Sequence(_DataProxy):
        def __init__(self, contig):
            super().__init__()
            self.contig = contig

        def get_sequence(self, identifier, start=None, end=None):
            return named_genes.read(Block(self.contig, start, end))

        def get_metadata(self, identifier):
            return {"length": CONTIG_LENGTHS[self.contig], "aliases": []}

    # as published for the sequences of NC_000017.11 and NC_000007.14: tests of vrs-python 2.3.3
    assert REFGET["chr17"] == "SQ.dLZ15tNO1Ur0IcGjwc3Sdi_0A6Yf4zm7"
    assert REFGET["chr7"] == "SQ.F-LrLMe1SRpfUZHkQmvkVKFEGaoDeHul"
    for one in named_genes.planted():
        start, ref, alt = one.start, one.ref, one.alt
        place = models.SequenceLocation(
            sequenceReference=models.SequenceReference(refgetAccession=REFGET[one.contig]),
            start=start,
            end=start + len(ref),
        )
        state = models.LiteralSequenceExpression(sequence=alt)
        allele = normalize(models.Allele(location=place, state=state), Sequence(one.contig))
        around = named_genes.read(Block(one.contig, start, start + 200))
        is_indel = len(ref) != len(alt)
        shift = shift_right(around, 1, ref[1:] or alt[1:], len(ref) > 1) if is_indel else 0
        ours = vrs.identifiers(one.contig, start, ref, alt, shift, REFGET[one.contig])
        assert dict(ours)["2.0"] == ga4gh_identify(allele)
