"""What others' matchmakers send, and what they read of an answer.

Each request has the form that its client gives it, with facts of our own patients where the answer
must find one. Read from:

- ``Clinical-Genomics/patientMatcher`` 8f233acad221bb4d62d1bbc51710a2bafb8d4c6d,
  patientMatcher/match/handler.py lines 156-191 (headers, body, results)
- ``broadinstitute/seqr`` 0203e8ace5b5820e8ff7d4b062fdcbe48d6161b2,
  matchmaker/views/matchmaker_api.py: _search_external_matches (headers, body, ``message`` of
  errors), update_mme_submission (zygosity, variants); 00bdd20a8e72b5d89463286cc84c7076e16fb3bf,
  matchmaker/matchmaker_utils.py: get_submission_json_for_external_match (the patient),
  _get_mme_gene_phenotype_ids (every genomic feature of an answer has a gene)
- ``MatchmakerExchange/reference-server`` a3a940aaa0d34043bfaf3fc3f763f6f04dac7a0b,
  mme_server/tests/test_app.py lines 13-57 (the example), 196-245 (headers and statuses)
- ``ga4gh/mme-apis`` 38234364c8fe8f24bce727cc783fbe8bb128bc53: search-api.md, heartbeat-api.md,
  metrics-api.md, join-protocol.md
"""

import asyncio
import hashlib
import json
from dataclasses import replace

import orjson
import pytest

from rehearsal.errors import InputError
from rehearsal.model import Gene
from rehearsal.node.access.matchmaker_settings import MatchmakerKey
from rehearsal.node.access.settings import Veto
from rehearsal.node.settings.gene_names import GeneNames
from rehearsal.node.settings.node_settings import NodeSettings

from ..access.test_access import CARE, HMB
from ..conftest import call
from .conftest import DELAY, MARTIN, MICROCEPHALY, VARIANT, patient

KEY = "854a439d278df4283bf5498ab020336cdc416a7d"  # the example of join-protocol.md
ENTRY = MatchmakerKey("matchmaker.hospital.ie", CARE, hashlib.sha256(KEY.encode()).hexdigest())
V1_0 = "application/vnd.ga4gh.matchmaker.v1.0+json"
V1_1 = "application/vnd.ga4gh.matchmaker.v1.1+json"
TABLE = (
    Gene("TLR7", "chrX", 12_867_072, 12_890_361, "+", ("HGNC:15631", "ENSG00000196664", "51284")),
)


@pytest.fixture(scope="module")
def keyed(make_node):
    """A node that knows one matchmaker's key."""
    return make_node(matchmakers=(ENTRY,))


def send(node, body, path="/match", key=KEY, method=None, **headers):
    """Return (status, JSON, headers) of a request by key."""
    told = {"x-auth-token": key, **{name.replace("_", "-"): one for name, one in headers.items()}}
    pairs = [(name.encode(), one.encode()) for name, one in told.items() if one is not None]
    raw = b"" if body is None else body if isinstance(body, bytes) else orjson.dumps(body)
    method = method or ("GET" if body is None else "POST")
    status, sent, answer = asyncio.run(call(node.app, path, raw, headers=pairs, method=method))
    return status, orjson.loads(answer), sent


def by_symbol(*names):
    return [{"gene": {"id": name}} for name in names]


# --- clients ---


def test_patient_matcher_gets_matches_by_its_key(keyed):
    asked = patient(_consent=...)
    headers = {"content_type": V1_0, "accept": V1_0}
    status, body, told = send(keyed, asked, **headers)
    assert (status, told[b"content-type"].decode()) == (200, V1_1)
    assert len(body["results"]) == 3
    for match in body["results"]:
        assert 0 <= match["score"]["patient"] <= 1
        assert match["patient"]["contact"]["href"].startswith("mailto:")


def test_seqr_gets_matches_for_what_it_stores(keyed):
    """seqr sends numAlt % 2 as zygosity, an empty list for no phenotypes, and a disclaimer."""
    contig, start, ref, alt = VARIANT
    variant = {
        "alternateBases": alt,
        "referenceBases": ref,
        "referenceName": contig.removeprefix("chr"),
        "start": start,
        "assembly": "GRCh38",
    }
    asked = {
        "_disclaimer": "as is",
        "patient": {
            "id": "I000001",
            "label": "NA19675",
            "contact": {"href": "mailto:a@b.example", "name": "A B", "institution": "C"},
            "species": "NCBITaxon:9606",
            "sex": "MALE",
            "features": [],
            "genomicFeatures": [{"gene": {"id": "PHGDH"}, "zygosity": 0, "variant": variant}],
        },
    }
    headers = {"content_type": V1_0, "accept": V1_0, "content_language": "en-US"}
    status, body, _ = send(keyed, asked, **headers)
    assert status == 200
    assert body["results"]
    genes = {one["gene"]["id"] for r in body["results"] for one in r["patient"]["genomicFeatures"]}
    assert genes == {"PHGDH"}


def test_the_reference_servers_example_is_understood(keyed):
    asked = {
        "patient": {
            "id": "1",
            "label": "patient 1",
            "contact": {
                "name": "First Last",
                "institution": "Contact Institution",
                "href": "mailto:first.last@example.com",
            },
            "ageOfOnset": "HP:0003577",
            "inheritanceMode": "HP:0000006",
            "features": [
                {"id": "HP:0000252", "label": "Microcephaly"},
                {"id": "HP:0000522", "label": "Alacrima", "ageOfOnset": "HP:0003593"},
            ],
            "genomicFeatures": [
                {
                    "gene": {"id": "EFTUD2"},
                    "type": {"id": "SO:0001587", "label": "STOPGAIN"},
                    "variant": {
                        "alternateBases": "A",
                        "assembly": "GRCh37",
                        "end": 42929131,
                        "referenceBases": "G",
                        "referenceName": "17",
                        "start": 42929130,
                    },
                    "zygosity": 1,
                }
            ],
            "disorders": [{"id": "MIM:610536"}],
        }
    }
    headers = {"content_type": "application/json", "accept": V1_0}
    status, body, told = send(keyed, asked, **headers)
    assert (status, body["results"], told[b"content-type"].decode()) == (200, [], V1_1)
    assert any("'GRCh37'" in note for note in body["_notes"])
    assert any("'EFTUD2'" in note for note in body["_notes"])
    assert send(keyed, asked, key=None, **headers)[0] == 401
    assert send(keyed, asked, key="another", **headers)[1]["message"]


def test_all_benchmark_patients_are_answered_without_our_own_field(keyed, shared):
    """The fifty of mme-apis, testing/benchmark_patients.json; each has a gene unknown here."""
    path = shared / "reference/schemas/mme/benchmark_patients.json"
    if not path.exists():
        pytest.skip("the Matchmaker Exchange's benchmark patients are not here")
    for one in json.loads(path.read_text()):
        status, body, _ = send(keyed, {"patient": one}, content_type=V1_1, accept=V1_1)
        assert (status, body["results"]) == (200, []), body
        gene = one["genomicFeatures"][0]["gene"]["id"]
        assert any(f"found '{gene}'" in note for note in body["_notes"])


# --- keys ---


def test_a_key_opens_matching_alone(keyed):
    for path in ("/individuals", "/g_variants", "/htsget/variants/GDI-FI-REHEARSAL-1"):
        with_key, without = send(keyed, None, path)[:2], send(keyed, None, path, key=None)[:2]
        assert with_key[0] == without[0]
    status, _, _ = send(keyed, patient())
    line = keyed.logged()[-1]
    assert (status, line["subject"], line["issuer"]) == (200, ENTRY.client, "matchmaker key")
    assert line["purpose"] == CARE
    assert KEY not in json.dumps(line)


def test_consent_and_vetoes_apply_to_keys(make_node, keyed):
    """The person who withdrew and the one without a record stay out; the veto names the country."""
    assert len(send(keyed, patient())[1]["results"]) == 3
    barred = make_node(matchmakers=(ENTRY,), vetoes=(Veto("not from there", country="IE"),))
    assert send(barred, patient())[0] == 403
    by_name = make_node(matchmakers=(ENTRY,), vetoes=(Veto("not them", subject=ENTRY.client),))
    assert send(by_name, patient())[0] == 403


def test_a_key_with_a_token_or_another_purpose_is_refused(keyed, clinician):
    assert send(keyed, patient(), authorization=f"Bearer {clinician}")[0] == 401
    assert send(keyed, patient(), x_rehearsal_purpose=HMB)[0] == 403
    assert send(keyed, patient(), x_rehearsal_purpose=CARE)[0] == 200


def test_a_removed_key_is_refused(keyed):
    node = keyed.app
    authorizer = node._authorizer
    before = replace(keyed.node_data.settings)
    try:
        authorizer._take_up(replace(before, access=replace(before.access, matchmakers=())))
        assert send(keyed, patient())[0] == 401
    finally:
        authorizer._take_up(before)
    assert send(keyed, patient())[0] == 200


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sha256": KEY}, "access.matchmakers[0].sha256: expected 64 hexadecimal digits"),
        ({"purpose": HMB}, "access.matchmakers[0].purpose: expected DUO:0000043"),
        ({"client": " "}, "access.matchmakers[0].client: expected a name"),
    ],
)
def test_an_entry_that_opens_nothing_is_refused(changes, message, tmp_path):
    settings = NodeSettings.for_country("FI", "Finland")
    access = replace(settings.access, matchmakers=(replace(ENTRY, **changes),))
    replace(settings, access=access).write(tmp_path)
    with pytest.raises(InputError) as refused:
        NodeSettings.read(tmp_path)
    assert message in str(refused.value)


def test_keys_and_gene_names_survive_the_settings_file(tmp_path):
    settings = NodeSettings.for_country("FI", "Finland", genes=TABLE)
    settings = replace(settings, access=replace(settings.access, matchmakers=(ENTRY,)))
    settings.write(tmp_path)
    assert NodeSettings.read(tmp_path) == settings
    assert KEY not in (tmp_path / "node.yaml").read_text()


# --- requests ---


def test_features_alone_are_enough(keyed):
    """Person 5 has the same terms without a gene; who has nothing in common is not a match."""
    status, body, _ = send(keyed, patient(genomicFeatures=..., _consent=...))
    assert status == 200
    assert body["results"][0]["score"]["patient"] == 1.0
    assert all(one["score"]["patient"] >= 0.1 for one in body["results"])
    assert send(keyed, patient(genomicFeatures=[], _consent=...))[1] == body


@pytest.mark.parametrize("features", [..., [], None])
def test_genes_alone_are_scored_by_the_share_that_is_shared(features, keyed):
    asked = patient(features=features, genomicFeatures=by_symbol("PHGDH", "XYZ1"), _consent=...)
    status, body, _ = send(keyed, asked)
    assert status == 200
    assert [one["score"]["patient"] for one in body["results"]] == [0.5] * 3  # 4, 6 and 7


@pytest.mark.parametrize("name", ["PHGDH", "phgdh", "26227", 26227])
def test_a_candidate_gene_has_a_symbol_and_an_entrez_id_in_any_case(name, keyed):
    _, body, _ = send(keyed, patient(genomicFeatures=by_symbol(name)))
    assert len(body["results"]) == 2  # 4 and 7; 6 has too little in common
    assert body["results"][0]["patient"]["genomicFeatures"] == by_symbol(str(name))


@pytest.mark.parametrize(
    "name", ["TLR7", "tlr7", "ENSG00000196664", "ensg00000196664.11", "51284", "HGNC:15631"]
)
def test_a_gene_of_the_table_has_all_its_names(name):
    assert GeneNames(TABLE).find(name) is TABLE[0]
    assert GeneNames(TABLE).find("BRCA1") is None


@pytest.mark.parametrize("assembly", ["GRCh38.p13", "GRCh38.p1", "grch38", "hg38"])
def test_every_patch_of_the_assembly_has_the_same_positions(assembly, keyed):
    asked = patient()
    asked["patient"]["genomicFeatures"][1]["variant"]["assembly"] = assembly
    _, body, _ = send(keyed, asked)
    assert body["results"][0]["patient"]["genomicFeatures"][0]["variant"]["start"] == VARIANT[1]


@pytest.mark.parametrize(
    "changes",
    [
        {"assembly": "GRCh37"},
        {"referenceName": "Un_KI270742v1"},
        {"alternateBases": "<DEL>"},
        {"alternateBases": "-"},
        {"referenceBases": None},
    ],
)
def test_a_variant_that_cannot_be_compared_gets_a_note(changes, keyed):
    asked = patient(genes=())
    asked["patient"]["genomicFeatures"][0]["variant"] |= changes
    status, body, _ = send(keyed, asked)
    assert status == 200
    assert "the variant is not compared" in body["_notes"][0]


def test_what_is_not_in_the_ontology_gets_a_note(keyed):
    features = [{"id": one} for one in (*MARTIN, "HP:9999999")]
    status, body, _ = send(keyed, patient(features=features))
    assert status == 200
    assert body["results"] == send(keyed, patient())[1]["results"]
    assert any("'HP:9999999'" in note for note in body["_notes"])


def test_a_note_about_a_gene_tells_of_nobody(keyed):
    """Person 1, who withdrew, has PHGDH on record: the note is that of any gene."""
    _, known, _ = send(keyed, patient(genomicFeatures=by_symbol("PHGDH")))
    _, other, _ = send(keyed, patient(genomicFeatures=by_symbol("XYZ1")))
    assert [one.replace("XYZ1", "PHGDH") for one in other["_notes"]] == known["_notes"]


def test_contradicting_features_get_a_note(keyed):
    status, body, _ = send(keyed, patient(absent=(DELAY,)))
    assert status == 200
    assert "contradict" in body["_notes"][0]


def test_neither_features_nor_genes_is_400(keyed):
    asked = patient(features=[], genomicFeatures=...)
    status, body, _ = send(keyed, asked)
    assert status == 400
    expected = "patient: expected at least one of features and genomicFeatures, found neither"
    assert body["message"] == expected


# --- versions and errors ---


@pytest.mark.parametrize("version", ["v1.0", "v1.1", "v1.7", "v1"])
def test_minor_versions_are_compatible(version, keyed):
    kind = f"application/vnd.ga4gh.matchmaker.{version}+json"
    status, _, told = send(keyed, patient(), content_type=kind, accept=kind)
    assert (status, told[b"content-type"].decode()) == (200, V1_1)


@pytest.mark.parametrize("header", ["content_type", "accept"])
@pytest.mark.parametrize("version", ["v0.1", "v2.0", "v10.0"])
def test_another_version_is_406_in_the_latest_one(header, version, keyed):
    kind = f"application/vnd.ga4gh.matchmaker.{version}+json"
    status, body, told = send(keyed, patient(), **{header: kind})
    assert (status, told[b"content-type"].decode()) == (406, V1_1)
    assert body["supportedVersions"] == ["1.0", "1.1"]
    assert kind in body["message"]


@pytest.mark.parametrize(
    ("body", "changes", "status"),
    [
        (b"", {}, 422),
        (b"{", {}, 422),
        (b"{}", {}, 400),
        (None, {"method": "GET"}, 405),
        (b"{}", {"content_type": "text/plain"}, 415),
        (b"{}", {"key": None}, 401),
        (b"{}", {"key": ""}, 401),
    ],
)
def test_errors_have_the_status_and_message_of_the_specification(body, changes, status, keyed):
    found, answer, _ = send(keyed, body, **changes)
    assert found == status
    assert isinstance(answer["message"], str)


# --- heartbeat and metrics ---


def test_the_heartbeat_is_for_key_holders(keyed):
    status, body, _ = send(keyed, None, "/heartbeat")
    assert status == 200
    beat = body["heartbeat"]
    assert (beat["production"], beat["accept"]) == (False, [V1_0, V1_1])
    assert isinstance(beat["version"], str)
    assert send(keyed, None, "/heartbeat", key=None)[0] == 401
    assert send(keyed, None, "/heartbeat", key="x")[1]["message"]


def test_metrics_count_those_who_may_be_matched(keyed):
    """1 and 3 of twelve are left out. 4, 6 and 7 have PHGDH on record."""
    status, body, _ = send(keyed, None, "/metrics")
    assert status == 200
    numbers = body["metrics"]
    assert numbers["numberOfCases"] == 10
    assert (numbers["numberOfGenes"], numbers["numberOfUniqueGenes"]) == (3, 1)
    assert len(numbers["dateGenerated"]) == len("2017-08-24")
    assert send(keyed, None, "/metrics", key=None)[0] == 401
    assert MICROCEPHALY not in json.dumps(body)
