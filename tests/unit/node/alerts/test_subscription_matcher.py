"""Which subscribers are alerted about a new patient, and when nobody is."""

import json
from dataclasses import replace

import pytest

from rehearsal.model import Variant
from rehearsal.node.access.settings import Veto
from rehearsal.node.alerts.alert_store import find_person_of_alert
from rehearsal.node.alerts.patient_import import import_patient, read_patient

from .conftest import CARE, COMMON, MILD, PATIENT


def test_a_matching_patient_raises_one_alert_without_a_record(node):
    subscription = node.subscribe()
    assert node.alerts() == []
    node.monitor.process(PATIENT)
    (alert,) = node.alerts()
    assert set(alert) == {"subscription", "node", "time", "token"}
    assert (alert["subscription"], alert["node"]) == (subscription, "FI")
    assert "FI-A1" not in json.dumps(alert)
    assert find_person_of_alert(node.folder, alert["token"]) == "FI-A1"


@pytest.mark.parametrize(
    "change",
    [
        {"terms": frozenset({MILD})},
        {"terms": frozenset()},
        {"sex": "female"},
        {"sex": None},
        {"age": 41},
        {"age": 17},
        {"age": None},
        {"variants": frozenset()},
        {"variants": frozenset({COMMON})},  # in the gene, but frequent at this node
        {"variants": frozenset({Variant("chr17", 12_886_152, "C", "T")})},
    ],
)
def test_a_patient_who_does_not_match_raises_no_alert(node, change):
    node.start(without_consent="include")
    node.subscribe()
    assert node.monitor.process(replace(PATIENT, **change)) == []
    assert node.alerts() == []


def test_people_without_consent_do_not_make_a_variant_frequent(node):
    node.subscribe()
    carrier = replace(PATIENT, variants=frozenset({COMMON}))
    assert node.monitor.process(carrier)  # of the people here, nobody has a consent record


def test_descendants_of_a_term_match(node):
    node.subscribe(terms=["ICD10:U07"])
    assert node.monitor.process(replace(PATIENT, terms=frozenset({"ICD10:U07.1"})))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"uses": None}, "consent: none on record"),
        ({"uses": ("DUO:0000006",)}, "consent: not for this purpose"),
        ({"withdrawn": True}, "consent: withdrawn"),
    ],
)
def test_consent_is_honoured_and_the_decision_logged(node, change, why):
    subscription = node.subscribe()
    node.monitor.process(replace(PATIENT, **change))
    assert node.alerts() == []
    line = next(one for one in node.log() if one["method"] == "ALERT")
    assert (line["subscription"], line["rule"]) == (subscription, f"withheld: {why}")
    assert "FI-A1" not in json.dumps(line)


def test_expired_visas_raise_no_alert(node):
    node.subscribe()
    node.start(clock=lambda: 1e11)
    assert node.monitor.process(PATIENT) == []
    assert node.log()[-1]["rule"] == "withheld: the subscriber's visas expired"


def test_a_veto_that_came_later_is_honoured(node):
    node.subscribe()
    node.start(vetoes=(Veto("not Spain", country="ES"),))
    assert node.monitor.process(PATIENT) == []
    assert node.log()[-1]["rule"] == "withheld: no access to records any longer"


def test_an_issuer_that_is_no_longer_trusted_does_not_count(node):
    node.subscribe()
    node.start(issuers=())
    assert node.monitor.process(PATIENT) == []
    assert node.log()[-1]["rule"] == "withheld: issuer or role no longer accepted"


def test_an_alert_is_sent_once_when_a_patient_is_added_twice(node):
    node.subscribe()
    assert len(node.monitor.process(PATIENT)) == 1
    assert node.monitor.process(PATIENT) == []
    node.start()  # and after a restart
    assert node.monitor.process(PATIENT) == []
    assert len(node.alerts()) == 1


def test_a_new_patient_is_processed_and_raises_alerts(node, phenopacket):
    node.subscribe()
    waiting = import_patient(node.folder, phenopacket, consent=CARE)
    assert read_patient(waiting) == PATIENT
    node.monitor.process_folder()
    assert len(node.alerts()) == 1
    assert not waiting.exists()
    assert (node.folder / "arrivals" / "taken" / "FI-A1.json").exists()


def test_a_patient_added_while_the_node_is_down_is_processed_later(node, phenopacket):
    node.subscribe()
    import_patient(node.folder, phenopacket, consent=CARE)
    node.start()
    node.monitor.process_folder()
    assert len(node.alerts()) == 1


def test_an_unreadable_file_is_moved_aside_with_the_reason(node, phenopacket):
    folder = node.folder / "arrivals"
    folder.mkdir()
    (folder / "A.json").write_text("{}")
    node.subscribe()
    import_patient(node.folder, phenopacket, consent=CARE)
    node.monitor.process_folder()
    assert "phenopacket" in (folder / "refused" / "A.json.reason").read_text()
    assert len(node.alerts()) == 1
