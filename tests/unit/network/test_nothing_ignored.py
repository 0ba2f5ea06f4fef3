"""What a request says counts or is refused, without a token and with a grant."""

import asyncio

import orjson
import pytest

from ..node.conftest import call

INFORMATIONAL = ("/", "/info", "/map", "/configuration", "/entry_types", "/service-info")

both = pytest.mark.parametrize("granted", [False, True])
everywhere = pytest.mark.parametrize("where", ["EE", "network"])


def parameters_of(**given):
    return {"query": {"requestParameters": given, "requestedGranularity": "count"}}


@both
@everywhere
@pytest.mark.parametrize("path", ["/individuals", "/filtering_terms", "/info"])
def test_the_body_of_a_get_is_refused(asked, where, granted, path):
    body = orjson.dumps({"query": {"filters": [{"id": "NCIT:C16576"}]}})
    headers = [(b"content-length", str(len(body)).encode())]
    if granted:
        headers.append((b"authorization", f"Bearer {asked.token}".encode()))
    status, _, answer = asyncio.run(call(asked.apps[where], path, body, "", "GET", headers))
    assert status == 400
    assert orjson.loads(answer)["error"]["errorMessage"] == (
        "the body: expected none, as a GET has its query in the URL, found a body"
    )
    empty = [(b"content-length", b"0"), *headers[1:]]
    status, _, _ = asyncio.run(call(asked.apps[where], path, b"", "", "GET", empty))
    assert status == 200


@everywhere
@pytest.mark.parametrize("path", INFORMATIONAL)
def test_informational_endpoints_refuse_unknown_keys(asked, where, path):
    for unknown in ("foo=1", "filters=NCIT:C16576", "requestedGranularity=count"):
        status, answer = asked.ask(where, path, parameters=unknown, granted=False)
        assert status == 400
        assert "the query string: expected one of the parameters" in str(answer["error"])
    known = "apiVersion=v2.0&requestedSchemas=ga4gh-beacon-info-v2.0"
    assert asked.ask(where, path, parameters=known, granted=False)[0] == 200


@both
@everywhere
def test_an_empty_assembly_is_refused_like_any_empty_value(asked, where, granted):
    sent = "referenceName=17&start=43057061&referenceBases=T&alternateBases=TG&assemblyId="
    status, answer = asked.ask(where, "/g_variants", parameters=sent, granted=granted)
    assert status == 400
    assert "assemblyId: expected GRCh38 or GRCh37, found ''" in answer["error"]["errorMessage"]


@both
@everywhere
def test_a_path_has_no_dots_for_a_name(asked, where, granted):
    for path in ("/individuals/..", "/individuals/.", "/g_variants/../individuals"):
        status, answer = asked.ask(where, path, granted=granted)
        assert status == 404
        assert answer["error"]["errorMessage"].startswith("the path: expected")


@everywhere
def test_the_test_mode_is_true_or_false_or_left_out(asked, where):
    status, answer = asked.ask(where, "/individuals", parameters="testMode=True", granted=False)
    assert status == 400
    assert answer["error"]["errorMessage"].endswith(
        "testMode: expected true or false, found 'True'"
    )
    status, answer = asked.ask(where, "/individuals", {"query": {"testMode": None}}, granted=True)
    assert status == 200
    assert answer["meta"]["testMode"] is False


# --- what a path and a list of datasets name ---


@both
@everywhere
@pytest.mark.parametrize("path", ["/datasets/NOPE", "/cohorts/NOPE", "/g_variants/foo"])
def test_what_is_no_collection_has_no_filtering_terms(asked, where, granted, path):
    status, answer = asked.ask(where, f"{path}/filtering_terms", granted=granted)
    assert (status, answer["error"]["errorCode"]) == (404, 404)


@both
def test_the_filtering_terms_of_a_dataset_are_those_of_its_node(asked, granted):
    path = "/datasets/GDI-EE-REHEARSAL-1/filtering_terms"
    status, of_node = asked.ask("EE", path, granted=granted)
    assert status == 200
    assert asked.ask("FI", path, granted=granted)[0] == 404
    status, of_network = asked.ask("network", path, granted=granted)
    assert (status, of_network["response"]) == (200, of_node["response"])
    states = {one["node"]: one["state"] for one in of_network["info"]["nodes"]}
    assert states == {"EE": "answered", "FI": "refused", "SE": "refused"}
    assert of_network["info"]["complete"]


@both
@everywhere
def test_the_test_mode_beside_another_dataset_is_refused(asked, where, granted):
    named = "GDI-EE-REHEARSAL-1"
    for path, parameters in (
        ("/individuals", f"testMode=true&datasets={named}"),
        (f"/datasets/{named}/individuals", "testMode=true"),
    ):
        status, answer = asked.ask(where, path, parameters=parameters, granted=granted)
        assert status == 400
        assert "testMode: expected false, or no named" in answer["error"]["errorMessage"]
    sent = "testMode=true&datasets=GDI-EE-TEST-1"
    assert asked.ask(where, "/individuals", parameters=sent, granted=granted)[0] == 200


@both
def test_a_dataset_that_no_node_has_is_noted(asked, granted):
    named = "datasets=GDI-EE-REHEARSAL-1,GDI-FI-REHEARSAL-1"
    for path in ("/individuals", "/datasets"):
        found = {}
        for sent in (named, f"{named},NOPE"):
            status, answer = asked.ask("network", path, parameters=sent, granted=granted)
            assert status == 200
            assert answer["info"]["complete"]
            found[sent] = answer["info"].get("warnings", [])
        assert found == {
            named: [],
            f"{named},NOPE": ["datasets: 'NOPE' is no dataset of this node"],
        }


@everywhere
@pytest.mark.parametrize("purpose", [[], [(b"x-rehearsal-purpose", b"DUO:0000006")]])
@pytest.mark.parametrize("asks", ["filters=SO:0001583", "aminoacidChange=A5V"])
def test_a_question_about_effects_needs_a_grant_whatever_the_purpose(asked, where, purpose, asks):
    sent = {"parameters": f"geneId=BRCA1&{asks}", "headers": purpose}
    status, answer = asked.ask(where, "/g_variants", granted=False, **sent)
    assert status == 403
    assert "which needs a grant" in answer["error"]["errorMessage"]
    assert asked.ask(where, "/g_variants", granted=True, **sent)[0] == 200


# --- filters that find nobody ---


@both
@everywhere
@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ("sex=F", "female or male, or NCIT:C16576 or NCIT:C20197, found 'F'"),
        ("sex!x%25", "female or male, or NCIT:C16576 or NCIT:C20197, found 'x%'"),
        ("ageOfOnset:foo<P60Y", "ageOfOnset: and a disease like MONDO:0007254"),
        ("NCIT:C16576%26", "a term (PREFIX:CODE) or a comparison like age>=50"),
    ],
)
def test_what_no_record_can_have_is_refused(asked, where, granted, sent, expected):
    status, answer = asked.ask(where, "/individuals", parameters=f"filters={sent}", granted=granted)
    assert status == 400
    assert expected in answer["error"]["errorMessage"]


@everywhere
@pytest.mark.parametrize(
    ("sent", "note"),
    [
        ("ageOfOnset:OMIM:1<P60Y", "ageOfOnset:OMIM:1 is no field with numbers"),
        ("LOINC:99999-9>1", "LOINC:99999-9 is no field with numbers"),
        ("HP:0001513>1", "HP:0001513 is no field with numbers"),
        ("demographic.birthDecade:2090", "demographic.birthDecade:2090 is no decade"),
        ("disease=Gout", "'Gout' is no label of disease"),
        ("phenotype=micro%25x", "'micro%x' is no label of phenotype"),
    ],
)
def test_a_comparison_with_what_nobody_here_has_is_noted(asked, where, sent, note):
    status, answer = asked.ask(where, "/individuals", parameters=f"filters={sent}", granted=True)
    assert status == 200
    assert answer["responseSummary"]["exists"] is False
    assert answer["info"]["warnings"] == [f"filters: {note} that /filtering_terms lists"]
    assert asked.ask(where, "/individuals", parameters=f"filters={sent}", granted=False)[0] == 401


@everywhere
@pytest.mark.parametrize(
    "sent",
    [
        "sex=female",
        "sex=F%25",
        "disease=breast%25",
        "age>200",
        "ldl>100",
        "ageOfOnset<P1Y",
        "ageOfOnset:ICD10:C50<P60Y",
        "demographic.birthDecade:1990",
    ],
)
def test_a_comparison_with_what_somebody_has_is_not_noted(asked, where, sent):
    status, answer = asked.ask(where, "/individuals", parameters=f"filters={sent}", granted=True)
    assert status == 200
    assert "warnings" not in answer.get("info", {})
