"""Types, lengths, brackets and names of indels and structural variants."""

from types import SimpleNamespace

import pytest

from rehearsal.model import Block
from rehearsal.node.beacon.canonical_queries import canonical_query, names_one_allele
from rehearsal.node.beacon.records import variant_record
from rehearsal.node.beacon.request_models import VariantParameters
from rehearsal.node.beacon.variant_queries import make_variant_query
from rehearsal.node.beacon.variant_search import (
    identifier_of,
    query_of_identifier,
    search_variants,
)
from rehearsal.node.privacy.public_facts import PublicFacts
from rehearsal.stores.country_shards import write_shards
from rehearsal.stores.variant_store import VariantStore
from rehearsal.stores.variant_store_writer import build_store
from rehearsal.web.request_models import convert_values

from ...structural_block import LENGTH, make_structural_block

NODE = SimpleNamespace(settings=SimpleNamespace(genes=(), protein_changes=()))
EVERYTHING = {"referenceName": "22", "start": 0, "end": 60_000}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("structural")
    ts, people = make_structural_block()
    part = folder / "FI.parquet"
    write_shards(ts, Block("chr22", 0, LENGTH), people, {}, {"FI": part})
    build_store([part], people[people["country"] == "FI"], folder / "variants.sqlite")
    with VariantStore.open(folder / "variants.sqlite") as opened:
        yield opened


def query_for(**parameters):
    return make_variant_query(convert_values(parameters, VariantParameters), parameters.keys())


def found(store, **parameters):
    return [row.alt for row in search_variants(query_for(**parameters), NODE, store)]


@pytest.mark.parametrize(
    ("kind", "alts"),
    [
        ("SNP", ["G", "T", "C", "A"]),
        ("DEL", ["C", "<DEL>", "<CN0>"]),
        ("del", ["C", "<DEL>", "<CN0>"]),
        ("DUP", ["<DUP:TANDEM>", "<CN3>"]),
        ("DUP:TANDEM", ["<DUP:TANDEM>"]),
        ("INS", ["GTT", "<INS:ME:ALU>"]),
        ("INS:ME", ["<INS:ME:ALU>"]),
        ("INS:ME:ALU", ["<INS:ME:ALU>"]),
        ("INS:ME:L1", []),
        ("INV", ["<INV>"]),
        ("INDEL", ["C", "GTT"]),
        ("CNV", ["<DEL>", "<DUP:TANDEM>", "<CN0>", "<CN3>"]),
        ("EFO:0030067", ["<DEL>", "<CN0>"]),
        ("EFO:0030070", ["<DUP:TANDEM>", "<CN3>"]),
        ("BND", []),
    ],
)
def test_types_find_their_classes(store, kind, alts):
    assert found(store, **EVERYTHING, variantType=kind) == alts


def test_lengths_restrict_structural_variants_too(store):
    lengths = {"variantMinLength": 300, "variantMaxLength": 2_000}
    assert found(store, **EVERYTHING, **lengths) == ["<DUP:TANDEM>", "<INV>"]


def test_a_range_inside_a_long_deletion_finds_it(store):
    place = {"referenceName": "22", "start": 44_990, "end": 44_991}
    assert found(store, **place) == ["<DEL>"]


def test_a_bracket_finds_what_starts_and_ends_inside_its_parts(store):
    bracket = {"referenceName": "22", "start": [4_000, 6_000], "end": [44_000, 45_000]}
    assert found(store, **bracket) == ["<DEL>"]
    assert found(store, **bracket | {"end": [44_000, 44_999]}) == []


def test_every_allele_is_found_by_its_identifier_and_its_description(store):
    for row in store:
        query = query_of_identifier(identifier_of(row))
        assert list(search_variants(query, NODE, store)) == [row]
        record = variant_record(row, NODE)
        name = record.get("identifiers", {}).get("genomicHGVSId")
        if name:
            assert found(store, genomicAlleleShortForm=name) == [row.alt]
        else:
            assert row.alt in ("<INS:ME:ALU>", "<CN3>")


def test_records_state_type_length_and_end(store):
    records = {row.alt: variant_record(row, NODE) for row in store}
    variation = records["<DEL>"]["variation"]
    assert variation["variantType"] == "DEL"
    assert (variation["referenceBases"], variation["alternateBases"]) == ("T", ".")
    assert variation["location"]["interval"]["end"]["value"] == 45_000
    assert variation["length"] == 39_999
    assert records["<DEL>"]["variantInternalId"] == "chr22-5001-T-DEL-39999"
    assert records["<DEL>"]["identifiers"]["genomicHGVSId"] == "NC_000022.11:g.5002_45000del"
    assert records["<INV>"]["identifiers"]["genomicHGVSId"] == "NC_000022.11:g.20002_22001inv"


@pytest.mark.parametrize(
    "wordings",
    [
        [
            query_of_identifier("chr22-5001-T-DEL-39999"),
            query_for(genomicAlleleShortForm="NC_000022.11:g.5002_45000del"),
            query_for(
                referenceName="22", start=[5_000] * 2, end=[45_000] * 2, variantType="SO:0000159"
            ),
        ],
        [
            query_of_identifier("chr22-20001-G-INV-2000"),
            query_for(genomicAlleleShortForm="NC_000022.11:g.20002_22001inv"),
        ],
        [
            query_for(**EVERYTHING, variantType="EFO:0030067"),
            query_for(**EVERYTHING, variantType="SO:0001743"),
        ],
    ],
)
def test_wordings_of_one_structural_question_have_one_canonical_form(wordings):
    facts = PublicFacts.of_size(100)
    forms = {canonical_query(one, NODE, facts) for one in wordings}
    assert len(forms) == 1
    assert names_one_allele(forms.pop()) == (wordings[0].__class__.__name__ != "RangeQuery")
