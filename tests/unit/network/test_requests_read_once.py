"""What a request asks for is never ignored: it is answered, refused, or noted in a warning."""

import pytest

from rehearsal.node.beacon.known_clients import OTHER_SCHEMA, PAGE_NAMES

EE, FI = "GDI-EE-REHEARSAL-1", "GDI-FI-REHEARSAL-1"
ALLELE = {"referenceName": "17", "start": [43_044_300], "assemblyId": "GRCh38"}
ALLELE |= {"referenceBases": "A", "alternateBases": "G"}
ABSENT = {"referenceName": "17", "start": [43_060_000], "assemblyId": "GRCh38"}
ABSENT |= {"referenceBases": "A", "alternateBases": "G"}
COHORTS = {"EE": {"COHORT-EE-1"}, "network": {"COHORT-EE-1", "COHORT-FI-1", "COHORT-SE-1"}}
OF_TERMS = ("/filtering_terms", "/individuals/filtering_terms")

both_callers = pytest.mark.parametrize("granted", [False, True])
both_services = pytest.mark.parametrize("where", ["EE", "network"])


def body(parameters=None, meta=None, **query):
    asked = {"requestedGranularity": "record", "requestParameters": parameters or {}}
    return {"meta": meta or {"apiVersion": "2.0"}, "query": asked | query}


def refusal(asked, where, path, granted, sent=None, parameters=""):
    status, answer = asked.ask(where, path, sent, parameters, granted=granted)
    assert status == 400, answer
    assert "response" not in answer
    message = answer["error"]["errorMessage"]
    assert "\n" not in message
    return message


# --- catalogues ---


@both_callers
@both_services
def test_a_cohort_is_listed_if_its_people_match(asked, where, granted):
    """Without a grant, the allele is no public fact and there is no budget for it."""
    status, answer = asked.ask(where, "/cohorts", body(ABSENT), granted=granted)
    if granted:
        assert status == 200
        assert answer["response"]["collections"] == []
        assert answer["responseSummary"] == {"exists": False, "numTotalResults": 0}
        _, answer = asked.ask(where, "/cohorts", body(ALLELE), granted=True)
        found = {one["id"] for one in answer["response"]["collections"]}
        assert found == COHORTS[where]
    _, of_datasets = asked.ask(where, "/datasets", body(ABSENT), granted=granted)
    assert answer.get("error") == of_datasets.get("error")


@both_callers
@both_services
def test_a_cohort_follows_filters_and_pages(asked, where, granted):
    nobody = [{"id": "HP:0000001", "includeDescendantTerms": False}]
    for path in ("/cohorts", "/cohorts/COHORT-EE-1"):
        status, answer = asked.ask(where, path, body(filters=nobody), granted=granted)
        if status == 200:
            assert answer["response"]["collections"] == []
        else:
            assert not granted and status in (401, 403)
    status, answer = asked.ask(where, "/cohorts", parameters="skip=1&limit=1", granted=granted)
    assert status == 200
    assert answer["response"]["collections"] == []
    assert answer["responseSummary"]["numTotalResults"] == len(COHORTS[where])
    for path in ("/cohorts", "/cohorts/COHORT-EE-1"):
        message = refusal(asked, where, path, granted, parameters="sex=female")
        assert "the query string: expected one of the parameters" in message


@both_callers
@both_services
@pytest.mark.parametrize("path", OF_TERMS)
def test_filtering_terms_have_pages(asked, where, granted, path):
    everything = asked.ask(where, path, granted=granted)[1]["response"]["filteringTerms"]
    assert len(everything) > 1
    pages = []
    for skip in range(len(everything)):
        sent = f"skip={skip}&limit=1"
        by_get = asked.ask(where, path, parameters=sent, granted=granted)[1]["response"]
        posted = {"query": {"pagination": {"skip": skip, "limit": 1}}}
        by_post = asked.ask(where, path, posted, granted=granted)[1]["response"]
        assert by_get == by_post
        assert len(by_get["filteringTerms"]) == 1
        pages += by_get["filteringTerms"]
    assert pages == everything
    for sent, expected in (("limit=0", everything), ("skip=0", everything), ("skip=1", [])):
        found = asked.ask(where, path, parameters=sent, granted=granted)[1]["response"]
        assert found["filteringTerms"] == expected  # without a limit there is one page


@both_callers
@both_services
@pytest.mark.parametrize("path", OF_TERMS)
@pytest.mark.parametrize(
    ("sent", "parameters", "named"),
    [
        (None, "sex=female", "sex"),
        (None, "filters=NCIT:C16576", "filters"),
        (None, f"datasets={EE}", "datasets"),
        ({"query": {"requestParameters": ALLELE}}, "", "requestParameters"),
        ({"query": {"sex": "female"}}, "", "sex"),
    ],
)
def test_filtering_terms_refuse_what_would_not_narrow_them(
    asked, where, granted, path, sent, parameters, named
):
    assert named in refusal(asked, where, path, granted, sent, parameters)


@both_callers
@both_services
def test_a_path_with_a_dataset_takes_no_other_one(asked, where, granted):
    for path in (f"/datasets/{EE}", f"/datasets/{EE}/g_variants"):
        message = refusal(asked, where, path, granted, parameters="datasets=GOE-EE-REHEARSAL-1")
        assert "datasets: expected none, as the path names a dataset" in message


# --- keys that contradict each other, and keys that are ignored ---


@both_callers
@both_services
def test_two_lists_of_datasets_must_be_the_same(asked, where, granted):
    other = ALLELE | {"datasets": [EE], "datasetIds": ["GOE-EE-REHEARSAL-1"]}
    assert "datasetIds" in refusal(asked, where, "/g_variants", granted, body(other))
    same = ALLELE | {"datasets": [EE], "datasetIds": [EE]}
    one = ALLELE | {"datasets": [EE]}
    status, answer = asked.ask(where, "/g_variants", body(same), granted=granted)
    plain_status, plain = asked.ask(where, "/g_variants", body(one), granted=granted)
    assert (status, answer.get("response")) == (plain_status, plain.get("response"))


@both_callers
@both_services
@pytest.mark.parametrize(
    ("sent", "warning"),
    [
        (body(pagination={"currentPage": "x"}), PAGE_NAMES.warning),
        (body(pagination={"nextPage": "x", "limit": 1}), PAGE_NAMES.warning),
        (body(pagination={"previousPage": "x"}), PAGE_NAMES.warning),
        (body(meta={"requestedSchemas": ["other-v1"]}), OTHER_SCHEMA.warning),
        (body(meta={"requestedSchemas": [{"schema": "other-v1"}]}), OTHER_SCHEMA.warning),
    ],
)
def test_an_ignored_key_is_noted(asked, where, granted, sent, warning):
    for path in ("/individuals", "/datasets", *OF_TERMS):
        if path in OF_TERMS:
            sent = {**sent, "query": {k: v for k, v in sent["query"].items() if k == "pagination"}}
        status, answer = asked.ask(where, path, sent, granted=granted)
        if status == 200:
            assert answer["info"]["warnings"] == [warning]
        else:
            assert not granted and status in (401, 403)


@both_callers
def test_a_schema_that_is_served_needs_no_note(asked, granted):
    served = "ga4gh-beacon-individual-v2.1.1"
    for schema in (served, {"entityType": "individual", "schema": served}):
        sent = body(meta={"requestedSchemas": [schema]}) | {}
        status, answer = asked.ask("EE", "/datasets", sent, granted=granted)
        assert status == 200
        assert "info" not in answer


@both_callers
@both_services
def test_an_end_that_is_not_that_of_the_allele_is_refused(asked, where, granted):
    for end in (43_044_302, 43_044_400):
        message = refusal(asked, where, "/g_variants", granted, body(ALLELE | {"end": [end]}))
        assert "end: expected 43044301" in message
    status, answer = asked.ask(
        where, "/g_variants", body(ALLELE | {"end": [43_044_301]}), granted=granted
    )
    plain_status, plain = asked.ask(where, "/g_variants", body(ALLELE), granted=granted)
    assert (status, answer.get("response")) == (plain_status, plain.get("response"))


@both_callers
@both_services
@pytest.mark.parametrize(
    "parameters",
    [
        *("filters=,NCIT:C16576", "filters=NCIT:C16576,", "filters=NCIT:C16576,,NCIT:C20197"),
        *("filters=", "filters=NCIT:C16576&filters=", "datasets=", f"datasetIds={EE},"),
    ],
)
def test_an_empty_item_of_a_list_is_refused(asked, where, granted, parameters):
    name = parameters.partition("=")[0]
    assert name in refusal(asked, where, "/individuals", granted, parameters=parameters)


@both_callers
@both_services
@pytest.mark.parametrize("text", ["", "NCIT:C16576,", ",NCIT:C16576"])
def test_an_empty_item_of_filters_in_one_text_is_refused(asked, where, granted, text):
    sent = {"query": {"filters": text}}
    assert "filters" in refusal(asked, where, "/individuals", granted, sent)


# --- datasets that one node has ---


@both_callers
@pytest.mark.parametrize(
    ("path", "parameters"),
    [
        (f"/datasets/{FI}", "includeResultsetResponses=ALL"),
        (f"/datasets/{FI}/individuals", ""),
        ("/cohorts/COHORT-FI-1", ""),
        ("/cohorts/COHORT-FI-1/individuals", ""),
        ("/individuals", f"datasets={FI}"),
        ("/individuals", f"datasetIds={FI}"),
    ],
)
def test_an_answer_about_one_nodes_dataset_lacks_nothing(asked, path, parameters, granted):
    status, answer = asked.ask("network", path, parameters=parameters, granted=granted)
    if not granted and status != 200:
        assert status in (401, 403)  # of the node that has it
        assert answer["info"]["complete"] is False
        return
    assert status == 200
    states = {one["node"]: (one["state"], one["httpStatus"]) for one in answer["info"]["nodes"]}
    assert states == {"EE": ("refused", 404), "FI": ("answered", 200), "SE": ("refused", 404)}
    assert answer["info"]["complete"] is True
    assert answer["info"]["states"] == {"refused": 2, "answered": 1}


@both_callers
def test_the_refusal_of_the_node_with_the_dataset_is_that_of_the_network(asked, granted):
    """The others' 404 are more, and would say that there is no such dataset."""
    status, answer = asked.ask(
        "network", f"/datasets/{FI}/individuals", parameters="filters=age>50", granted=granted
    )
    assert status == (200 if granted else 401)
    states = {one["node"]: one["httpStatus"] for one in answer["info"]["nodes"]}
    assert states == {"EE": 404, "FI": status, "SE": 404}
    assert answer["info"]["complete"] is granted


@both_callers
def test_a_dataset_that_nobody_has_is_not_found(asked, granted):
    for path in ("/datasets/GDI-XX-1/individuals", "/cohorts/COHORT-XX-1"):
        status, answer = asked.ask("network", path, granted=granted)
        assert status == 404
        assert answer["info"]["complete"] is False
        assert [one["node"] for one in answer["info"]["nodes"]] == ["EE", "FI", "SE"]
