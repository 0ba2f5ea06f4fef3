"""OMOP tables load into databases: mandatory columns in SQLite, the official DDL in PostgreSQL."""

import re
import sqlite3

import pandas as pd

from rehearsal.export.omop import TABLES, write_omop

from .postgresql import postgresql

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
    "vocabulary/vocabulary": "vocabulary_id vocabulary_name vocabulary_concept_id",
}


def test_omop_tables_load_into_a_database_with_mandatory_columns(people, tables, tmp_path):
    write_omop(people, tables, tmp_path / "omop", YEAR)
    database = sqlite3.connect(":memory:")
    for name, columns in NOT_NULL.items():
        table = pd.read_csv(tmp_path / f"omop/{name}.csv", keep_default_na=False, na_values=[""])
        kinds = ", ".join(
            f"{column} {'NOT NULL' if column in columns.split() else ''}" for column in table
        )
        assert set(columns.split()) <= set(table)
        database.execute(f"CREATE TABLE {name.split('/')[-1]} ({kinds})")
        table.to_sql(name.split("/")[-1], database, if_exists="append", index=False)
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
    assert drugs == [("ATC:L02BA01", "2012-05-28"), ("ATC:L01CD02", "2026-12-31")]
    assert (
        "SYNTHETIC" in database.execute("SELECT source_description FROM cdm_source").fetchone()[0]
    )


def test_no_event_is_later_than_the_release_nor_before_its_person_was_born(
    people, tables, tmp_path
):
    write_omop(people, tables, tmp_path / "omop", YEAR)
    (release,) = pd.read_csv(tmp_path / "omop/cdm_source.csv")["cdm_release_date"]
    births = dict(enumerate(tables["subjects"]["birth_date"], start=1))
    for name in TABLES:
        table = pd.read_csv(tmp_path / f"omop/{name}.csv")
        for column in (one for one in table if one.endswith("_date")):
            assert (table[column] <= release).all()
            assert (table[column] >= table["person_id"].map(births)).all()


VOCABULARY = ("vocabulary", "domain", "concept_class", "concept")
ORDER = [*(f"vocabulary/{name}" for name in VOCABULARY), *TABLES, "cdm_source"]


def official(shared, name):
    """The statements of a file of CDM 5.4, for the schema ``cdm``."""
    sql = (shared / "reference/schemas/omop-5.4" / name).read_text()
    return re.sub("--.*", "", sql).replace("@cdmDatabaseSchema", "cdm")


def copies(folder, names):
    for name in names:
        header = (folder / f"{name}.csv").read_text().split("\n")[0]
        yield f"\\copy cdm.{name.split('/')[-1]} ({header}) FROM '{folder}/{name}.csv' CSV HEADER"


def test_omop_tables_load_into_postgresql_with_the_official_ddl_and_constraints(
    people, tables, shared, tmp_path
):
    long = tables["exposures"].assign(value_label="a label of more than sixty characters " * 2)
    tables["exposures"] = pd.concat([tables["exposures"], long], ignore_index=True)
    write_omop(people, tables, tmp_path / "omop", YEAR)
    with postgresql() as server:
        server.run("CREATE SCHEMA cdm", official(shared, "ddl.sql"))
        server.run(*copies(tmp_path / "omop", ORDER))
        # OHDSI's tables of vocabularies refer to each other, so constraints come last
        server.run(official(shared, "primary_keys.sql"), official(shared, "constraints.sql"))
        rows = [
            int(server.run(f"SELECT count(*) FROM cdm.{name.split('/')[-1]}")) for name in ORDER
        ]
        sexes = server.run(
            "SELECT person_source_value, concept_name FROM cdm.person "
            "JOIN cdm.concept ON gender_concept_id = concept_id ORDER BY 1"
        )
        values = server.run("SELECT value_as_string FROM cdm.observation ORDER BY observation_id")
    expected = {"person": 2, "observation_period": 2, "condition_occurrence": 1, "measurement": 1,
                "drug_exposure": 2, "observation": 3, "cdm_source": 1}  # fmt: skip
    assert dict(zip(ORDER[len(VOCABULARY) :], rows[len(VOCABULARY) :], strict=True)) == expected
    assert sexes.split() == ["FI-1,FEMALE", "FI-2,MALE"]
    assert values.splitlines()[:2] == [
        "Ex-smoker",
        ("a label of more than sixty characters " * 2)[:60],
    ]
