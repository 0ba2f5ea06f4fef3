"""Beacon documents fit together and match the official schemas."""

import gzip
import json
import runpy
from pathlib import Path

import pytest
import tskit

from rehearsal.export.beacon_json import COLLECTIONS, write_beacon_json
from rehearsal.export.beacon_variants import variant_documents, variant_type
from rehearsal.export.genotypes import Genotypes
from rehearsal.genomes.structural import SITE_SCHEMA
from rehearsal.node.beacon.variant_types import shown_type

SHARED = Path(__file__).resolve().parents[3] / "../shared"
YEAR = 2026
STRUCTURAL = {  # by 0-based position: allele, end and length
    200: ("<DEL>", 291, 90),
    300: ("<DUP:TANDEM>", 361, 60),
    400: ("<INS:ME:ALU>", 401, 281),
    500: ("<INV>", 571, 70),
    600: ("<CN3>", 801, 200),
}


def genotypes_of(people):
    """Both carry a deletion: the woman on both copies, the man on his only copy.

    The man also carries structural variants.
    """
    tables = tskit.TableCollection(1000)
    for person, copies in enumerate((2, 1)):
        tables.individuals.add_row()
        for _ in range(copies):
            tables.nodes.add_row(flags=tskit.NODE_IS_SAMPLE, time=0, individual=person)
    tables.nodes.add_row(time=1)
    for child in range(3):
        tables.edges.add_row(0, 1000, 3, child)
    site = tables.sites.add_row(99, "ACT")
    for node in range(3):
        tables.mutations.add_row(site, node, "A")
    tables.sites.metadata_schema = SITE_SCHEMA
    for place, (allele, end, svlen) in STRUCTURAL.items():
        site = tables.sites.add_row(place, "G", metadata={"end": end, "svlen": svlen})
        tables.mutations.add_row(site, 2, allele)
    tables.sort()
    tables.build_index()
    return Genotypes.of([tables.tree_sequence()], "chrX", people)


@pytest.fixture
def documents(people, tables, tmp_path):
    write_beacon_json("test-FI", people, tables, [genotypes_of(people)], tmp_path / "beacon", YEAR)
    return {
        name: json.loads(gzip.decompress((tmp_path / f"beacon/{name}.json.gz").read_bytes()))
        for name in COLLECTIONS
    }


def test_every_collection_is_an_array_of_documents_that_fit_together(documents):
    assert [len(documents[name]) for name in COLLECTIONS] == [1, 1, 2, 1, 1, 1, 6, 6, 1]
    (dataset,) = documents["datasets"]
    assert "SYNTHETIC" in dataset["description"]
    others = [one for name in COLLECTIONS[1:] for one in documents[name]]
    assert {one["datasetId"] for one in others} == {dataset["id"]}
    ids = {one["id"] for one in documents["individuals"]}
    assert {one["individualId"] for one in documents["biosamples"]} <= ids


def test_carriers_of_mitochondrial_alleles_have_them_in_all_genomes_or_in_some(people):
    tables = tskit.TableCollection(16_569)
    tables.metadata_schema = tskit.MetadataSchema.permissive_json()
    tables.metadata = {"heteroplasmy": [[1, 99, "G", 0.8]]}
    for person in range(2):
        tables.individuals.add_row()
        tables.nodes.add_row(flags=tskit.NODE_IS_SAMPLE, time=0, individual=person)
    tables.nodes.add_row(time=1)
    for child in range(2):
        tables.edges.add_row(0, 16_569, 2, child)
    for place in (99, 199):
        site = tables.sites.add_row(place, "A")
        for node in range(2):
            tables.mutations.add_row(site, node, "G")
    tables.sort()
    tables.build_index()
    genotypes = Genotypes.of([tables.tree_sequence()], "chrM", people)
    found = [
        [(one["zygosity"]["id"], one["zygosity"]["label"]) for one in document["caseLevelData"]]
        for document, _ in variant_documents(genotypes, "test-FI")
    ]
    all_of_them, some = ("GENO:0000602", "homoplasmic"), ("GENO:0000603", "heteroplasmic")
    assert found == [[all_of_them, some], [all_of_them] * 2]


def test_a_variation_has_its_position_carriers_and_frequency(documents):
    variation = documents["genomicVariations"][0]
    assert variation["variantInternalId"] == "REHEARSAL-TEST-FI-chrX-100-ACT-A"
    assert variation["variation"]["variantType"] == "DEL"
    cases = [(c["individualId"], c["zygosity"]["label"]) for c in variation["caseLevelData"]]
    assert cases == [("FI-1", "homozygous"), ("FI-2", "hemizygous")]
    (frequencies,) = variation["frequencyInPopulations"]
    assert frequencies["frequencies"][0]["alleleNumber"] == 3
    assert variation["_position"]["startInteger"] == 99


def test_a_structural_variation_has_its_type_and_the_bases_that_it_affects(documents):
    found = {}
    for document in documents["genomicVariations"][1:]:
        variation = document["variation"]
        interval = variation["location"]["interval"]
        start, end = (interval[key]["value"] for key in ("start", "end"))
        found[start] = variation["symbolicAllele"], end, variation["length"]
        kind = {"<CN3>": "CNV"}.get(variation["symbolicAllele"], variation["symbolicAllele"][1:4])
        assert (variation["variantType"], variation["alternateBases"]) == (kind, ".")
        assert document["_position"]["endInteger"] == end
    assert found == STRUCTURAL
    ids = [document["variantInternalId"] for document in documents["genomicVariations"]]
    assert ids[1] == "REHEARSAL-TEST-FI-chrX-201-G-<DEL>" and len(set(ids)) == 6


def test_the_official_schemas_accept_every_document(documents):
    validator = SHARED / "tools/validate_beacon.py"
    if not validator.is_file():
        pytest.skip(f"no official schemas in {SHARED}")
    schemas = f"{SHARED / 'reference/schemas/beacon-v2.1.1'}/"
    errors = runpy.run_path(str(validator), init_globals={"B": schemas})["errs"]
    for name in COLLECTIONS[:7]:  # the others are no entry types
        schema = f"models/json/beacon-v2-default-model/{name}/defaultSchema.json"
        for document in documents[name]:
            assert errors(schema, document) == [], name


@pytest.mark.parametrize(
    ("ref", "alt", "kind"),
    [
        ("A", "G", "SNP"),
        ("AC", "GT", "MNP"),
        ("A", "ACT", "INS"),
        ("ACT", "A", "DEL"),
        ("AC", "GTT", "INDEL"),
        ("A", "<CN0>", "CNV"),
        ("A", "<DUP:TANDEM>", "DUP"),
    ],
)
def test_types_are_those_of_a_node(ref, alt, kind):
    assert variant_type(ref, alt) == shown_type(ref, alt) == kind
