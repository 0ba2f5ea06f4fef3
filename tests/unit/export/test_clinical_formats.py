"""Clinical tables in the formats of others: tidy tables, OMOP, Beacon documents."""

import gzip
import json
import runpy
import sqlite3
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import tskit

from rehearsal.export.beacon_json import COLLECTIONS, write_beacon_json
from rehearsal.export.genotypes import Genotypes
from rehearsal.export.omop import TABLES, write_omop
from rehearsal.export.phenotype_tables import phenotype_columns, write_phenotype_tables

SHARED = Path(__file__).resolve().parents[3] / "../shared"
YEAR = 2026


def frame(columns, *rows):
    return pd.DataFrame(rows, columns=columns.split())


@pytest.fixture
def people():
    return frame(
        "id country sex birth_year family father mother",
        ("FI-1", "FI", "female", 1966, "FI-F1", None, None),
        ("FI-2", "FI", "male", 1990, "FI-F1", None, "FI-1"),
    )


@pytest.fixture
def tables():
    run = "mean_autosome_coverage yield_bp_q30 pct_reads_mapped"
    treatment = (
        "individual code label dose_mg start_age end_age response response_label adverse_event"
    )
    return {
        "subjects": frame(
            "individual birth_date", ("FI-1", "1966-02-28"), ("FI-2", "1990-12-31")
        ),
        "diseases": frame(
            "individual code label age_of_onset", ("FI-1", "ICD10:C50", "Breast cancer", 41)
        ),
        "measurements": frame(
            "individual code label value unit age",
            ("FI-1", "LOINC:13457-7", "LDL cholesterol", 3.25, "mmol/L", 60),
        ),
        "features": frame(
            "individual code label age_of_onset", ("FI-1", "HP:0003002", "Breast carcinoma", 41)
        ),
        "exposures": frame(
            "individual code label value value_label age",
            ("FI-2", "LOINC:72166-2", "Smoking status", "SNOMEDCT:8517006", "Ex-smoker", 36),
        ),
        "treatments": frame(
            treatment,
            ("FI-1", "ATC:L02BA01", "tamoxifen", 20.0, 41, 46, "NCIT:C4870", "Remission", None),
            ("FI-1", "ATC:L01CD02", "docetaxel", None, 42, None, None, None, "HP:0003198"),
        ).astype({"end_age": "Int16"}),
        "missing": frame(
            "individual table code label null_flavour",
            ("FI-2", "measurements", "LOINC:13457-7", "LDL cholesterol", "NASK"),
        ),
        "biosamples": frame(
            "id individual tissue tissue_label sample_type sample_type_label collection_date "
            "collection_age",
            ("FI-1-BS", "FI-1", "UBERON:0000178", "blood", "NCIT:C17610", "Blood", "2024-01-01",
             57),
        ),
        "runs": frame(
            f"id biosample individual run_date target platform platform_label {run}",
            ("FI-1-RUN", "FI-1-BS", "FI-1", "2024-02-01", "WGS", "OBI:0002630", "NovaSeq", 31.5,
             10**11, 99.8),
        ),
        "analyses": frame(
            "id run biosample individual analysis_date pipeline aligner variant_caller count_snvs",
            ("FI-1-AN", "FI-1-RUN", "FI-1-BS", "FI-1", "2024-03-01", "Rehearsal", "none", "none",
             9),
        ),
    }  # fmt: skip


# --- tidy tables ---------------------------------------------------------------------------------


def test_phenotypes_are_a_row_an_observation_in_both_formats(people, tables, tmp_path):
    write_phenotype_tables(people, tables, tmp_path / "tables")
    columnar = pd.read_parquet(tmp_path / "tables/phenotypes.parquet")
    text = pd.read_csv(tmp_path / "tables/phenotypes.tsv", sep="\t")
    assert len(columnar) == len(text) == 7
    rows = columnar.set_index(["individual", "kind", "code"])
    assert rows.loc[("FI-1", "measurement", "LOINC:13457-7"), "value"] == 3.25
    assert rows.loc[("FI-2", "measurement", "LOINC:13457-7"), "null_flavour"] == "NASK"
    assert rows.loc[("FI-2", "exposure", "LOINC:72166-2"), "category"] == "SNOMEDCT:8517006"
    assert text["value"].dropna().tolist() == [3.25]
    metadata = pq.read_schema(tmp_path / "tables/people.parquet").metadata
    assert b"SYNTHETIC" in metadata[b"description"]


def test_the_dictionary_tells_code_unit_and_allowed_values(people, tables, tmp_path):
    write_phenotype_tables(people, tables, tmp_path / "tables")
    words = pd.read_csv(tmp_path / "tables/data_dictionary.tsv", sep="\t")
    assert "SYNTHETIC" in words["description"][0]
    by_code = words.dropna(subset=["code"]).set_index("code")
    assert by_code.loc["LOINC:13457-7", ["unit", "type"]].tolist() == ["mmol/L", "number"]
    assert by_code.loc["LOINC:72166-2", "allowed"] == "SNOMEDCT:8517006 (Ex-smoker)"
    assert by_code.loc["ICD10:C50", "type"] == "presence"
    columns = set(words["column"][words["table"] == "phenotypes"])
    assert set(pd.read_parquet(tmp_path / "tables/phenotypes.parquet").columns) <= columns


def test_columns_a_person_are_numbers_and_whether_somebody_is_ill(people, tables):
    wide = phenotype_columns(people, tables["measurements"], tables["diseases"])
    assert wide["LOINC_13457-7"].tolist()[0] == 3.25 and np.isnan(wide["LOINC_13457-7"][1])
    assert wide["ICD10_C50"].tolist() == [True, False]


# --- OMOP ----------------------------------------------------------------------------------------

# columns that CDM 5.4 does not let be null (inst/ddl/5.4 of OHDSI/CommonDataModel)
NOT_NULL = {
    "person": "person_id gender_concept_id year_of_birth race_concept_id ethnicity_concept_id",
    "observation_period": "observation_period_id person_id observation_period_start_date "
    "observation_period_end_date period_type_concept_id",
    "condition_occurrence": "condition_occurrence_id person_id condition_concept_id "
    "condition_start_date condition_type_concept_id",
    "measurement": "measurement_id person_id measurement_concept_id measurement_date "
    "measurement_type_concept_id",
    "drug_exposure": "drug_exposure_id person_id drug_concept_id drug_exposure_start_date "
    "drug_exposure_end_date drug_type_concept_id",
    "observation": "observation_id person_id observation_concept_id observation_date "
    "observation_type_concept_id",
    "cdm_source": "cdm_source_name cdm_source_abbreviation cdm_holder source_release_date "
    "cdm_release_date cdm_version_concept_id vocabulary_version",
    "vocabulary": "vocabulary_id vocabulary_name vocabulary_concept_id",
}


def test_omop_tables_load_into_a_database_that_wants_the_mandatory_columns(
    people, tables, tmp_path
):
    write_omop(people, tables, tmp_path / "omop", YEAR)
    database = sqlite3.connect(":memory:")
    for name, columns in NOT_NULL.items():
        table = pd.read_csv(tmp_path / f"omop/{name}.csv")
        kinds = ", ".join(
            f"{column} {'NOT NULL' if column in columns.split() else ''}" for column in table
        )
        assert set(columns.split()) <= set(table)
        database.execute(f"CREATE TABLE {name} ({kinds})")
        table.to_sql(name, database, if_exists="append", index=False)
    orphans = [
        database.execute(
            f"SELECT count(*) FROM {name} WHERE person_id NOT IN (SELECT person_id FROM person)"
        ).fetchone()[0]
        for name in TABLES
    ]
    assert orphans == [0] * len(TABLES)
    found = database.execute(
        "SELECT person_source_value, condition_source_value, condition_start_date "
        "FROM condition_occurrence JOIN person USING (person_id)"
    ).fetchall()
    assert found == [("FI-1", "ICD10:C50", "2007-02-28")]
    drugs = database.execute(
        "SELECT drug_source_value, drug_exposure_end_date FROM drug_exposure"
    ).fetchall()
    assert drugs == [("ATC:L02BA01", "2012-02-28"), ("ATC:L01CD02", "2026-12-31")]
    assert (
        "SYNTHETIC" in database.execute("SELECT source_description FROM cdm_source").fetchone()[0]
    )


# --- Beacon documents ----------------------------------------------------------------------------


def genotypes_of(people):
    """Both carry a deletion: the woman on both copies, the man, with one copy, on his."""
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
    assert [len(documents[name]) for name in COLLECTIONS] == [1, 1, 2, 1, 1, 1, 1]
    (dataset,) = documents["datasets"]
    assert "SYNTHETIC" in dataset["description"]
    others = [one for name in COLLECTIONS[1:] for one in documents[name]]
    assert {one["datasetId"] for one in others} == {dataset["id"]}
    ids = {one["id"] for one in documents["individuals"]}
    assert {one["individualId"] for one in documents["biosamples"]} <= ids


def test_a_variation_tells_its_place_carriers_and_frequency(documents):
    (variation,) = documents["genomicVariations"]
    assert variation["variantInternalId"] == "chrX-100-ACT-A"
    assert variation["variation"]["variantType"] == "DEL"
    cases = [(c["individualId"], c["zygosity"]["label"]) for c in variation["caseLevelData"]]
    assert cases == [("FI-1", "homozygous"), ("FI-2", "hemizygous")]
    (frequencies,) = variation["frequencyInPopulations"]
    assert frequencies["frequencies"][0]["alleleNumber"] == 3
    assert variation["_position"]["startInteger"] == 99


def test_the_official_schemas_take_every_document(documents):
    validator = SHARED / "tools/validate_beacon.py"
    if not validator.is_file():
        pytest.skip(f"the official schemas are not there: {SHARED}")
    schemas = f"{SHARED / 'reference/schemas/beacon-v2.1.1'}/"
    errors = runpy.run_path(str(validator), init_globals={"B": schemas})["errs"]
    for name in COLLECTIONS:
        schema = f"models/json/beacon-v2-default-model/{name}/defaultSchema.json"
        for document in documents[name]:
            assert errors(schema, document) == [], name
