"""Answers are valid: by checks of this project, and by the official schemas when present.

The official files (Beacon v2.1.1, VRS 1.3, with v2.2's relaxed result sets) are looked for in
``../shared`` beside the checkout.
"""

import itertools

import pytest

from rehearsal.node.beacon.entry_types import COLLECTIONS, ENTRY_TYPES

INFORMATIONAL = ("", "info", "configuration", "map", "entry_types", "filtering_terms")
ONE = {
    "g_variants": "chr17-43044301-A-G",
    "individuals": "FI-000001",
    "biosamples": "FI-000001-BS",
    "runs": "FI-000001-RUN",
    "analyses": "FI-000001-AN",
    "datasets": "GDI-FI-REHEARSAL-1",
    "cohorts": "COHORT-FI-1",
}
GRANULARITIES = ("boolean", "count", "record")
INCLUDES = ("ALL", "HIT", "MISS", "NONE")


def all_paths():
    """Every endpoint for entries, with the entry type that it returns."""
    for path, entry_type in ENTRY_TYPES.items():
        yield f"/{path}", path
        yield f"/{path}/{ONE[path]}", path
        for listed in entry_type.lists:
            yield f"/{path}/{ONE[path]}/{listed}", listed


BAD = [
    ("/g_variants", {"start": "x"}),
    ("/g_variants", {"referenceName": "17", "start": "5"}),
    ("/individuals", {"filters": "nonsense"}),
    ("/nothing", {}),
    ("/datasets/NONE", {}),
]


def modes_of(path):
    """A path that names the dataset of people is not for test mode."""
    return (False,) if path.startswith("/datasets/") else (False, True)


@pytest.mark.parametrize("granularity", GRANULARITIES)
@pytest.mark.parametrize(("path", "entry_type"), list(all_paths()))
def test_answers_with_entries_have_the_beacon_format(ask, path, entry_type, granularity):
    for include, test_mode in itertools.product(INCLUDES, modes_of(path)):
        query = {"includeResultsetResponses": include, "testMode": test_mode}
        query["requestedGranularity"] = granularity
        status, body = ask(path, {"meta": {"apiVersion": "v2.0"}, "query": query})
        assert status == 200
        check_meta(body["meta"], granularity)
        assert body["meta"]["returnedSchemas"][0]["entityType"] == ENTRY_TYPES[entry_type].id
        check_summary(body["responseSummary"], granularity)
        if entry_type in COLLECTIONS:
            collections = body["response"]["collections"]
            assert bool(collections) is (granularity == "record")
            assert all({"id", "name"} <= set(one) for one in collections)
        else:
            check_result_sets(body, granularity, include)


def check_meta(meta, granularity):
    assert {"beaconId", "apiVersion", "returnedSchemas", "returnedGranularity"} <= set(meta)
    assert meta["returnedGranularity"] == granularity
    summary = meta["receivedRequestSummary"]
    assert summary["requestedGranularity"] == granularity
    assert summary["pagination"] == {"skip": 0, "limit": 10}
    assert all(isinstance(one, str) for one in summary["filters"])
    assert all(isinstance(one, dict) for one in summary.get("requestParameters", {}).values())


def check_summary(summary, granularity):
    assert isinstance(summary["exists"], bool)
    assert ("numTotalResults" in summary) is (granularity != "boolean")
    if "numTotalResults" in summary:
        assert summary["exists"] is (summary["numTotalResults"] > 0)


def check_result_sets(body, granularity, include):
    sets = body["response"]["resultSets"]
    assert len({one["id"] for one in sets}) == len(sets)
    for one in sets:
        assert one["setType"] == "dataset"
        assert one["exists"] is {"HIT": True, "MISS": False}.get(include, one["exists"])
        if granularity == "boolean":
            assert set(one) == {"beaconId", "id", "setType", "exists"}
            continue
        assert one["exists"] is (one["resultsCount"] > 0)
        assert len(one["results"]) <= min(one["resultsCount"], 10)
        assert bool(one["results"]) is (granularity == "record" and one["exists"])


@pytest.mark.parametrize("path", [*INFORMATIONAL, *(f"{path}/filtering_terms" for path in ONE)])
def test_a_node_describes_itself(ask, path):
    status, body = ask(f"/{path}")
    assert status == 200
    assert {"beaconId", "apiVersion", "returnedSchemas"} <= set(body["meta"])
    assert body["response"]


def test_the_map_lists_every_endpoint(ask):
    _, body = ask("/map")
    for endpoint in body["response"]["endpointSets"].values():
        path = endpoint["rootUrl"].removeprefix("http://node.example")
        urls = [endpoint["rootUrl"], endpoint["singleEntryUrl"], endpoint["filteringTermsUrl"]]
        urls += [one["url"] for one in endpoint["endpoints"].values()]
        for url in urls:
            there = url.removeprefix("http://node.example").replace("{id}", ONE[path[1:]])
            assert ask(there)[0] == 200, there


@pytest.mark.parametrize(("path", "parameters"), BAD)
def test_errors_have_the_beacon_format(ask, path, parameters):
    status, body = ask(path, **parameters)
    assert 400 <= status < 500
    check_meta(body["meta"], "boolean")
    assert body["error"]["errorCode"] == status
    assert body["error"]["errorMessage"]


def test_self_descriptions_are_valid_by_the_official_schemas(ask, validator):
    for path, schema in validator["FW"].items():
        _, body = ask(f"/{path}")
        assert validator["errs"](f"framework/json/responses/{schema}.json", body) == [], path


@pytest.mark.parametrize("granularity", GRANULARITIES)
@pytest.mark.parametrize(("path", "entry_type"), list(all_paths()))
def test_entries_are_valid_by_the_official_schemas(ask, validator, path, entry_type, granularity):
    for test_mode, include in itertools.product(modes_of(path), ("ALL", "NONE")):
        query = {"requestedGranularity": granularity, "testMode": test_mode}
        query |= {"includeResultsetResponses": include, "pagination": {"limit": 0}}
        query["filters"] = [{"id": "age", "operator": ">", "value": "1"}, "NCIT:C16576"]
        _, body = ask(path, {"meta": {"apiVersion": "v2.0"}, "query": query})
        *errors, records = validator["check"](body, entry_type)
        assert errors == []
        if granularity == "record" and include == "ALL" and body["responseSummary"]["exists"]:
            assert records != "(0 records checked)", path


def test_variants_and_requests_are_valid_by_the_official_schemas(query, validator, facts):
    for contig, start, ref, alt in facts.genotypes:
        body = query(
            "g_variants",
            _granularity="record",
            referenceName=contig,
            start=[start],
            referenceBases=ref,
            alternateBases=alt,
        )
        *errors, records = validator["check"](body, "g_variants")
        assert errors == []
        assert records == "(2 records checked)"


@pytest.mark.parametrize(("path", "parameters"), BAD)
def test_errors_are_valid_by_the_official_schemas(ask, validator, path, parameters):
    _, body = ask(path, **parameters)
    schema = "framework/json/responses/beaconErrorResponse.json"
    assert validator["errs"](schema, body) == []
