"""Tidy phenotypes and their dictionary."""

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from rehearsal.export.phenotype_tables import (
    PHENOTYPE_COLUMNS,
    phenotype_columns,
    tidy_phenotypes,
    write_phenotype_tables,
)


def test_phenotypes_have_one_row_per_observation_in_both_formats(people, tables, tmp_path):
    write_phenotype_tables(people, tables, tmp_path / "tables")
    columnar = pd.read_parquet(tmp_path / "tables/phenotypes.parquet")
    text = pd.read_csv(tmp_path / "tables/phenotypes.tsv", sep="\t")
    assert len(columnar) == len(text) == 7
    rows = columnar.set_index(["individual", "kind", "code"])
    assert rows.loc[("FI-1", "measurement", "LOINC:22748-8"), "value"] == 3.25
    assert rows.loc[("FI-2", "measurement", "LOINC:22748-8"), "null_flavour"] == "NASK"
    assert rows.loc[("FI-2", "exposure", "LOINC:72166-2"), "category"] == "SNOMEDCT:8517006"
    assert text["value"].dropna().tolist() == [3.25]
    metadata = pq.read_schema(tmp_path / "tables/people.parquet").metadata
    assert b"SYNTHETIC" in metadata[b"description"]


def test_a_treatment_is_one_row_with_its_end_dose_and_why_its_response_is_missing(tables):
    rows = tidy_phenotypes(tables).set_index("code")
    tamoxifen, docetaxel = rows.loc["ATC:L02BA01"], rows.loc["ATC:L01CD02"]
    names = ["age", "age_end", "dose", "doses_per_day"]
    assert tamoxifen[names].tolist() == [41, 46, 20.0, 2]
    assert pd.isna(tamoxifen["null_flavour"]) and tamoxifen["category"] == "NCIT:C4870"
    assert docetaxel["age"] == 42 and docetaxel["null_flavour"] == "UNK"
    assert docetaxel[names[1:]].isna().all()


def test_each_course_of_one_drug_has_its_own_reason(tables):
    (course,) = tables["treatments"].query("code == 'ATC:L01CD02'").to_dict("records")
    again = pd.DataFrame([{**course, "start_age": 50}])
    tables["treatments"] = pd.concat([tables["treatments"], again], ignore_index=True)
    (reason,) = tables["missing"].query("table == 'treatments'").to_dict("records")
    more = pd.DataFrame([{**reason, "null_flavour": "NAV"}])
    tables["missing"] = pd.concat([tables["missing"], more], ignore_index=True)
    rows = tidy_phenotypes(tables).query("code == 'ATC:L01CD02'")
    assert rows.set_index("age")["null_flavour"].to_dict() == {42: "UNK", 50: "NAV"}


def test_people_without_any_observation_give_an_empty_table_with_its_columns(
    people, tables, tmp_path
):
    nobody = {name: table.iloc[:0] for name, table in tables.items()}
    write_phenotype_tables(people, nobody, tmp_path / "tables")
    columnar = pd.read_parquet(tmp_path / "tables/phenotypes.parquet")
    assert list(columnar) == list(PHENOTYPE_COLUMNS) and columnar.empty
    assert (
        pd.read_csv(tmp_path / "tables/phenotypes.tsv", sep="\t").columns.size == columnar.shape[1]
    )
    words = pd.read_csv(tmp_path / "tables/data_dictionary.tsv", sep="\t")
    assert set(words["column"].dropna()) >= set(PHENOTYPE_COLUMNS)


def test_the_dictionary_has_code_unit_and_allowed_values(people, tables, tmp_path):
    write_phenotype_tables(people, tables, tmp_path / "tables")
    words = pd.read_csv(tmp_path / "tables/data_dictionary.tsv", sep="\t")
    assert "SYNTHETIC" in words["description"][0]
    drug = words.loc[words["code"] == "ATC:L01CD02", "rows"]
    assert drug.tolist() == [1]  # its missing response is no second row
    by_code = words.dropna(subset=["code"]).set_index("code")
    assert by_code.loc["LOINC:22748-8", ["unit", "type"]].tolist() == ["mmol/L", "number"]
    assert by_code.loc["LOINC:72166-2", "allowed"] == "SNOMEDCT:8517006 (Ex-smoker)"
    assert by_code.loc["ICD10:C50", "type"] == "presence"
    columns = set(words["column"][words["table"] == "phenotypes"])
    assert set(pd.read_parquet(tmp_path / "tables/phenotypes.parquet").columns) <= columns


def test_wide_columns_are_ages_numbers_and_whether_a_person_is_ill(people, tables):
    wide = phenotype_columns(people, tables["measurements"], tables["diseases"], 2026)
    assert list(wide) == ["AGE", "LOINC_22748_8", "ICD10_C50"]
    assert wide["AGE"].tolist() == [60, 36]
    assert wide["LOINC_22748_8"].tolist()[0] == 3.25 and np.isnan(wide["LOINC_22748_8"][1])
    assert wide["ICD10_C50"].tolist() == [True, False]
