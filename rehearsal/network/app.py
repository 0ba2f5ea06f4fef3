"""The network's HTTP interface: a Beacon whose answers come from the nodes."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from math import isfinite
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import orjson
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from rehearsal import __version__
from rehearsal.errors import shown
from rehearsal.model import GRANULARITIES, Granularity
from rehearsal.network import openapi
from rehearsal.network.alerts import AlertEndpoints
from rehearsal.network.analyses.endpoints import AnalysisEndpoints
from rehearsal.network.beacon_response import (
    BEACON_ID,
    Conditions,
    aggregate_entries,
    aggregate_terms,
    failure,
)
from rehearsal.network.client import NodeRequest
from rehearsal.network.health_page import health_body, health_html
from rehearsal.network.match_status import ERROR_BODY, MatchStatus
from rehearsal.network.matchmaking import PATH as MATCH
from rehearsal.network.matchmaking import aggregate_matches
from rehearsal.network.node_responses import forward_request
from rehearsal.network.scores import ScoreEndpoints
from rehearsal.network.service import LONGEST_DEADLINE_S, Network
from rehearsal.network.service_registry import ServiceRegistry
from rehearsal.node.app import VERSION_IN_PATH, add_entry_routes
from rehearsal.node.beacon import envelope, info_endpoints
from rehearsal.node.beacon.entry_types import API_VERSION, COLLECTIONS
from rehearsal.node.beacon.request import (
    BeaconRequest,
    check_informational,
    page_of_terms,
    parse_body,
    parse_query_string,
)
from rehearsal.node.matchmaker import request as match_request
from rehearsal.node.matchmaker.endpoint import SERVICE, negotiate_media_type
from rehearsal.web.app import HEALTH, POST, Api, Json, base_url, query_pairs
from rehearsal.web.model_errors import WHOLE_BODY, no_json
from rehearsal.web.openapi import Body
from rehearsal.web.problem import Problem
from rehearsal.web.rate_limit import RateLimit
from rehearsal.web.request_limits import MAX_NESTING, check_keys, check_nesting, read_body

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

NAME = "Rehearsal network"
DESCRIPTION = "All nodes of a rehearsal behind one Beacon. All people are synthetic."
# options of a query: each as a header or as a parameter of the URL
DEADLINE = ("x-rehearsal-deadline-s", "deadlineS")
PARTIAL = ("x-rehearsal-partial", "partial")
TRACE = ("x-rehearsal-trace", "trace")
TERMS = "filtering_terms"
OWN_PARAMETERS = frozenset({DEADLINE[1], PARTIAL[1], TRACE[1]})


def network_app(
    network: Network,
    requests_per_s: float = 0.0,
    signing_key: Ed25519PrivateKey | None = None,
) -> Api:
    """Build the application of a network.

    Args:
        network: The network of nodes.
        requests_per_s: Requests that one address may send per second; 0: any number.
        signing_key: With which it signs what it sends in analyses. None: nothing is signed.

    Returns:
        The ASGI application.
    """
    inform = partial(partial, _informing)
    error_body, limit = partial(envelope.error, BEACON_ID), RateLimit(requests_per_s)
    shared = partial(_is_shared, network)
    api = Api(error_body, "network", limit, version=VERSION_IN_PATH, is_shared=shared)
    add_entry_routes(api, partial(partial, _entries, network), partial(partial, _terms, network))
    for path in ("/", "/info"):
        api.add(path, inform(partial(_info, network)))
    api.add("/service-info", _service_info)
    api.add("/openapi.json", partial(_plain, openapi.description()))
    api.add("/configuration", inform(lambda _: info_endpoints.configuration()))
    api.add("/entry_types", inform(lambda _: info_endpoints.entry_types()))
    api.add("/map", inform(lambda request: info_endpoints.beacon_map(base_url(request))))
    api.add(HEALTH, partial(_health, network))
    api.add(f"/{MATCH}", partial(_match, network), POST, ERROR_BODY)
    MatchStatus(network).add_to(api)
    ServiceRegistry(network, SERVICE_INFO, _conditions).add_to(api)
    ScoreEndpoints(network).add_to(api)
    AlertEndpoints(network).add_to(api)
    AnalysisEndpoints(network, signing_key).add_to(api)
    return api


def _is_shared(network: Network) -> bool:
    """Whether other sites may read answers: not those that a token of the network's own brought."""
    return not any(node.token_variable for node in network.nodes)


# --- queries to the nodes ---


async def _entries(network: Network, path: str, listed: str | None, request: Request) -> Response:
    conditions = _conditions(network, request)
    identifier = request.path_params.get("id")
    question, understood = await _read(request, _below(path, identifier, listed))
    entry_type = listed or path
    parts, elapsed_s = await network.entries(question, entry_type, conditions)
    of_one = (path in COLLECTIONS and identifier is not None) or bool(understood.datasets)
    conditions = replace(conditions, elapsed_s=elapsed_s, names_collection=of_one)
    status, body = aggregate_entries(
        entry_type, understood, understood.granularity or _granularity(question), parts, conditions
    )
    return Json(body, status)


async def _terms(network: Network, path: str, request: Request) -> Response:
    identifier = request.path_params.get("id")
    conditions = replace(_conditions(network, request), names_collection=identifier is not None)
    asked = await _asked_terms(request)
    page = page_of_terms(asked)
    below = TERMS if identifier is None else _below(path, identifier, TERMS)
    question = forward_request(request, below, is_beacon=True)
    parts = network.parts(await network.ask(question, conditions))
    if not any(part.answer.state == "answered" for part in parts):
        status, refusal = failure(asked, parts, conditions)
        return Json(refusal, status)
    body = aggregate_terms(parts, conditions)
    body["response"]["filteringTerms"] = body["response"]["filteringTerms"][page]
    if asked.warnings:
        body["info"]["warnings"] = list(asked.warnings)
    return Json(body)


async def _asked_terms(request: Request) -> BeaconRequest:
    """Read a request for filtering terms, whose page is one of the terms of all nodes."""
    pairs = _pairs(request)
    if request.method == "POST":
        return parse_body(await read_body(request))
    return parse_query_string(pairs)


async def _match(network: Network, request: Request) -> Response:
    conditions = _conditions(network, request)
    answered_as = negotiate_media_type(request)
    raw = await read_body(request, match_request.MAX_BODY)
    try:
        patient = _document(raw, match_request.MAX_NESTING)
    except Problem as problem:
        raise match_request.unreadable(raw, problem) from None
    question = forward_request(request, MATCH, "POST", patient, is_beacon=True)
    clock = asyncio.get_running_loop().time
    started = clock()
    parts = network.parts(await network.ask(question, conditions))
    status, body = aggregate_matches(parts, replace(conditions, elapsed_s=clock() - started))
    response = Json(body, status)
    if status == 200:
        response.headers["content-type"] = answered_as
    return response


def _below(path: str, identifier: str | None, listed: str | None) -> str:
    """Build the percent-encoded path below a node's base URL."""
    steps = (path, identifier, listed)
    return "/".join(quote(step, safe="") for step in steps if step is not None)


async def _read(request: Request, path: str) -> tuple[NodeRequest, BeaconRequest]:
    """Read a query: what is sent to the nodes, and how the network understands it.

    A query that the network does not understand is left to the nodes to refuse.
    """
    pairs = _pairs(request)
    if request.method == "POST":
        raw = await read_body(request)
        question = forward_request(request, path, "POST", _document(raw), is_beacon=True)
        return question, _understood(parse_body, raw)
    question = forward_request(request, path, parameters=tuple(pairs), is_beacon=True)
    return question, _understood(parse_query_string, pairs)


def _pairs(request: Request) -> list[tuple[str, str]]:
    """Return the parameters of a query, which a POST has in its body. Raises Problem."""
    pairs = [pair for pair in query_pairs(request) if pair[0] not in OWN_PARAMETERS]
    if pairs and request.method == "POST":
        found = f"parameters {', '.join(sorted({name for name, _ in pairs}))}"
        raise Problem.mismatch("the query string", "nothing in a POST request", found)
    return pairs


def _document(raw: bytes, most: int = MAX_NESTING) -> Body:
    check_nesting(raw, most)
    try:
        document = orjson.loads(raw) if raw.strip() else {}
    except orjson.JSONDecodeError as error:
        raise no_json(error) from None
    check_keys(raw if raw.strip() else b"{}")
    if not isinstance(document, dict):
        raise Problem.mismatch(WHOLE_BODY, "an object", shown(document))
    if not isinstance(document.get("query"), dict | None):
        raise Problem.mismatch("query", "an object", shown(document["query"]))
    return document


def _understood(parse: Any, given: Any) -> BeaconRequest:
    try:
        return parse(given)
    except Problem:
        return BeaconRequest()


def _granularity(question: NodeRequest) -> Granularity | None:
    if question.method == "POST":
        given = ((question.body or {}).get("query") or {}).get("requestedGranularity")
    else:
        given = dict(question.parameters).get("requestedGranularity")
    return given if given in GRANULARITIES else None


def _conditions(network: Network, request: Request) -> Conditions:
    return Conditions(
        _deadline_s(_own(request, DEADLINE), network.policy.deadline_s),
        _truth(_own(request, PARTIAL), PARTIAL[1]),
        _truth(_own(request, TRACE), TRACE[1]),
    )


def _own(request: Request, names: tuple[str, str]) -> str | None:
    return request.query_params.get(names[1], request.headers.get(names[0]))


def _deadline_s(given: str | None, default_s: float) -> float:
    if given is None:
        return default_s
    try:
        seconds = float(given)
    except ValueError:
        seconds = float("nan")
    if not (isfinite(seconds) and 0 < seconds <= LONGEST_DEADLINE_S):
        expected = f"seconds above 0 and at most {LONGEST_DEADLINE_S:g}"
        raise Problem.mismatch(DEADLINE[1], expected, shown(given))
    return seconds


def _truth(given: str | None, name: str) -> bool:
    if given not in (None, "true", "false"):
        raise Problem.mismatch(name, "true or false", shown(given))
    return given == "true"


# --- information about the network ---


async def _informing(tell: Any, request: Request) -> Response:
    check_informational(query_pairs(request))
    return Json(envelope.informational(BEACON_ID, tell(request)))


def _info(network: Network, request: Request) -> Body:
    return {
        "id": BEACON_ID,
        "name": NAME,
        "apiVersion": API_VERSION,
        "environment": "test",
        "organization": {"id": "rehearsal", "name": "Rehearsal"},
        "description": DESCRIPTION,
        "version": __version__,
        "info": {
            "nodes": [node.country for node in network.nodes],
            "deadlineS": network.policy.deadline_s,
            "synthetic": True,
        },
    }


async def _plain(body: Body, request: Request) -> Response:
    return Json(body)


async def _service_info(request: Request) -> Response:
    check_informational(query_pairs(request))
    return Json(SERVICE_INFO)


SERVICE_INFO: Body = {
    "id": BEACON_ID,
    "name": NAME,
    "type": {"group": "org.ga4gh", "artifact": "beacon", "version": API_VERSION},
    "organization": {"name": "Rehearsal", "url": info_endpoints.ORGANIZATION_URL},
    "version": __version__,
    "environment": "test",
    "description": DESCRIPTION,
    **SERVICE,
}


async def _health(network: Network, request: Request) -> Response:
    body = health_body(network)
    status = 503 if body["status"] == "down" else 200
    if "text/html" in request.headers.get("accept", ""):
        return HTMLResponse(health_html(body), status)
    return Json(body, status)
