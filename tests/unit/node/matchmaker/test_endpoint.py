"""Authorization of match requests, media types, and the audit log."""

import json

import pytest

from rehearsal.network.tokens import create_person, sign_tokens
from rehearsal.node.access.settings import Veto
from rehearsal.node.matchmaker.endpoint import MEDIA_TYPE
from rehearsal.node.matchmaker.ranking import Ranking

from ..access.test_access import CARE, HMB, PEOPLE
from ..hostile_tokens import AUDIENCE, HOSTILE
from .conftest import MICROCEPHALY, patient


def test_people_who_do_not_permit_clinical_care_are_not_matched(node, clinician, make_node):
    """Person 1 withdrew and 3 has no record: both would be perfect matches."""
    _, body, _ = node.post(patient(), clinician)
    assert len(body["results"]) == 3
    _, open_body, _ = make_node(without_consent="include").post(patient(), clinician)
    assert open_body["results"][0]["score"]["patient"] == 1.0
    assert len(open_body["results"]) == 4


def test_the_patient_of_the_request_must_permit_it_too(node, clinician, monkeypatch):
    monkeypatch.setattr(Ranking, "matches", never)
    status, body, _ = node.post(patient(_consent=["DUO:0000042"]), clinician)
    assert status == 403
    expected = "The consent in patient._consent does not permit the purpose DUO:0000043."
    assert body["error"]["errorMessage"] == expected


def never(*_):
    raise AssertionError("people were looked at")


@pytest.mark.parametrize(
    ("role", "grants", "purpose", "expected"),
    [
        ("clinician", [], CARE, 403),
        ("clinician", [PEOPLE], HMB, 403),
        ("clinician", [PEOPLE], None, 403),
        ("researcher", [PEOPLE], CARE, 403),
        ("committee", [], CARE, 403),
    ],
)
def test_matching_requires_a_clinician_a_grant_and_clinical_care(
    role,
    grants,
    purpose,
    expected,
    node,
    forge,
    monkeypatch,
):
    """Refused before the body is read: an invalid body gets the same message."""
    monkeypatch.setattr(Ranking, "matches", never)
    token = sign_tokens(forge.mine, create_person(role, "IE", grants), AUDIENCE).passport
    status, body, _ = node.post(patient(), token, purpose)
    assert status == expected
    assert node.post(b"no JSON", token, purpose)[:2] == (status, body)
    assert node.logged()[-1]["status"] == expected


def test_without_a_token_it_is_401(node):
    status, _, headers = node.post(patient())
    assert status == 401
    assert headers[b"www-authenticate"] == b"Bearer"


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_tokens_match_nobody(name, node, forge, monkeypatch):
    monkeypatch.setattr(Ranking, "matches", never)
    assert node.post(patient(), HOSTILE[name](forge))[0] in (401, 403)


def test_a_veto_of_the_node_holds(make_node, clinician):
    node = make_node(vetoes=(Veto("not from there", country="IE"),))
    assert node.post(patient(), clinician)[0] == 403


def test_every_request_is_logged_without_its_content(node, clinician):
    node.post(patient(), clinician)
    line = node.logged()[-1]
    assert (line["method"], line["route"], line["status"]) == ("POST", "/match", 200)
    assert line["subject"] == "clinician-ie"
    assert not any(word in json.dumps(line) for word in ("PHGDH", MICROCEPHALY, "martin"))


@pytest.mark.parametrize(
    ("headers", "status", "answered"),
    [
        ({}, 200, MEDIA_TYPE),
        ({"content-type": MEDIA_TYPE, "accept": MEDIA_TYPE}, 200, MEDIA_TYPE),
        ({"content-type": "application/json; charset=utf-8"}, 200, MEDIA_TYPE),
        ({"accept": "application/json"}, 200, "application/json"),
        ({"accept": "application/vnd.ga4gh.matchmaker.v1.0+json"}, 200, MEDIA_TYPE),
        ({"accept": "application/vnd.ga4gh.matchmaker.v2.0+json"}, 406, MEDIA_TYPE),
        ({"content-type": "application/vnd.ga4gh.matchmaker.v2.0+json"}, 406, MEDIA_TYPE),
        ({"content-type": "application/x-www-form-urlencoded"}, 415, "application/json"),
    ],
)
def test_media_types_are_those_of_the_matchmaker_exchange(
    headers, status, answered, node, clinician
):
    found, body, told = node.post(patient(), clinician, headers=headers.items())
    assert (found, told[b"content-type"].decode()) == (status, answered)
    if status != 200:
        assert body["message"] == body["error"]["errorMessage"]
        assert body["supportedVersions"] == ["1.0", "1.1"]


def test_request_and_answer_match_the_openapi_description(ask, node, clinician):
    jsonschema = pytest.importorskip("jsonschema")
    _, description = ask("/openapi.json")
    operation = description["paths"]["/match"]["post"]

    def validate(content, document):
        schema = {**content[MEDIA_TYPE]["schema"], "components": description["components"]}
        jsonschema.Draft202012Validator(schema).validate(document)

    validate(operation["requestBody"]["content"], patient())
    status, body, _ = node.post(patient(), clinician)
    assert status == 200
    validate(operation["responses"]["200"]["content"], body)
