"""One request to one node: how it is sent, and when the client gives up."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.requests import Request

from rehearsal.evaluation.suite import beacon_request
from rehearsal.model import Query
from rehearsal.network.aggregate import count_of
from rehearsal.network.client import NetworkClient, NodeRequest, request_headers
from rehearsal.network.node_responses import forward_request, with_parameters
from rehearsal.network.registry import NodeEntry, read_foreign_nodes, with_foreign
from rehearsal.network.request_forms import (
    as_get_parameters,
    as_request_body,
    without_empty_parameters,
)
from rehearsal.truth.expected_answers import ExpectedAnswer

from ..foreign_beacon import foreign_beacon
from ..virtual_time import run_in_virtual_time

OURS = NodeEntry("FI", "http://127.0.0.1:4711", pid=12)
ASKED = NodeRequest("info", authorization="Bearer mine")


def test_the_askers_token_is_shown_to_our_nodes_and_where_the_registry_says_so(tmp_path: Path):
    path = tmp_path / "nodes.yaml"
    path.write_text(
        "nodes:\n"
        "  SE: {url: 'https://se'}\n"
        "  DE: {url: 'https://de', forward_token: true}\n"
        "  AT: {url: 'http://127.0.0.1:1', forward_token: true}\n"
    )
    nodes = with_foreign([OURS], read_foreign_nodes(path))
    shown = {node.country for node in nodes if "Authorization" in request_headers(node, ASKED)}
    assert shown == {"FI", "DE", "AT"}


def test_a_request_body_becomes_get_parameters():
    request = {
        "query": {
            "requestParameters": {"start": [10, 20], "referenceName": "chr22"},
            "filters": [{"id": "HP:1"}, {"id": "NCIT:2"}],
            "requestedGranularity": "count",
            "testMode": False,
            "pagination": {"limit": 5},
        }
    }
    assert as_get_parameters(request) == {
        "start": "10,20",
        "referenceName": "chr22",
        "filters": "HP:1,NCIT:2",
        "requestedGranularity": "count",
        "testMode": "false",
        "limit": "5",
    }


@pytest.mark.parametrize(
    ("filter_", "text"),
    [
        ("HP:1", "HP:1"),
        ({"id": "HP:1"}, "HP:1"),
        ({"id": "age", "operator": ">=", "value": "50"}, "age>=50"),
        ({"id": "HP:1", "includeDescendantTerms": True}, "HP:1"),
    ],
)
def test_filters_as_a_get_says_them(filter_, text):
    assert as_get_parameters({"query": {"filters": [filter_]}}) == {"filters": text}


@pytest.mark.parametrize(
    "filter_",
    [{"id": "HP:1", "includeDescendantTerms": False}, {"id": "HP:1", "similarity": "high"}],
)
def test_what_a_get_cannot_say_is_not_said_wrongly(filter_):
    request = NodeRequest("individuals", "POST", {"query": {"filters": [filter_]}})
    with pytest.raises(ValueError, match="HP:1"):
        request.by_other_method()


def test_a_node_that_hangs_is_late_at_the_deadline_and_delays_nobody(monkeypatch):
    async def exchange(self, node, request, exchange):
        exchange.status = 200
        if node.country == "BE":
            await asyncio.sleep(3600)
        exchange.body += b'{"responseSummary": {"exists": true}}'

    monkeypatch.setattr(NetworkClient, "_exchange", exchange)
    nodes = [NodeEntry(country, f"http://{country}.example") for country in ("AT", "BE", "CY")]

    async def scene():
        came = {}

        async def send(client, node):
            answer = await client.send(node, NodeRequest("g_variants"), 0.0, 1.5)
            came[node.country] = answer.state, answer.latency_s
            return answer

        async with NetworkClient(nodes) as client:
            answers = await asyncio.gather(*(send(client, node) for node in nodes))
        assert came == {"AT": ("answered", 0.0), "CY": ("answered", 0.0), "BE": ("late", 1.5)}
        assert list(came) == ["AT", "CY", "BE"]
        assert answers[1].reason == "no whole answer within 1.5 s (0 bytes came)"

    run_in_virtual_time(scene())


@pytest.mark.parametrize(
    ("before", "told"),
    [([], "192.0.2.7"), (["203.0.113.5, 198.51.100.1"], "203.0.113.5, 198.51.100.1, 192.0.2.7")],
)
def test_our_nodes_are_told_where_a_query_came_from(before, told):
    headers = [(b"x-forwarded-for", one.encode()) for one in before]
    scope = {"type": "http", "method": "GET", "headers": headers, "client": ("192.0.2.7", 1234)}
    passed_on = forward_request(Request(scope), "info")
    ours, theirs = NodeEntry("FI", "http://fi", pid=1), NodeEntry("SE", "http://se")
    assert request_headers(ours, passed_on)["X-Forwarded-For"] == told
    assert "X-Forwarded-For" not in request_headers(theirs, passed_on)


def test_any_name_can_be_a_parameter():
    given = {"request": "1", "parameters": "2", "self": "3"}
    assert dict(with_parameters(ASKED, **given).parameters) == given


# --- Beacons of others, on real sockets ---

PAGE = {"skip": 0, "limit": 10}
ALLELE = {"referenceName": "22", "start": [100], "referenceBases": "A", "alternateBases": "G"}
KNOWN = [
    (Query(name, "count", entry_type, beacon_request(*asked, "count", PAGE)), right)
    for name, entry_type, asked, right in (
        ("allele", "g_variants", (ALLELE, []), ExpectedAnswer(True, 1)),
        ("women", "individuals", ({}, [{"id": "NCIT:C16576"}]), ExpectedAnswer(True, 7)),
    )
]


def counts(node, method):
    """Ask a node every query twice; return state, HTTP status and count of the second answers."""

    async def ask():
        async with NetworkClient([node]) as client:
            for _ in range(2):
                answers = [
                    (await client.ask(replace(query, method=method), 5))[0] for query, _ in KNOWN
                ]
            return [(one.state, one.http_status, count_of(one)) for one in answers]

    return asyncio.run(ask())


@pytest.mark.parametrize("asked_by", ["GET", "POST"])
@pytest.mark.parametrize("taken", ["GET", "POST"])
def test_a_node_that_lacks_a_method_is_asked_by_the_other_one(asked_by, taken):
    with foreign_beacon(KNOWN, methods=(taken,)) as beacon:
        found = counts(NodeEntry("FI", beacon.url), asked_by)
    assert found == [("answered", 200, 1), ("answered", 200, 7)]
    first = [] if asked_by == taken else [(asked_by, "g_variants")]  # tried once, then no more
    asked = [(taken, "g_variants"), (taken, "individuals")]
    assert beacon.asked == first + asked * 2


def test_people_are_asked_for_at_an_address_of_their_own():
    with (
        foreign_beacon(KNOWN, serves=("g_variants",)) as frequencies,
        foreign_beacon(KNOWN, serves=("individuals",)) as people,
    ):
        node = NodeEntry("FI", frequencies.url, people_url=people.url)
        assert counts(node, "POST") == [("answered", 200, 1), ("answered", 200, 7)]
        assert counts(replace(node, people_url=None), "POST")[1][:2] == ("refused", 404)


@pytest.mark.parametrize(
    "request_",
    [
        beacon_request(ALLELE, [{"id": "HP:1"}, {"id": "NCIT:2"}], "record", PAGE),
        beacon_request({"geneId": "BRCA1", "variantMinLength": 5}, [], "boolean", PAGE),
        beacon_request({}, [{"id": "LOINC:1", "operator": ">=", "value": "5"}], "count", PAGE),
    ],
)
def test_a_get_becomes_the_same_request_by_post(request_):
    as_sent = without_empty_parameters(request_)
    assert as_request_body(as_get_parameters(request_).items()) == as_sent


def test_parameters_without_content_are_not_sent():
    """EGA's beacon2-pi-api, commit e51c5c6e, refuses them with status 400."""
    (_, _), (women, _) = KNOWN
    assert women.request["query"]["requestParameters"] == {}
    assert "requestParameters" not in NodeRequest.of(women).body["query"]
