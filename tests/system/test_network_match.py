"""A match request goes through the network to real nodes, one of which is stopped."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace

import pandas as pd
import pytest

from rehearsal.network.issuer import CENTRAL_COMMITTEE, TRUSTED, make_issuer, rehearsal_access
from rehearsal.network.launcher import running_network, running_nodes
from rehearsal.network.tokens import create_person, sign_tokens
from rehearsal.node.access.matchmaker_settings import MatchmakerKey
from rehearsal.node.matchmaker.index import FILE_NAME
from rehearsal.node.matchmaker.index_writer import build_matchmaker_index
from rehearsal.node.settings.node_settings import NodeSettings
from rehearsal.node.vcf_import import build_from_vcf
from rehearsal.stores.ontology import HumanPhenotypeOntology
from rehearsal.stores.people_store_writer import build_people

from .test_network_service import LONG_S, ask, told

pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]

CARE = "DUO:0000043"
PHGDH = ("chr1", 119_712_023, "T", "C")
MARTIN = ("HP:0000252", "HP:0000274", "HP:0001263", "HP:0001250", "HP:0012279")
# one person each, by country: terms, candidate gene, copies of the variant; the last one of FI
# equals the patient and permits research only
CASES = {
    "ES": [((*MARTIN[:1], *MARTIN[2:]), "PHGDH", 2)],
    "FI": [(("HP:0000252", "HP:0001250"), "PSAT1", 0), (MARTIN, "PHGDH", 0)],
    "PL": [(("HP:0000252", "HP:0001263"), "PSAT1", 0)],
}
USES = {"FI-000002": "DUO:0000042"}
REQUEST = {
    "patient": {
        "id": "martin",
        "contact": {"name": "Dr Byrne", "href": "mailto:byrne@hospital.example.ie"},
        "features": [{"id": term} for term in MARTIN],
        "genomicFeatures": [{"gene": {"id": gene}} for gene in ("PHGDH", "PSAT1")],
        "_consent": [CARE],
    }
}
REQUEST["patient"]["genomicFeatures"][0]["variant"] = {
    "assembly": "GRCh38",
    "referenceName": "1",
    "start": PHGDH[1],
    "referenceBases": "T",
    "alternateBases": "C",
}


KEY = "854a439d278df4283bf5498ab020336cdc416a7d"
ENTRY = MatchmakerKey("hospital.ie", CARE, hashlib.sha256(KEY.encode()).hexdigest())


def build(folder, country, issuer, ontology):
    folder.mkdir(parents=True)
    cases = CASES[country]
    names = [f"{country}-{i + 1:06d}" for i in range(len(cases))]
    people = pd.DataFrame({"id": names, "sex": "female", "birth_year": 2015})
    people = people.assign(family=None, father=None, mother=None)
    calls = ["/".join("1" * copies + "0" * (2 - copies)) for _, _, copies in cases]
    head = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *names]
    row = ["chr1", str(PHGDH[1] + 1), ".", "T", "C", ".", ".", ".", "GT", *calls]
    lines = ["##fileformat=VCFv4.3", "##contig=<ID=chr1,length=248956422>"]
    lines.append('##FORMAT=<ID=GT,Number=1,Type=String,Description="">')
    (folder / "all.vcf").write_text("\n".join([*lines, "\t".join(head), "\t".join(row)]) + "\n")
    build_from_vcf([folder / "all.vcf"], people, folder / "variants.sqlite")
    uses = [USES.get(name, f"{CARE}, DUO:0000042") for name in names]
    consent = pd.DataFrame({"individual": names, "basis": "consent", "uses": uses})
    consent["withdrawn"] = False
    build_people(people, {"consent": consent}, folder / "people.sqlite")
    features = pd.DataFrame(
        [(name, term) for name, case in zip(names, cases, strict=True) for term in case[0]],
        columns=["individual", "code"],
    )
    candidates = pd.DataFrame({"individual": names, "gene": [gene for _, gene, _ in cases]})
    tables = {"features": features, "candidate_genes": candidates}
    build_matchmaker_index(names, tables, folder / FILE_NAME, ontology)
    shutil.copy(issuer.folder / "jwks.json", folder / TRUSTED)
    settings = NodeSettings.for_country(country, country)
    access = replace(rehearsal_access(country), matchmakers=(ENTRY,))
    replace(settings, access=access).write(folder)
    return folder


@pytest.fixture(scope="module")
def rehearsal(tmp_path_factory):
    """Yield the network, its nodes and its issuer."""
    place = tmp_path_factory.mktemp("match")
    issuer = make_issuer(place / "issuer")
    ontology = HumanPhenotypeOntology()
    folders = {one: build(place / "nodes" / one, one, issuer, ontology) for one in CASES}
    with (
        running_nodes(folders, place, 30) as nodes,
        running_network(nodes, LONG_S, place, 30) as service,
    ):
        yield service, nodes, issuer, place


def token(issuer, role="clinician", grants=(CENTRAL_COMMITTEE,)):
    return f"Bearer {sign_tokens(issuer, create_person(role, 'IE', grants)).passport}"


def match(service, authorization, body=REQUEST, purpose=CARE):
    headers = {"Authorization": authorization, "X-Rehearsal-Purpose": purpose}
    headers |= {"Content-Type": "application/json", "Accept": "application/json"}
    status, body = ask(service, "/match", body, **headers)
    return status, body


def test_the_case_with_the_same_variant_comes_first(rehearsal):
    service, _, issuer, _ = rehearsal
    status, body = match(service, token(issuer))
    assert status == 200
    assert [one["_node"] for one in body["results"]] == ["ES", "PL", "FI"]
    first = body["results"][0]["patient"]
    assert first["genomicFeatures"][0]["zygosity"] == 2
    assert len(first["features"]) == 4
    assert not any(name in json.dumps(body) for name in ("ES-0", "FI-0", "PL-0"))
    assert {one["state"] for one in body["info"]["nodes"]} == {"answered"}


def test_a_matchmaker_asks_the_network_by_its_key(rehearsal):
    """The nodes know the key; the network hands it on, as a token."""
    service, *_ = rehearsal
    patient = {key: one for key, one in REQUEST["patient"].items() if key != "_consent"}
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    by_key = headers | {"X-Auth-Token": KEY}
    status, body = ask(service, "/match", {"patient": patient}, **by_key)
    assert status == 200
    assert {one["_node"] for one in body["results"]} == {"ES", "FI", "PL"}
    assert body["disclaimer"]
    status, body = ask(service, "/match", {"patient": patient}, **headers)
    assert (status, bool(body["message"])) == (401, True)
    status, body = ask(service, "/heartbeat", **by_key)
    assert (status, len(body["heartbeat"]["accept"])) == (200, 2)
    status, body = ask(service, "/metrics", **by_key)
    assert (status, body["metrics"]["numberOfCases"]) == (200, 3)
    status, body = ask(service, "/heartbeat", **headers)
    assert (status, bool(body["message"])) == (401, True)


def test_the_networks_answer_is_as_its_description_says(rehearsal):
    jsonschema = pytest.importorskip("jsonschema")
    service, _, issuer, _ = rehearsal
    _, description = ask(service, "/openapi.json")
    operation = description["paths"]["/match"]["post"]
    _, body = match(service, token(issuer))
    for content, document in (
        (operation["requestBody"]["content"], REQUEST),
        (operation["responses"]["200"]["content"], body),
    ):
        schema = content["application/json"]["schema"]
        jsonschema.Draft202012Validator(
            {**schema, "components": description["components"]}
        ).validate(document)


def test_the_network_gives_what_each_node_gives(rehearsal):
    service, nodes, issuer, _ = rehearsal
    _, joined = match(service, token(issuer))
    for node in nodes:
        _, body = match(node, token(issuer))
        mine = [
            {key: value for key, value in one.items() if key != "_node"}
            for one in joined["results"]
            if one["_node"] == node.country
        ]
        assert body["results"] == mine


@pytest.mark.parametrize(
    ("role", "grants", "purpose", "expected"),
    [
        ("researcher", [CENTRAL_COMMITTEE], CARE, 403),
        ("clinician", [], CARE, 403),
        ("clinician", [CENTRAL_COMMITTEE], "DUO:0000006", 403),
    ],
)
def test_who_may_not_ask_is_refused_by_all(rehearsal, role, grants, purpose, expected):
    service, _, issuer, _ = rehearsal
    status, body = match(service, token(issuer, role, grants), purpose=purpose)
    assert status == expected
    assert {one["state"] for one in body["info"]["nodes"]} == {"refused"}


def test_a_forged_token_is_401_and_an_unknown_term_gets_a_note(rehearsal):
    service, _, issuer, place = rehearsal
    forged = token(make_issuer(place / "evil"))
    assert match(service, forged)[0] == 401
    patient = REQUEST["patient"] | {"features": [{"id": "HP:9999999"}]}
    status, body = match(service, token(issuer), {"patient": patient})
    assert status == 200
    assert any("HP:9999999" in note for note in body["_notes"])


def test_a_request_in_a_file_is_asked_by_command(rehearsal, tmp_path):
    service, _, issuer, _ = rehearsal
    (tmp_path / "case.json").write_text(json.dumps(REQUEST))
    command = [sys.executable, "-m", "rehearsal", "query", service.url, "match", "--purpose", CARE]
    command += ["--body", tmp_path / "case.json", "--token-variable", "TOKEN"]
    environment = os.environ | {"TOKEN": token(issuer).removeprefix("Bearer ")}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    first, *_ = done.stdout.splitlines()
    assert first.split()[1] == "ES"
    assert first.endswith("PHGDH x2")


def test_a_stopped_node_is_marked_and_the_others_answer(rehearsal):
    """This test must be the last one here: the Spanish node does not come back."""
    service, _, issuer, place = rehearsal
    os.kill(json.loads((place / "ES.endpoint.json").read_text())["pid"], signal.SIGKILL)
    status, body = match(service, token(issuer))
    assert status == 200
    assert [one["_node"] for one in body["results"]] == ["PL", "FI"]
    assert told(body)["ES"]["state"] == "failed"
    assert not body["info"]["complete"]
