"""The schema's own parser accepts the phenopackets, and they hold the facts of the tables."""

import gzip
import json
from pathlib import Path

import pandas as pd
import pytest

from rehearsal.export.clinical_tables import ClinicalTables
from rehearsal.export.json_lines import write_json_lines
from rehearsal.export.phenopacket_interpretations import GeneKnowledge, _variation
from rehearsal.export.phenopackets import Phenopackets
from rehearsal.formats.phenopacket_resources import resources
from rehearsal.phenotypes.trait_reader import read_traits

ROOT = Path(__file__).resolve().parents[3]
SCHEMAS = ROOT / "../shared/reference/schemas/phenopackets-v2"
GENES = GeneKnowledge(
    {"BRCA1": "HGNC:1100"}, {"BRCA1": ("MONDO:0007254", "breast cancer")}, frozenset({"DOSE1"})
)


def frame(columns, rows):
    return pd.DataFrame(rows, columns=columns.split())


@pytest.fixture
def tables():
    """A Finnish family: mother with breast cancer and BRCA1, father, son; and one Swede."""
    return ClinicalTables(
        people=frame("id country sex birth_year family father mother", [
            ("FI-1", "FI", "female", 1966, "FI-F1", None, None),
            ("FI-2", "FI", "male", 1960, "FI-F1", None, None),
            ("FI-3", "FI", "male", 1990, "FI-F1", "FI-2", "FI-1"),
            ("SE-1", "SE", "female", 1950, "SE-F1", None, None),
        ]),
        diseases=frame("individual code label mondo mondo_label age_of_onset", [
            ("FI-1", "ICD10:C50", "Malignant neoplasm of breast", "MONDO:0007254",
             "breast cancer", 41),
        ]),
        measurements=frame("individual code label value unit age", [
            ("FI-1", "LOINC:22748-8", "LDL cholesterol", 3.25, "mmol/L", 60),
            ("SE-1", "LOINC:22748-8", "LDL cholesterol", 2.5, "mmol/L", 76),
        ]),
        features=frame("individual code label age_of_onset", [
            ("FI-1", "HP:0003002", "Breast carcinoma", 41),
        ]),
        excluded_features=frame("individual code label", [
            ("FI-1", "HP:0001250", "Seizure"),
        ]),
        candidate_genes=frame("individual gene", [
            ("FI-3", "BRCA1"), ("FI-3", "ASPM"),
        ]),
        exposures=frame("individual code label value value_label age", [
            ("FI-2", "LOINC:72166-2", "Tobacco smoking status", "SNOMEDCT:8517006", "Ex-smoker",
             66),
        ]),
        treatments=frame(
            "individual code label dose_mg doses_per_day start_age end_age start_date end_date "
            "indication indication_label response response_label adverse_event "
            "adverse_event_label", [
            ("FI-1", "ATC:L02BA01", "tamoxifen", 20.0, 2, 41, 46, "2007-05-28", "2012-05-28",
             "ICD10:C50",
             "Malignant neoplasm of breast", "NCIT:C4870", "Complete Remission", None, None),
            ("FI-1", "ATC:L01CD02", "docetaxel", None, None, 42, None, "2008-06-01", None,
             "ICD10:C50", "Malignant neoplasm of breast", None, None, "HP:0003198", "Myopathy"),
        ]).astype({"end_age": "Int16", "doses_per_day": "Int16"}),
        missing=frame("individual table code label null_flavour", [
            ("FI-2", "measurements", "LOINC:22748-8", "LDL cholesterol", "NASK"),
            ("FI-1", "treatments", "ATC:L01CD02", "docetaxel", "UNK"),
        ]),
        subjects=frame("individual birth_date administrative_gender", [
            ("FI-1", "1966-02-03", "female"), ("FI-2", "1960-01-01", "male"),
            ("FI-3", "1990-12-31", "male"), ("SE-1", "1950-05-05", "female"),
        ]),
        biosamples=frame(
            "id individual tissue tissue_label sample_type sample_type_label organism "
            "organism_label collection_date collection_age", [
            (f"{who}-BS", who, "UBERON:0000178", "blood", "NCIT:C17610", "Blood Sample",
             "NCBITaxon:9606", "Homo sapiens", "2024-01-01", 33)
            for who in ("FI-1", "FI-2", "FI-3", "SE-1")
        ]),
        carriers=frame("gene name contig start ref alt individual copies", [
            ("TLR7", "c.644A>G", "chrX", 12886151, "A", "G", "FI-3", 1),
            ("BRCA1", "c.68_69del", "chr17", 43124026, "ACT", "A", "FI-1", 1),
            ("BRCA1", "c.68_69del", "chr17", 43124026, "ACT", "A", "SE-1", 1),
            ("DOSE1", "c.1A>G", "chr12", 100, "A", "G", "FI-2", 2),
        ]),
    )  # fmt: skip


@pytest.fixture
def packets(tables):
    return Phenopackets(tables, GENES, 2026)


@pytest.fixture
def by_id(packets):
    return {packet["id"]: packet for packet in packets}


# --- validity ----------------------------------------------------------------------------------


def parsed(message, kind):
    schema = pytest.importorskip("phenopackets.schema.v2", reason="the package phenopackets")
    from google.protobuf.json_format import Parse

    # an unknown field or a wrong enumeration raises
    return Parse(json.dumps(message), getattr(schema, kind)())


def test_the_protobuf_parser_accepts_every_phenopacket(packets):
    for packet in packets:
        message = parsed(packet, "Phenopacket")
        assert message.id == packet["id"]
        assert message.subject.time_at_last_encounter.age.iso8601duration.startswith("P")
        assert message.meta_data.phenopacket_schema_version == "2.0"


def test_the_protobuf_parser_accepts_every_family(packets):
    (family,) = [parsed(family, "Family") for family in packets.families()]
    assert family.proband.id == "FI-1"
    assert [one.id for one in family.relatives] == ["FI-2", "FI-3"]
    assert len(family.pedigree.persons) == 3


def json_schema(name):
    if not SCHEMAS.is_dir():
        pytest.skip("the JSON schemas are not there")
    jsonschema = pytest.importorskip("jsonschema")
    from referencing import Registry, Resource
    from referencing.jsonschema import DRAFT201909

    def retrieve(uri):
        path = SCHEMAS / uri.rpartition("/")[2]
        # vrsatile.json is not among them: anything passes
        content = json.loads(path.read_text()) if path.is_file() else {}
        content.setdefault("definitions", {}).setdefault("variationDescriptor", {})
        content.pop("$id", None)
        return Resource.from_contents(content, default_specification=DRAFT201909)

    schema = json.loads((SCHEMAS / name).read_text())
    schema.pop("$id")
    return jsonschema.Draft201909Validator(schema, registry=Registry(retrieve=retrieve))


def test_the_official_json_schema_accepts_every_phenopacket(packets):
    validator = json_schema("phenopacket-schema.json")
    for packet in packets:
        assert [error.message for error in validator.iter_errors(packet)] == []
        assert list(validator.iter_errors({**packet, "diseases": [{"term": {"id": "X:1"}}]}))


def test_the_official_json_schema_accepts_every_family(packets):
    validator = json_schema("family-schema.json")
    for family in packets.families():
        assert [error.message for error in validator.iter_errors(family)] == []


# --- content -----------------------------------------------------------------------------------


def test_a_phenopacket_holds_the_facts_of_the_tables(by_id):
    packet = by_id["FI-1"]
    assert packet["subject"]["dateOfBirth"] == "1966-02-03T00:00:00Z"
    assert packet["subject"]["timeAtLastEncounter"] == {"age": {"iso8601duration": "P60Y"}}
    assert (packet["subject"]["sex"], packet["subject"]["karyotypicSex"]) == ("FEMALE", "XX")
    assert packet["diseases"] == [
        {
            "term": {"id": "MONDO:0007254", "label": "breast cancer"},
            "onset": {"age": {"iso8601duration": "P41Y"}},
        }
    ]
    assert packet["phenotypicFeatures"][0]["type"]["id"] == "HP:0003002"
    quantity = packet["measurements"][0]["value"]["quantity"]
    assert (quantity["value"], quantity["unit"]["id"]) == (3.25, "UCUM:mmol/L")
    assert packet["biosamples"][0]["id"] == "FI-1-BS"


def test_a_feature_that_was_looked_for_and_not_found_is_excluded(by_id):
    seizure = {"id": "HP:0001250", "label": "Seizure"}
    assert {"type": seizure, "excluded": True} in by_id["FI-1"]["phenotypicFeatures"]


def test_candidate_genes_are_one_interpretation_in_progress(by_id):
    *_, one = by_id["FI-3"]["interpretations"]
    assert one["progressStatus"] == "IN_PROGRESS"
    found = one["diagnosis"]["genomicInterpretations"]
    assert {part["interpretationStatus"] for part in found} == {"CANDIDATE"}
    assert [part["gene"] for part in found] == [
        {"valueId": "HGNC:1100", "symbol": "BRCA1"},
        {"valueId": "ASPM", "symbol": "ASPM"},
    ]


def test_a_treatment_has_its_dose_target_response_and_adverse_event(by_id):
    first, second = by_id["FI-1"]["medicalActions"]
    (interval,) = first["treatment"]["doseIntervals"]
    assert interval["interval"] == {"start": "2007-05-28T00:00:00Z", "end": "2012-05-28T00:00:00Z"}
    assert interval["scheduleFrequency"] == {"id": "NCIT:C64496", "label": "Twice Daily"}
    assert first["treatmentTarget"]["id"] == "MONDO:0007254"
    assert first["responseToTreatment"]["id"] == "NCIT:C4870"
    (interval,) = second["treatment"]["doseIntervals"]  # its dates are known, its dose is not
    assert interval["interval"] == {"start": "2008-06-01T00:00:00Z", "end": "2026-12-31T00:00:00Z"}
    assert interval["scheduleFrequency"]["id"] == "NullFlavor:UNK"
    assert interval["quantity"] == {"unit": {"id": "UCUM:{dose}", "label": "dose"}, "value": 1}
    assert "responseToTreatment" not in second
    assert second["adverseEvents"] == [{"id": "HP:0003198", "label": "Myopathy"}]


def test_a_missing_value_is_a_null_flavour_and_smoking_a_coded_value(by_id):
    smoking, missing = by_id["FI-2"]["measurements"]
    assert smoking["value"]["ontologyClass"]["id"] == "SNOMEDCT:8517006"
    assert missing["assay"]["id"] == "LOINC:22748-8"
    assert missing["value"]["ontologyClass"] == {"id": "NullFlavor:NASK", "label": "not asked"}


def interpretation(packet):
    one, *_ = packet["interpretations"]
    (genomic,) = one["diagnosis"]["genomicInterpretations"]
    return one, genomic


def test_a_carried_variant_is_causative_in_the_ill_only(by_id):
    one, genomic = interpretation(by_id["FI-1"])
    assert (one["progressStatus"], genomic["interpretationStatus"]) == ("SOLVED", "CAUSATIVE")
    one, genomic = interpretation(by_id["SE-1"])
    assert genomic["interpretationStatus"] == "UNKNOWN_STATUS"
    assert one["diagnosis"]["disease"]["id"] == "MONDO:0007254"


def test_a_carried_variant_is_written_as_in_vcf_with_zygosity(by_id):
    _, genomic = interpretation(by_id["FI-1"])
    descriptor = genomic["variantInterpretation"]["variationDescriptor"]
    assert descriptor["vcfRecord"] == {
        "genomeAssembly": "GRCh38",
        "chrom": "chr17",
        "pos": "43124027",
        "ref": "ACT",
        "alt": "A",
    }
    assert descriptor["geneContext"] == {"valueId": "HGNC:1100", "symbol": "BRCA1"}
    states = {
        name: interpretation(by_id[name])[1]["variantInterpretation"]["variationDescriptor"][
            "allelicState"
        ]["label"]
        for name in by_id
    }
    assert states == {
        "FI-1": "heterozygous",
        "FI-2": "homozygous",
        "FI-3": "hemizygous",
        "SE-1": "heterozygous",
    }


@pytest.mark.parametrize("sex", ["female", "male"])
def test_a_planted_variant_of_mitochondria_is_in_all_their_genomes(sex):
    row = {"gene": "MT-TL1", "name": "m.3243A>G", "contig": "chrM", "start": 3242}
    row |= {"ref": "A", "alt": "G", "copies": 1}
    state = _variation(row, {"sex": sex}, {})["allelicState"]
    assert state == {"id": "GENO:0000602", "label": "homoplasmic"}


def test_a_planted_variant_outside_genes_is_labelled_by_its_name_alone():
    row = {"gene": "", "name": "chr22-20150000-A-G", "contig": "chr22", "start": 20149999}
    row |= {"ref": "A", "alt": "G", "copies": 1}
    assert _variation(row, {"sex": "female"}, {})["label"] == "chr22-20150000-A-G"


def test_a_gene_that_drugs_depend_on_is_actionable(by_id):
    _, genomic = interpretation(by_id["FI-2"])
    assert genomic["variantInterpretation"]["therapeuticActionability"] == "ACTIONABLE"
    assert genomic["variantInterpretation"]["acmgPathogenicityClassification"] == "NOT_PROVIDED"


def test_the_pedigree_names_parents_and_affected_members(packets):
    (family,) = packets.families()
    told = {
        one["individualId"]: (one["paternalId"], one["maternalId"], one["affectedStatus"])
        for one in family["pedigree"]["persons"]
    }
    assert told == {
        "FI-1": ("0", "0", "AFFECTED"),
        "FI-2": ("0", "0", "UNAFFECTED"),
        "FI-3": ("FI-2", "FI-1", "UNAFFECTED"),
    }


def test_every_prefix_in_use_has_a_resource(packets):
    for packet in packets:
        known = {one["namespacePrefix"] for one in packet["metaData"]["resources"]}
        text = json.dumps({key: value for key, value in packet.items() if key != "metaData"})
        used = {part.partition(":")[0] for part in text.split('"id": "')[1:] if ":" in part[:12]}
        assert used - {name for name in used if "-" in name} <= known


def test_an_unknown_prefix_is_cited_by_the_bioregistry():
    (one,) = resources(["ORPHA"])
    assert one["url"] == "https://bioregistry.io/orpha"


def test_interpretations_use_the_genes_of_the_traits():
    genes = GeneKnowledge.of(read_traits(ROOT / "config/traits.yaml"))
    assert genes.diseases["BRCA2"][0] == "MONDO:0007254"
    assert genes.actionable == {"SLCO1B1"}
    assert genes.identifiers["TLR7"] == "HGNC:15631"


# --- files -------------------------------------------------------------------------------------


def test_a_country_gets_its_own_people_only(tables, packets):
    parts = dict(tables.by_country())
    assert list(parts) == ["FI", "SE"]
    (swede,) = Phenopackets(parts["SE"], GENES, 2026)
    everybody = list(packets)
    prefixes = {one["namespacePrefix"] for one in swede["metaData"]["resources"]}
    assert "ATC" not in prefixes
    assert {**swede, "metaData": 0} == {**everybody[3], "metaData": 0}
    assert [packet["id"] for packet in Phenopackets(parts["FI"], GENES)] == ["FI-1", "FI-2", "FI-3"]


def test_lines_are_phenopackets_and_the_same_bytes_each_time(tmp_path, packets):
    first, second = tmp_path / "a.jsonl.gz", tmp_path / "b.jsonl.gz"
    assert write_json_lines(packets, first) == 4
    write_json_lines(packets, second)
    assert first.read_bytes() == second.read_bytes()
    assert first.read_bytes()[4:8] == bytes(4)  # no time in the header
    with gzip.open(first, "rt") as lines:
        assert [json.loads(line) for line in lines] == list(packets)
