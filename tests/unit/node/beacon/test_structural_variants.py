"""Types, lengths, brackets and names of indels and structural variants."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from rehearsal.model import Block
from rehearsal.network.variant_records import allele_key
from rehearsal.node.beacon.canonical_queries import canonical_query, names_one_allele
from rehearsal.node.beacon.handovers import handovers
from rehearsal.node.beacon.records import variant_record
from rehearsal.node.beacon.request import parse_body, parse_query_string
from rehearsal.node.beacon.request_models import VariantParameters
from rehearsal.node.beacon.result import ResultSet
from rehearsal.node.beacon.variant_queries import make_variant_query, with_effects
from rehearsal.node.beacon.variant_search import (
    identifier_of,
    query_of_identifier,
    search_variants,
)
from rehearsal.node.beacon.vrs import GAIN, copy_number_identifiers
from rehearsal.node.privacy.public_facts import PublicFacts
from rehearsal.stores.country_shards import write_shards
from rehearsal.stores.node_reference import ReferenceBases
from rehearsal.stores.variant_store import VariantStore
from rehearsal.stores.variant_store_writer import build_store
from rehearsal.web.problem import Problem
from rehearsal.web.request_models import convert_values

from ...structural_block import LENGTH, make_structural_block

NODE = SimpleNamespace(
    settings=SimpleNamespace(genes=()), sequences=None, gene_bases=None, reference=None
)
EVERYTHING = {"referenceName": "22", "start": 0, "end": 60_000}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("structural")
    ts, people = make_structural_block()
    part = folder / "FI.parquet"
    write_shards(ts, Block("chr22", 0, LENGTH), people, {}, {"FI": part})
    finns = people[people["country"] == "FI"]
    columns = ["position", "ref", "alt", "gene", "transcript", "consequence_id", "consequence"]
    missense, frameshift = ("SO:0001583", "missense_variant"), ("SO:0001589", "frameshift_variant")
    effects = pd.DataFrame(
        [
            (1_000, "A", "G", "ONE", "T1", *missense),
            (1_000, "A", "T", "TWO", "T2", *missense),
            (2_000, "CA", "C", "ONE", "T1", *frameshift),
            (50_000, "C", "G", "ONE", "T1", *missense),  # nobody has it
        ],
        columns=columns,
    ).assign(hgvs_c="", hgvs_p=["p.Val600Glu", "p.Gln7Ter", "p.Lys9fs", "p.Val600Glu"])
    build_store([part], finns, folder / "variants.sqlite", [("chr22", effects)])
    with VariantStore.open(folder / "variants.sqlite") as opened:
        NODE.variants = opened
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


def test_a_bracket_finds_all_gains_for_protected_tiers_too(store):
    """A copy number above 2 has no description, by which one event would be searched."""
    row = next(row for row in store.overlapping("chr22", 0, LENGTH) if row.alt == "<CN3>")
    place = {"referenceName": "22", "start": [row.start] * 2, "end": [row.end] * 2}
    for kind in ("DUP", "EFO:0030070"):
        query = query_for(**place, variantType=kind)
        one = canonical_query(query, NODE, PublicFacts.of_size(100))
        assert [found.alt for found in search_variants(one, NODE, store)] == ["<CN3>"]


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


def test_effects_restrict_the_alleles_of_a_gene_or_region(store, monkeypatch):
    gene = SimpleNamespace(name="ONE", contig="chr22", start=0, end=60_000)
    monkeypatch.setattr(NODE, "gene", lambda symbol: gene, raising=False)

    def with_terms(terms, **parameters):
        query = with_effects(query_for(**parameters), terms)
        return [row.alt for row in search_variants(query, NODE, store)]

    assert with_terms(("SO:0001583",), **EVERYTHING) == ["G", "T"]
    assert with_terms(("SO:0001583",), geneId="ONE") == ["G"]
    assert with_terms(("SO:0001589",), geneId="ONE", variantType="INDEL") == ["C"]
    assert with_terms(("SO:0001583", "SO:0001589"), geneId="ONE") == []


def test_changes_of_proteins_are_found_by_their_names_in_one_or_three_letters(store, monkeypatch):
    monkeypatch.setattr(NODE, "gene", lambda symbol: SimpleNamespace(name=symbol), raising=False)
    for change in ("V600E", "Val600Glu", "p.Val600Glu"):
        assert found(store, aminoacidChange=change) == ["G"]
        assert found(store, aminoacidChange=change, geneId="ONE") == ["G"]
        assert found(store, aminoacidChange=change, geneId="TWO") == []
    assert found(store, aminoacidChange="Q7*") == found(store, aminoacidChange="Gln7Ter") == ["T"]
    assert found(store, aminoacidChange="V600D") == []
    row = store.get("chr22", 1_000, "A", "G")
    assert variant_record(row, NODE)["molecularAttributes"]["aminoacidChanges"] == ["V600E"]


def test_records_are_valid_by_the_official_schemas(store, validator):
    schema = "models/json/beacon-v2-default-model/genomicVariations/defaultSchema.json"
    for row in store:
        assert validator["errs"](schema, variant_record(row, NODE)) == []


def test_an_effect_without_a_region_is_refused():
    with pytest.raises(Problem, match="geneId, or start and end, beside a molecular effect"):
        parse_body(b'{"query": {"filters": [{"id": "SO:0001583"}]}}')


def test_effects_are_read_from_filters_and_shown_in_records(store):
    request = parse_query_string(
        [("geneId", "ONE"), ("filters", "SO:0001583,NCIT:C16576,SO:0001583")]
    )
    assert request.variants.restrictions.effects == ("SO:0001583",)
    assert [one.id for one in request.filters] == ["NCIT:C16576"]
    row = store.get("chr22", 2_000, "CA", "C")
    assert variant_record(row, NODE)["molecularAttributes"] == {
        "geneIds": ["ONE"],
        "molecularEffects": [{"id": "SO:0001589", "label": "frameshift_variant"}],
    }


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


def test_copy_numbers_are_changes_of_copy_number_of_vrs(store):
    records = {row.alt: variant_record(row, NODE) for row in store}
    for alt, change in (("<CN0>", "efo:0030067"), ("<CN3>", "efo:0030070")):
        variation = records[alt]["variation"]
        assert set(variation) == {"type", "subject", "copy_change"}
        assert (variation["type"], variation["copy_change"]) == ("CopyNumberChange", change)
        interval = variation["subject"]["interval"]  # without the base before, which VCF has
        assert [interval[bound]["value"] for bound in ("start", "end")] == [30_001, 34_001]
        assert allele_key(records[alt]) == (30_000, "T", alt, 34_001, 4_000)


def test_structural_variants_and_copy_numbers_lead_to_one_ticket_of_their_range(store):
    one = ResultSet("PEOPLE", exists=True, records=[variant_record(row, NODE) for row in store])
    data = SimpleNamespace(settings=SimpleNamespace(people_dataset="PEOPLE"), has_genomes=True)
    (found,) = handovers(one, "g_variants", data, lambda: "http://node.example")
    place = "referenceName=chr22&start=1000&end=50001"
    assert found["url"] == f"http://node.example/htsget/variants/PEOPLE?{place}"


def test_identifiers_of_copy_numbers_are_those_of_the_nodes_sequence(store, monkeypatch):
    sequences = SimpleNamespace(accession=lambda contig, start, end: f"SQ.{contig}")
    monkeypatch.setattr(NODE, "sequences", sequences)
    record = variant_record(store.get("chr22", 30_000, "T", "<CN3>"), NODE)
    assert record["variation"]["subject"]["sequence_id"] == "ga4gh:SQ.chr22"
    expected = copy_number_identifiers(30_001, 34_001, GAIN, "SQ.chr22")
    given = record["identifiers"]["variantAlternativeIds"]
    assert [one["id"] for one in given] == [identifier for _, identifier in expected]


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


@pytest.mark.parametrize(
    ("alt", "start", "end", "change"),
    [("<DUP:TANDEM>", 10_001, 10_301, "dup"), ("<CN0>", 30_001, 34_001, "del")],
)
def test_in_a_repeat_the_name_is_the_last_place_and_every_place_finds_it(
    store, monkeypatch, alt, start, end, change
):
    drawn = np.random.default_rng(5).choice(list("ACGT"), 60_000).tolist()
    drawn[end : end + 3] = drawn[start : start + 3]  # it can be moved by 3 bases, and no further
    drawn[end + 3] = "C" if drawn[start + 3] == "A" else "A"
    bases = "".join(drawn)
    reference = ReferenceBases(lambda block: bases[block.start : block.end], {"chr22": len(bases)})
    monkeypatch.setattr(NODE, "reference", reference)

    def changed(first, last):
        return bases[:first] + (bases[first:last] * 2 if change == "dup" else "") + bases[last:]

    equal = [by for by in range(-9, 9) if changed(start + by, end + by) == changed(start, end)]
    assert equal[-1] == 3
    (row,) = (one for one in store if one.alt == alt)
    name = variant_record(row, NODE)["identifiers"]["genomicHGVSId"]
    assert name == f"NC_000022.11:g.{start + 4}_{end + 3}{change}"
    for by in range(-9, 9):
        sent = f"NC_000022.11:g.{start + 1 + by}_{end + by}{change}"
        assert found(store, genomicAlleleShortForm=sent) == ([alt] if by in equal else [])
        ends = {"start": [start - 1 + by] * 2, "end": [end + by] * 2, "variantType": change.upper()}
        assert found(store, referenceName="22", **ends) == ([alt] if by in equal else [])
