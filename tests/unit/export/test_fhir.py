"""FHIR bundles are what fhir.resources reads, and hold the facts of the tables."""

import pandas as pd
import pytest

from rehearsal.export.fhir import FhirBundles, _missing


def frame(columns, *rows):
    return pd.DataFrame(rows, columns=columns.split())


@pytest.fixture
def bundles(people, tables):
    breast = ("MONDO:0007254", "breast cancer")
    tables["diseases"] = tables["diseases"].assign(mondo=breast[0], mondo_label=breast[1])
    tables["excluded_features"] = frame("individual code label", ("FI-1", "HP:0001250", "Seizure"))
    tables["treatments"] = tables["treatments"].assign(
        indication="ICD10:C50",
        indication_label="Malignant neoplasm of breast",
        adverse_event_label=[None, "Myopathy"],
    )
    return list(FhirBundles(people, tables, 2026))


def resources(bundle, kind):
    found = [entry["resource"] for entry in bundle["entry"]]
    return [one for one in found if one["resourceType"] == kind]


def test_fhir_resources_accept_every_bundle(bundles):
    """R4B has the resources of R4 that are used here without change."""
    bundle = pytest.importorskip("fhir.resources.R4B.bundle", reason="no fhir.resources").Bundle
    for one in bundles:
        read = bundle.model_validate(one)  # an unknown field or a wrong type raises
        assert read.type == "transaction" and read.entry[0].resource.id == one["id"]
        for entry in read.entry:
            assert entry.request.url == f"{entry.resource.get_resource_type()}/{entry.resource.id}"


def test_every_resource_is_of_the_patient_and_says_that_it_is_test_data(bundles):
    for bundle in bundles:
        (patient,) = resources(bundle, "Patient")
        identifiers = [entry["resource"]["id"] for entry in bundle["entry"]]
        assert len(set(identifiers)) == len(identifiers)
        for entry in bundle["entry"]:
            own = entry["resource"]
            assert own["meta"]["tag"][0]["code"] == "HTEST"
            assert "SYNTHETIC" in own["meta"]["tag"][0]["display"]
            if own is not patient:
                assert own["subject"] == {"reference": f"Patient/{patient['id']}"}


def test_a_womans_disease_drugs_and_measurements(bundles):
    woman = bundles[0]
    assert resources(woman, "Patient")[0]["birthDate"] == "1966-02-28"
    (condition,) = resources(woman, "Condition")
    assert [(one["system"], one["code"]) for one in condition["code"]["coding"]] == [
        ("http://hl7.org/fhir/sid/icd-10", "C50"),
        ("http://purl.obolibrary.org/obo/mondo.owl", "MONDO:0007254"),
    ]
    assert condition["onsetAge"]["value"] == 41
    ldl, present, absent = resources(woman, "Observation")
    assert ldl["effectiveDateTime"] == "2026-02-28"
    assert (ldl["valueQuantity"]["value"], ldl["valueQuantity"]["code"]) == (3.25, "mmol/L")
    assert (present["valueBoolean"], absent["valueBoolean"]) == (True, False)
    ended, ongoing = resources(woman, "MedicationStatement")
    assert (ended["status"], ended["effectivePeriod"]) == (
        "completed",
        {"start": "2007-05-28", "end": "2012-05-28"},
    )
    assert ended["dosage"][0]["timing"]["repeat"]["frequency"] == 2
    assert ended["dosage"][0]["doseAndRate"][0]["doseQuantity"]["value"] == 20.0
    assert (ongoing["status"], "end" in ongoing["effectivePeriod"]) == ("active", False)


@pytest.mark.parametrize(
    ("table", "code", "category"),
    [
        ("measurements", "LOINC:22748-8", "laboratory"),
        ("measurements", "LOINC:8480-6", "vital-signs"),
        ("exposures", "LOINC:72166-2", "social-history"),
    ],
)
def test_a_missing_value_has_the_category_of_a_measured_one(table, code, category):
    row = {"table": table, "code": code, "label": "a value", "null_flavour": "UNK"}
    assert _missing(row)["category"][0]["coding"][0]["code"] == category


def test_a_missing_value_has_its_reason(bundles):
    smoking, missing = resources(bundles[1], "Observation")
    assert smoking["valueCodeableConcept"]["coding"][0]["system"] == "http://snomed.info/sct"
    assert missing["dataAbsentReason"]["coding"][0]["code"] == "not-asked"
    assert not any(key.startswith("value") for key in missing)
