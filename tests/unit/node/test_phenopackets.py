"""The Phenopacket of a node's person."""

from types import SimpleNamespace

from rehearsal.node.phenopackets import phenopacket


def test_a_phenopacket_is_made_when_its_person_has_the_age_that_it_states():
    record = {"id": "FI-1", "sex": {"label": "female"}, "info": {"age": 60}}
    record |= {"phenotypicFeatures": [], "diseases": []}
    settings = SimpleNamespace(reference_year=2026, version="1")
    body = phenopacket(record, SimpleNamespace(settings=settings))
    # ages are those at the end of the reference year
    assert body["subject"]["timeAtLastEncounter"]["age"]["iso8601duration"] == "P60Y"
    assert body["metaData"]["created"] == "2026-12-31T00:00:00Z"
