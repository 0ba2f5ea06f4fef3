"""Invalid requests are refused with a reason; GET and POST are equivalent."""

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rehearsal.node.beacon.request import MAX_LIMIT, parse_body, parse_query_string
from rehearsal.node.beacon.request_models import KEYS
from rehearsal.web.problem import Problem

PLACE = {"referenceName": "17", "start": [5], "end": [9]}


def refusal(ask, body=None, path="/g_variants", **parameters):
    status, answer = ask(path, body, **parameters)
    assert status == 400, answer
    assert answer["error"]["errorCode"] == 400
    assert answer["meta"]["beaconId"] == "org.rehearsal.fi"
    reason = answer["error"]["errorMessage"]
    assert "\n" not in reason
    return reason


def posted(parameters=None, **query):
    asked = {"requestParameters": parameters or {}, **query}
    return {"meta": {"apiVersion": "v2.0"}, "query": asked}


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        (
            {"start": [5], "end": [9]},
            "referenceName: expected a contig, as the request has start, found nothing",
        ),
        (
            {"referenceName": "17"},
            "start: expected a position, as the request has referenceName, found nothing",
        ),
        ({"referenceName": "17", "end": [9]}, "start: expected a position, as the request has end"),
        (
            {"referenceName": "17", "start": [5]},
            "alternateBases or end: expected alternateBases (sequence query) or end (range query)",
        ),
        ({"alternateBases": "A"}, "start: expected a position, as the request has alternateBases"),
        (
            {"referenceName": "17", "start": [5, 9]},
            "end: expected two values, as start has two (bracket query), found nothing",
        ),
        (
            {**PLACE, "end": [8, 9]},
            "start and end: expected one value each (range query) or two each (bracket query), "
            "found 1 and 2",
        ),
        ({**PLACE, "start": [5, 6]}, "(bracket query), found 2 and 1"),
        (
            {**PLACE, "start": [1, 2, 3]},
            ".start: expected a list of at most 2 items, found [1, 2, 3]",
        ),
        ({**PLACE, "start": []}, ".start: expected a list of at least 1 item, found []"),
        ({**PLACE, "end": [5]}, "start: expected a position below end, 5, found 5"),
        (
            {**PLACE, "start": [6, 5], "end": [8, 9]},
            "start and end: expected two ascending values each, ",
        ),
        ({**PLACE, "geneId": "BRCA1"}, "geneId: expected no other variant parameters than "),
        (
            {**PLACE, "aminoacidChange": "V600E"},
            "with it (geneId), found end, referenceName, start",
        ),
        (
            {"genomicAlleleShortForm": "NC_000017.11:g.5A>G", "geneId": "BRCA1"},
            "with it (none), found geneId",
        ),
        (
            {"genomicAlleleShortForm": "NR_003051.4:n.4C>T"},
            "genomicAlleleShortForm: expected a genomic description on GRCh38, like "
            "NC_000017.11:g.43057063G>A, or a name like NM_007294.4:c.5266dup or "
            "NP_009225.1:p.Gln1756ProfsTer74, found 'NR_003051.4:n.4C>T'",
        ),
        (
            {"genomicAlleleShortForm": "NC_000017.9:g.5A>G"},
            "expected a genomic description on GRCh38",
        ),
        (
            {"genomicAlleleShortForm": "NC_000017.11:g.5_9insA"},
            "expected an insertion between two neigh",
        ),
        (
            {"genomicAlleleShortForm": "NC_000017.11:g.5_6delACT"},
            "expected a range as long as the bases ACT",
        ),
        ({"aminoacidChange": "600"}, "aminoacidChange: expected a change like V600E, found '600'"),
        ({"geneId": "NOSUCH"}, "geneId: expected a gene of this node ("),
        (
            {"mateName": "chr3"},
            "mateName: expected no such parameter, as this node has no variants",
        ),
        (
            {**PLACE, "referenceName": "23"},
            "referenceName: expected a contig of GRCh38, like chr17, found '23'",
        ),
        ({**PLACE, "referenceName": "chrUn_KI270302v1"}, "expected a contig of GRCh38"),
        ({**PLACE, "referenceName": 17}, ".referenceName: expected text or a list, found 17"),
        (
            {**PLACE, "assemblyId": "GRCh36"},
            "assemblyId: expected GRCh38 or GRCh37, found 'GRCh36'",
        ),
        ({**PLACE, "start": [-1]}, "at least 0"),
        ({**PLACE, "end": [0]}, "at least 1"),
        (
            {**PLACE, "end": [83_257_442]},
            "end: expected a position on chr17, at most 83257441, found 83257442",
        ),
        ({**PLACE, "end": [10**18]}, "a position on chr17"),
        ({**PLACE, "start": [1.5]}, "a whole number"),
        ({**PLACE, "start": [True]}, "a whole number"),
        ({**PLACE, "start": ["5; DROP TABLE variants"]}, "a whole number"),
        ({**PLACE, "start": {"a": 1}}, "a whole number"),
        ({**PLACE, "variantType": "TRANSLOCATION"}, "variantType: expected one of BND, CNV, "),
        (
            {**PLACE, "variantMinLength": 5, "variantMaxLength": 2},
            "variantMinLength: expected a length of at most variantMaxLength, 2, found 5",
        ),
        ({**PLACE, "variantMaxLength": 0}, "at least 1"),
        ({"referenceName": "17", "start": [5], "alternateBases": "X"}, "codes of bases, found 'X'"),
        ({"referenceName": "17", "start": [5], "alternateBases": "' OR 1=1 --"}, "IUPAC"),
        (
            {"referenceName": "17", "start": [5], "alternateBases": "", "referenceBases": ""},
            "referenceBases and alternateBases: expected bases in at least one of them",
        ),
        (
            {"referenceName": "17", "start": [5], "alternateBases": "A", "variantType": "SNP"},
            "end: expected a position, as the request has variantType, found nothing",
        ),
        ({"startt": [5]}, ", found 'startt'"),
        ({"g_variant": {**PLACE, "strat": 1}}, ", found 'strat'"),
        (
            {"g_variant": PLACE, "start": [5]},
            "requestParameters: expected each parameter once, found start here and in",
        ),
        ({"g_variant": [1]}, "an object"),
        ({"datasets": "GOE-FI-REHEARSAL-1"}, "a list"),
    ],
)
def test_invalid_parameters_are_refused(ask, parameters, reason):
    assert reason in refusal(ask, posted(parameters))


@pytest.mark.parametrize(
    ("filters", "reason"),
    [
        (
            "NCIT:C16576 and more",
            "filters[0]: expected a term (PREFIX:CODE) or a comparison like age>=50, found 'NC",
        ),
        (5, "query.filters: expected text or a list, found 5"),
        (["NCIT:C16576", "nonsense"], "filters[1]: expected a term (PREFIX:CODE)"),
        ([5], "query.filters[0]: expected text or an object, found 5"),
        ([{"id": 5}], "query.filters[0].id: expected text, found 5"),
        ([{}], "query.filters[0].id: expected text, found nothing"),
        (
            [{"id": "HP:1", "scope": "planets"}],
            ".scope: expected one of analyses, analysis, biosample,",
        ),
        (
            [{"id": "HP:1", "similarity": "somewhat"}],
            ".similarity: expected one of exact, high, low, medium,",
        ),
        (
            [{"id": "HP:1", "includeDescendantTerms": "yes"}],
            "DescendantTerms: expected true or false, found",
        ),
        (
            [{"id": "HP:1", "colour": "red"}],
            "filters[0]: expected one of the keys id, scope, operator",
        ),
        (
            [{"id": "age", "operator": "~", "value": "5"}],
            "operator: expected one of !, <, <=, =, >, >=, found '~'",
        ),
        (
            [{"id": "age", "operator": ">"}],
            "filters[0].value: expected a value to compare 'age' with, found",
        ),
        (
            [{"id": "age", "operator": ">", "value": "old"}],
            "filters: value of 'age': expected a number, or a duration like P70Y, found 'old'",
        ),
        ([{"id": "age", "operator": ">", "value": "nan"}], "expected a number, or a duration"),
        ([{"id": "age", "operator": "=", "value": "5%"}], "expected a number, or a duration"),
        (
            [{"id": "age", "operator": ">", "value": [5]}],
            ".value: expected a number or text, found [5]",
        ),
        ([{"id": "shoes", "operator": ">", "value": "5"}], "filters: expected a field among "),
        (
            [{"id": "disease", "operator": ">", "value": "a"}],
            "operator of 'disease': expected = or !",
        ),
        (["NCIT:C16576"] * 101, "filters: expected a list of at most 100 items, found "),
        (["' OR 1=1 --"], "expected a term"),
        ([""], "filters.id: expected text of at least 1 character, found ''"),
        (
            ["age>" + "9" * 201],
            "filters.value: expected text of at most 200 characters, found '999",
        ),
        (
            [{"id": "age", "value": "5", "similarity": "high"}],
            "filters[0].similarity: expected no such key, as 'age' is not a term filter, found 'hi",
        ),
    ],
)
def test_bad_filters_are_refused(ask, filters, reason):
    assert reason in refusal(ask, posted(filters=filters), "/individuals")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"{", "expected JSON"),
        (b"[]", "the body: expected an object"),
        (b'"x"', "the body: expected an object"),
        (b"\xff\xfe", "expected JSON"),
        (b'{"query": 5}', "query: expected an object"),
        (b'{"qery": {}}', ", found 'qery'"),
        (b'{"query": {"filter": []}}', ", found 'filter'"),
        (
            b'{"meta": {"apiVersion": "v1.0"}}',
            "apiVersion: expected version 2 of the Beacon API, like v2.0, found",
        ),
        (
            b'{"meta": {"apiVersion": []}}',
            "apiVersion: expected a whole number or a number or text, found []",
        ),
        (b'{"query": {"pagination": {"skip": -1}}}', "skip: expected a whole number of at least 0"),
        (b'{"query": {"pagination": {"limit": "many"}}}', "limit: expected a whole number"),
        (
            b'{"query": {"requestedGranularity": "everything"}}',
            "requestedGranularity: expected one of boolean, count, record, found ",
        ),
        (
            b'{"query": {"requestedGranularity": ["count"]}}',
            "requestedGranularity: expected one of boolean, count, record, found ",
        ),
        (
            b'{"query": {"includeResultsetResponses": "SOME"}}',
            "includeResultsetResponses: expected one of ALL, HIT, MISS, NONE, found 'SOME'",
        ),
        (
            b'{"query": {"testMode": "maybe"}}',
            "query.testMode: expected true or false, found",
        ),
        (b'{"meta": {"requestedSchemas": {}}}', "requestedSchemas"),
        (b'{"meta": {"requestedSchemas": [5]}}', "requestedSchemas"),
        (b"[" * 60_000, "expected at most 1000 of the brackets [ and {"),
        (b'{"query":' * 500 + b"{}" + b"}" * 500, "expected at most 32 levels"),
        (b'{"query": {"requestParameters": {"start": 1e400}}}', "expected JSON"),
        (
            b'{"query": {"requestParameters": {"end": 9' + b"9" * 40 + b"}}}",
            "end: expected a whole number of at most",
        ),
    ],
)
def test_invalid_bodies_are_refused(ask, body, reason):
    assert reason in refusal(ask, body)


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ({"strat": "5"}, "found 'strat'"),
        ({"skip": "x"}, "skip: expected a whole number"),
        ({"referenceName": ["17", "18"]}, "referenceName: expected one value, found 2 values"),
        (
            {"start": "1,2,3", "referenceName": "17"},
            "start: expected a list of at most 2 items, found ['1', '2', '3']",
        ),
        (
            {"referenceName": "17\x00", "start": "1", "alternateBases": "A"},
            "referenceName: expected pri",
        ),
        (
            {"start": "-1", "referenceName": "17"},
            "start: expected a whole number of at least 0, found '-1'",
        ),
        (
            {"end": "", "start": "1", "referenceName": "17"},
            "end: expected no empty item between commas, found ''",
        ),
    ],
)
def test_bad_parameters_of_a_get_are_refused(ask, parameters, reason):
    assert reason in refusal(ask, **parameters)


def test_a_post_takes_no_parameters_from_the_url(ask):
    assert "the URL: expected no parameters, as a POST sends them in its body" in refusal(
        ask, b"{}", skip="1"
    )


def test_two_variants_or_two_datasets_are_refused(ask):
    body = posted({"geneId": "BRCA1"})
    assert "requestParameters: expected no variant, as the path names one" in refusal(
        ask, body, "/g_variants/chr17-5-A-G/individuals"
    )
    body = posted({"datasets": ["GDI-FI-TEST-1"]})
    assert "datasets: expected none, as the path names a dataset, found 'GDI-FI-TEST-1'" in refusal(
        ask, body, "/datasets/GDI-FI-TEST-1/g_variants"
    )


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/nothing", 404),
        ("/g_variants/nonsense", 404),
        ("/g_variants/chr17-0-A-G", 404),
        ("/g_variants/chr17-99999999999999999999-A-G", 404),
        ("/individuals/FI-000001/pets", 404),
        ("/datasets/'; DROP TABLE variants; --", 404),
        ("/individuals/%27%20OR%201=1", 200),
    ],
)
def test_unknown_paths_get_a_beacon_error(ask, path, status):
    found, body = ask(path)
    assert found == status
    if status == 404:
        assert body["error"]["errorCode"] == 404
        assert body["meta"]["receivedRequestSummary"]["pagination"] == {"skip": 0, "limit": 10}
    else:
        assert body["responseSummary"]["exists"] is False


def test_get_and_post_are_equivalent():
    by_get = parse_query_string(
        [
            ("referenceName", "chr17"),
            ("start", "5,7"),
            ("end", "8"),
            ("end", "9"),
            ("filters", "NCIT:C16576,age>=50"),
            ("skip", "2"),
            ("limit", "5"),
            ("requestedGranularity", "count"),
            ("includeResultsetResponses", "ALL"),
            ("testMode", "true"),
        ]
    )
    by_post = parse_body(
        orjson.dumps(
            posted(
                {"g_variant": {"referenceName": "17", "start": [5, 7], "end": [8, 9]}},
                filters=["NCIT:C16576", {"id": "age", "operator": ">=", "value": 50}],
                pagination={"skip": 2, "limit": 5},
                requestedGranularity="count",
                includeResultsetResponses="ALL",
                testMode=True,
            )
        )
    )
    for field in by_get.__slots__:
        if field not in ("parameters", "api_version"):
            assert getattr(by_get, field) == getattr(by_post, field), field


def test_a_limit_of_zero_or_too_many_is_the_maximum():
    for limit in (0, 10**9):
        body = orjson.dumps(posted(pagination={"limit": limit}))
        assert parse_body(body).limit == MAX_LIMIT


def test_a_filter_that_would_be_lost_is_refused(ask):
    expected = "filters: expected at least one filter, found none"
    assert refusal(ask, path="/individuals", filters="") == expected
    twice = b'{"query":{"filters":["NCIT:C16576"],"filters":[]}}'
    expected = "the body: expected each key of an object once, found 'filters' twice"
    assert refusal(ask, twice, "/individuals") == expected


def test_an_empty_body_asks_for_everything(ask):
    status, body = ask("/g_variants", b"")
    assert status == 200
    assert body["responseSummary"] == {"exists": True}


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False)
    | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3)
    ),
    max_leaves=8,
)
known = st.sampled_from(sorted({*KEYS} | {"datasets", "g_variant"}))


@settings(max_examples=300, deadline=None)
@given(
    st.dictionaries(known, json_values, max_size=4),
    st.dictionaries(
        st.sampled_from(["filters", "pagination", "requestedGranularity", "testMode"]), json_values
    ),
)
def test_any_json_is_understood_or_refused(parameters, query):
    try:
        parse_body(orjson.dumps(posted(parameters, **query)))
    except Problem as problem:
        assert problem.status == 400
        assert problem.message


def test_numbers_have_the_same_limit_by_get_and_post():
    greatest = 2**63 - 1
    assert parse_query_string([("skip", str(greatest))]).skip > 0
    assert parse_body(b'{"query": {"pagination": {"skip": %d}}}' % greatest).skip > 0
    with pytest.raises(Problem, match=f"a whole number of at most {greatest}"):
        parse_query_string([("skip", str(greatest + 1))])
    with pytest.raises(Problem):
        parse_body(b'{"query": {"pagination": {"skip": %d}}}' % (greatest + 1))
