"""OMOP Common Data Model 5.4: the clinical tables as CSV files (ohdsi.github.io/CommonDataModel).

Standard concepts need the vocabularies that OHDSI distributes under their own licences. Concept ids
are therefore 0 ("no matching concept"), except for sex, and every row has its source code. Mapping
is left to the loader, with ``source_to_concept_map`` or Usagi. Record types are 0 as well.

``vocabulary/`` has the few rows that the foreign keys of the clinical tables lead to, for databases
without OHDSI's vocabularies. Its ``vocabulary.csv`` says which vocabulary a prefix stands for.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from rehearsal.files import atomic_path
from rehearsal.model import SYNTHETIC
from rehearsal.phenotypes.dates import birthdays

NO_CONCEPT = 0
VALUE_WIDTH = 60  # of observation.value_as_string, in characters
SEX_CONCEPTS = {"male": 8507, "female": 8532}  # vocabulary Gender; (m): from memory
SCHEDULES = {1: "once daily", 2: "twice daily", 3: "three times daily", 4: "four times daily"}
# prefix of the codes: OMOP vocabulary id, name; (m), to be compared with the download
VOCABULARIES = {
    "ICD10": ("ICD10", "International Classification of Diseases, 10th revision (WHO)"),
    "LOINC": ("LOINC", "Logical Observation Identifiers Names and Codes"),
    "ATC": ("ATC", "Anatomical Therapeutic Chemical Classification"),
    "SNOMEDCT": ("SNOMED", "Systematized Nomenclature of Medicine, Clinical Terms"),
    "HP": ("HPO", "Human Phenotype Ontology (no OMOP vocabulary: source codes only)"),
    "NAACCR": ("NAACCR", "North American Association of Central Cancer Registries, data items"),
    "UCUM": ("UCUM", "Unified Code for Units of Measure"),
}
# the clinical tables; a table comes after those that its foreign keys lead to
TABLES = (
    "person",
    "observation_period",
    "condition_occurrence",
    "measurement",
    "drug_exposure",
    "observation",
)


def write_omop(
    people: pd.DataFrame,
    tables: Mapping[str, pd.DataFrame],
    folder: Path | str,
    reference_year: int,
) -> None:
    """Write the tables, ``cdm_source.csv`` and the folder ``vocabulary`` into a new folder.

    ``person_id`` is the row's number from 1; ``person_source_value`` is the cohort's identifier.
    Dates other than those of births and treatments are the person's birthday at that age.

    Args:
        people: Rows of ``people.parquet``, one per person.
        tables: These people's rows of ``subjects``, ``diseases``, ``measurements``, ``treatments``,
            ``exposures`` and ``features``, by name.
        folder: Where to write. It appears only when it is complete.
        reference_year: The last day of this year ends all observation periods.
    """
    births = tables["subjects"].set_index("individual")["birth_date"]
    person = _Persons(people["id"], births.reindex(people["id"]), reference_year)
    written = {
        "person": _person(people, person),
        "observation_period": _observation_period(person),
        "condition_occurrence": _conditions(tables["diseases"], person),
        "measurement": _measurements(tables["measurements"], person),
        "drug_exposure": _drugs(tables["treatments"], person),
        "observation": _observations(tables["exposures"], tables["features"], person),
        "cdm_source": _source(reference_year),
        "vocabulary/vocabulary": _vocabularies(),
        "vocabulary/domain": _names("domain", "Metadata", "Gender"),
        "vocabulary/concept_class": _names("concept_class", "Undefined", "Gender"),
        "vocabulary/concept": _concepts(),
    }
    with atomic_path(folder) as aside:
        (aside / "vocabulary").mkdir(parents=True)
        for name, table in written.items():
            table.to_csv(aside / f"{name}.csv", index=False, lineterminator="\n")


class _Persons:
    """Numbers and birthdays of people by identifier."""

    def __init__(self, ids: pd.Series, births: pd.Series, reference_year: int) -> None:
        self.number = pd.Series(np.arange(1, len(ids) + 1), index=ids.to_numpy())
        self.born = births.to_numpy().astype("datetime64[D]")
        self.last = np.datetime64(f"{reference_year}-12-31", "D")

    def ids(self, individuals: pd.Series) -> np.ndarray:
        return self.number.loc[individuals].to_numpy()

    def birthday(self, individuals: pd.Series, age: pd.Series) -> np.ndarray:
        """Return the dates on which people reached an age, at most the last day."""
        born = self.born[self.ids(individuals) - 1]
        return birthdays(born, age.to_numpy(np.int64), self.last)


def _person(people: pd.DataFrame, person: _Persons) -> pd.DataFrame:
    parts = pd.DatetimeIndex(person.born)
    return pd.DataFrame(
        {
            "person_id": person.number.to_numpy(),
            "gender_concept_id": people["sex"].map(SEX_CONCEPTS).to_numpy(),
            "year_of_birth": parts.year,
            "month_of_birth": parts.month,
            "day_of_birth": parts.day,
            "race_concept_id": NO_CONCEPT,
            "ethnicity_concept_id": NO_CONCEPT,
            "person_source_value": people["id"].to_numpy(),
            "gender_source_value": people["sex"].to_numpy(),
            "gender_source_concept_id": NO_CONCEPT,
        }
    )


def _observation_period(person: _Persons) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "observation_period_id": person.number.to_numpy(),
            "person_id": person.number.to_numpy(),
            "observation_period_start_date": person.born,
            "observation_period_end_date": person.last,
            "period_type_concept_id": NO_CONCEPT,
        }
    )


def _rows(name: str, table: pd.DataFrame, person: _Persons) -> dict[str, object]:
    return {
        f"{name}_id": np.arange(1, len(table) + 1),
        "person_id": person.ids(table["individual"]),
    }


def _conditions(diseases: pd.DataFrame, person: _Persons) -> pd.DataFrame:
    return pd.DataFrame(
        {
            **_rows("condition_occurrence", diseases, person),
            "condition_concept_id": NO_CONCEPT,
            "condition_start_date": person.birthday(
                diseases["individual"], diseases["age_of_onset"]
            ),
            "condition_type_concept_id": NO_CONCEPT,
            "condition_source_value": diseases["code"].to_numpy(),
            "condition_source_concept_id": NO_CONCEPT,
        }
    )


def _measurements(measurements: pd.DataFrame, person: _Persons) -> pd.DataFrame:
    return pd.DataFrame(
        {
            **_rows("measurement", measurements, person),
            "measurement_concept_id": NO_CONCEPT,
            "measurement_date": person.birthday(measurements["individual"], measurements["age"]),
            "measurement_type_concept_id": NO_CONCEPT,
            "value_as_number": measurements["value"].to_numpy(),
            "unit_concept_id": NO_CONCEPT,
            "measurement_source_value": measurements["code"].to_numpy(),
            "measurement_source_concept_id": NO_CONCEPT,
            "unit_source_value": measurements["unit"].to_numpy(),
        }
    )


def _drugs(treatments: pd.DataFrame, person: _Persons) -> pd.DataFrame:
    """Build ``drug_exposure``. An ongoing treatment ends on the last day of the reference year."""
    dose = treatments["dose_mg"]
    pairs = zip(dose, treatments["doses_per_day"], strict=True)
    sig = [f"{mg:g} mg {SCHEDULES[often]}" if pd.notna(mg) else None for mg, often in pairs]
    return pd.DataFrame(
        {
            **_rows("drug_exposure", treatments, person),
            "drug_concept_id": NO_CONCEPT,
            "drug_exposure_start_date": treatments["start_date"].to_numpy(),
            "drug_exposure_end_date": treatments["end_date"].fillna(str(person.last)).to_numpy(),
            "drug_type_concept_id": NO_CONCEPT,
            "stop_reason": treatments["adverse_event"].to_numpy(),
            "sig": np.array(sig, dtype=object),
            "drug_source_value": treatments["code"].to_numpy(),
            "drug_source_concept_id": NO_CONCEPT,
            "dose_unit_source_value": np.array([None, "mg"], dtype=object)[
                dose.notna().astype(int)
            ],
        }
    )


def _observations(
    exposures: pd.DataFrame, features: pd.DataFrame, person: _Persons
) -> pd.DataFrame:
    """Build ``observation`` from exposures, with their coded values, and from present features."""
    present = features.rename(columns={"age_of_onset": "age"}).assign(
        value=features["code"], value_label=features["label"]
    )
    columns = ["individual", "code", "value", "value_label", "age"]
    table = pd.concat([exposures[columns], present[columns]], ignore_index=True)
    return pd.DataFrame(
        {
            **_rows("observation", table, person),
            "observation_concept_id": NO_CONCEPT,
            "observation_date": person.birthday(table["individual"], table["age"]),
            "observation_type_concept_id": NO_CONCEPT,
            "value_as_string": table["value_label"].str.slice(stop=VALUE_WIDTH).to_numpy(),
            "observation_source_value": table["code"].to_numpy(),
            "observation_source_concept_id": NO_CONCEPT,
            "value_source_value": table["value"].to_numpy(),
        }
    )


def _source(reference_year: int) -> pd.DataFrame:
    row = {
        "cdm_source_name": "Rehearsal, synthetic",
        "cdm_source_abbreviation": "REHEARSAL",
        "cdm_holder": "nobody: the people do not exist",
        "source_description": SYNTHETIC,
        "source_release_date": f"{reference_year}-12-31",
        "cdm_release_date": f"{reference_year}-12-31",
        "cdm_version": "v5.4",
        "cdm_version_concept_id": NO_CONCEPT,
        "vocabulary_version": "none",
    }
    return pd.DataFrame([row])


def _vocabularies() -> pd.DataFrame:
    """Build ``vocabulary``: the prefixes of codes, and the vocabularies of ``_concepts``."""
    rows = [
        (identifier, name, f"source codes with the prefix {prefix}:")
        for prefix, (identifier, name) in VOCABULARIES.items()
    ]
    rows += [("None", "OMOP Standardized Vocabularies", ""), ("Gender", "OMOP Gender", "")]
    table = pd.DataFrame(rows, columns=["vocabulary_id", "vocabulary_name", "vocabulary_reference"])
    return table.assign(vocabulary_concept_id=NO_CONCEPT)


def _names(table: str, *names: str) -> pd.DataFrame:
    """Build ``domain`` or ``concept_class``, where the name is the identifier."""
    columns = {f"{table}_id": names, f"{table}_name": names, f"{table}_concept_id": NO_CONCEPT}
    return pd.DataFrame(columns)


def _concepts() -> pd.DataFrame:
    """Build ``concept``: the concepts that the clinical tables name."""
    none = "No matching concept"
    rows = [(NO_CONCEPT, none, "Metadata", "None", "Undefined", "", none)]
    rows += [
        (concept, sex.upper(), "Gender", "Gender", "Gender", "S", sex[0].upper())
        for sex, concept in SEX_CONCEPTS.items()
    ]
    columns = [
        "concept_id",
        "concept_name",
        "domain_id",
        "vocabulary_id",
        "concept_class_id",
        "standard_concept",
        "concept_code",
    ]
    table = pd.DataFrame(rows, columns=columns)
    return table.assign(valid_start_date="1970-01-01", valid_end_date="2099-12-31")
