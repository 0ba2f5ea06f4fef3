"""OMOP tables load into a database that demands the mandatory columns."""

import sqlite3

import pandas as pd

from rehearsal.export.omop import TABLES, write_omop

YEAR = 2026

# columns that CDM 5.4 declares NOT NULL (inst/ddl/5.4 of OHDSI/CommonDataModel)
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


def test_omop_tables_load_into_a_database_with_mandatory_columns(people, tables, tmp_path):
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
