"""FHIR R4 bundles: one transaction per person (hl7.org/fhir/R4).

A bundle has the Patient, a Condition per disease, an Observation per measurement, exposure, missing
value and phenotypic feature, and a MedicationStatement per treatment. It can be sent to a server as
it is: every resource is put at its own identifier, so that sending twice changes nothing. Dates
other than those of births and treatments are the person's birthday at that age.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from rehearsal.export.clinical_tables import PersonRows
from rehearsal.model import SYNTHETIC
from rehearsal.phenotypes.dates import birthdays

Resource = dict[str, Any]

TABLES = (
    "subjects",
    "diseases",
    "measurements",
    "features",
    "excluded_features",
    "exposures",
    "treatments",
    "missing",
)
BASE = "https://rehearsal.example/fhir"  # of the identifiers of resources
TERMINOLOGY = "http://terminology.hl7.org/CodeSystem"
# code systems by prefix, as HL7 names them (terminology.hl7.org)
SYSTEMS = {
    "ATC": "http://www.whocc.no/atc",
    "HP": "http://human-phenotype-ontology.org",
    "ICD10": "http://hl7.org/fhir/sid/icd-10",
    "LOINC": "http://loinc.org",
    "MONDO": "http://purl.obolibrary.org/obo/mondo.owl",
    "NCIT": "http://ncicb.nci.nih.gov/xml/owl/EVS/Thesaurus.owl",
    "SNOMEDCT": "http://snomed.info/sct",
}
OBO = ("HP", "MONDO")  # whose codes keep the prefix
UCUM = "http://unitsofmeasure.org"
YEARS = {"unit": "years", "system": UCUM, "code": "a"}
# members of the profile of vital signs (hl7.org/fhir/R4/observation-vitalsigns.html)
VITAL_SIGNS = {"8302-2", "29463-7", "39156-5", "8480-6", "8462-4"}
# HL7 version 3 null flavours as codes of data-absent-reason; all others are unknown
ABSENT = {
    "ASKU": "asked-unknown",
    "MSK": "masked",
    "NA": "not-applicable",
    "NASK": "not-asked",
    "NAV": "temp-unknown",
    "NINF": "negative-infinity",
    "PINF": "positive-infinity",
}
TEST_DATA = {
    "tag": [{"system": f"{TERMINOLOGY}/v3-ActReason", "code": "HTEST", "display": SYNTHETIC}]
}


class FhirBundles:
    """The bundles of a group of people, made one at a time.

    Args:
        people: Rows of ``people.parquet``, one per person.
        tables: These people's rows of ``TABLES``, by name.
        reference_year: The last day of this year is the last day on record.

    Raises:
        KeyError: A table lacks a column of docs/reference/files.md.
    """

    def __init__(
        self, people: pd.DataFrame, tables: Mapping[str, pd.DataFrame], reference_year: int
    ) -> None:
        self._people = people.reset_index(drop=True)
        ids = pd.Index(self._people["id"])
        last = np.datetime64(f"{reference_year}-12-31", "D")
        born = tables["subjects"].set_index("individual")["birth_date"]
        self._rows = {
            name: PersonRows(_dated(tables[name], born, last), ids)
            for name in TABLES
            if name != "subjects"
        }
        self._born = born.reindex(ids).astype(str).tolist()

    def __len__(self) -> int:
        return len(self._people)

    def __iter__(self) -> Iterator[Resource]:
        for position, row in enumerate(self._people.itertuples()):
            resources = [_patient(str(row.id), row.sex, row.country, self._born[position])]
            for kind, made in self._records(position).items():
                for number, content in enumerate(made, start=1):
                    name = f"{row.id}-{kind}-{number}"
                    own = {"id": name, "subject": {"reference": f"Patient/{row.id}"}}
                    resources.append({**content, **own, "meta": TEST_DATA})
            yield {
                "resourceType": "Bundle",
                "id": str(row.id),
                "meta": TEST_DATA,
                "type": "transaction",
                "entry": list(map(_entry, resources)),
            }

    def _records(self, position: int) -> dict[str, list[Resource]]:
        """Build a person's resources by kind, each without its identifier and subject."""
        rows = {name: table.of(position) for name, table in self._rows.items()}
        absent = [row for row in rows["missing"] if row["table"] != "treatments"]
        return {
            "disease": list(map(_condition, rows["diseases"])),
            "measurement": list(map(_measurement, rows["measurements"])),
            "exposure": list(map(_exposure, rows["exposures"])),
            "missing": list(map(_missing, absent)),
            "feature": [_feature(row, True) for row in rows["features"]],
            "excluded": [_feature(row, False) for row in rows["excluded_features"]],
            "treatment": list(map(_medication, rows["treatments"])),
        }


def _dated(table: pd.DataFrame, born: pd.Series, last: np.datetime64) -> pd.DataFrame:
    """Add the date to each column of ages: ``age_date`` to ``age``."""
    births = born.reindex(table["individual"]).to_numpy().astype("datetime64[D]")
    dated = table.copy()
    for column in ("age", "age_of_onset"):
        if column in table:
            known = table[column].notna().to_numpy()
            days = np.full(len(table), None, dtype=object)
            ages = table[column][known].to_numpy(np.int64)
            days[known] = birthdays(births[known], ages, last).astype(str)
            dated[f"{column}_date"] = days
    return dated


def _entry(resource: Resource) -> Resource:
    place = f"{resource['resourceType']}/{resource['id']}"
    request = {"method": "PUT", "url": place}
    return {"fullUrl": f"{BASE}/{place}", "resource": resource, "request": request}


def _concept(*codings: tuple[str, str]) -> Resource:
    """Build a CodeableConcept of codes with their labels."""
    made = []
    for curie, label in codings:
        prefix, _, code = curie.partition(":")
        system = SYSTEMS.get(prefix, f"https://bioregistry.io/{prefix.lower()}")
        made.append({"system": system, "code": curie if prefix in OBO else code, "display": label})
    return {"coding": made, "text": codings[0][1]}


def _category(system: str, code: str) -> Resource:
    return {"coding": [{"system": f"{TERMINOLOGY}/{system}", "code": code}]}


def _patient(name: str, sex: str, country: str, born: str) -> Resource:
    return {
        "resourceType": "Patient",
        "id": name,
        "meta": TEST_DATA,
        "identifier": [{"system": f"{BASE}/people", "value": name}],
        "gender": sex,
        "birthDate": born,
        "address": [{"country": country}],
    }


def _condition(row: Resource) -> Resource:
    return {
        "resourceType": "Condition",
        "clinicalStatus": _category("condition-clinical", "active"),
        "verificationStatus": _category("condition-ver-status", "confirmed"),
        "category": [_category("condition-category", "problem-list-item")],
        "code": _concept((row["code"], row["label"]), (row["mondo"], row["mondo_label"])),
        "onsetAge": {"value": row["age_of_onset"], **YEARS},
    }


def _observation(category: str, row: Resource) -> Resource:
    return {
        "resourceType": "Observation",
        "status": "final",
        "category": [_category("observation-category", category)],
        "code": _concept((row["code"], row["label"])),
    }


def _category_of_measurement(row: Resource) -> str:
    return "vital-signs" if row["code"].partition(":")[2] in VITAL_SIGNS else "laboratory"


def _measurement(row: Resource) -> Resource:
    quantity = {"value": row["value"], "unit": row["unit"], "system": UCUM, "code": row["unit"]}
    return {
        **_observation(_category_of_measurement(row), row),
        "effectiveDateTime": row["age_date"],
        "valueQuantity": quantity,
    }


def _exposure(row: Resource) -> Resource:
    return {
        **_observation("social-history", row),
        "effectiveDateTime": row["age_date"],
        "valueCodeableConcept": _concept((row["value"], row["value_label"])),
    }


def _missing(row: Resource) -> Resource:
    is_exposure = row["table"] == "exposures"
    category = "social-history" if is_exposure else _category_of_measurement(row)
    reason = _category("data-absent-reason", ABSENT.get(row["null_flavour"], "unknown"))
    return {**_observation(category, row), "dataAbsentReason": reason}


def _feature(row: Resource, present: bool) -> Resource:
    observed = {"effectiveDateTime": row["age_of_onset_date"]} if present else {}
    return {**_observation("exam", row), **observed, "valueBoolean": present}


def _medication(row: Resource) -> Resource:
    period = {"start": row["start_date"]}
    if row["end_date"] is not None:
        period["end"] = row["end_date"]
    statement: Resource = {
        "resourceType": "MedicationStatement",
        "status": _status(row),
        "medicationCodeableConcept": _concept((row["code"], row["label"])),
        "effectivePeriod": period,
        "reasonCode": [_concept((row["indication"], row["indication_label"]))],
    }
    if row["dose_mg"] is not None:
        dose = {"value": row["dose_mg"], "unit": "mg", "system": UCUM, "code": "mg"}
        daily = {"repeat": {"frequency": row["doses_per_day"], "period": 1, "periodUnit": "d"}}
        statement["dosage"] = [{"timing": daily, "doseAndRate": [{"doseQuantity": dose}]}]
    if row["adverse_event"] is not None:
        event = _concept((row["adverse_event"], row["adverse_event_label"]))
        statement["statusReason"] = [event]
    if row["response"] is not None:
        statement["note"] = [{"text": f"Response: {row['response_label']} ({row['response']})"}]
    return statement


def _status(row: Resource) -> str:
    if row["end_date"] is None:
        return "active"
    return "completed" if row["adverse_event"] is None else "stopped"
