"""The node's HTTP interface: routes, limits on what is read, and Beacon error bodies."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from rehearsal.node.access import rights
from rehearsal.node.admitting import Admitting
from rehearsal.node.beacon import describing, framing, openapi
from rehearsal.node.beacon.entry_types import ENTRY_TYPES
from rehearsal.node.beacon.errors import BeaconProblem
from rehearsal.node.beacon.holdings import Holdings
from rehearsal.node.beacon.request import BeaconRequest, from_body, from_query_string
from rehearsal.node.beacon.service import entries
from rehearsal.node.gate import Gate
from rehearsal.node.htsget.app import htsget_app

log = logging.getLogger(__name__)

MAX_BODY = 256 * 1024  # bytes of a request; a long list of filters takes a few thousand
MAX_DRAINED = 64 * 1024 * 1024  # read and thrown away, so that the caller gets to see the refusal
MAX_QUERY_STRING = 16 * 1024
BODY_TIMEOUT_S = 10.0

Handler = Callable[[Request], Awaitable[Response]]


def beacon_app(holdings: Holdings, gate: Gate) -> Starlette:
    """The whole API over a node's holdings; ``gate`` decides who may ask what."""
    beacon_id = holdings.settings.beacon_id
    settings = holdings.settings
    terms = partial(
        _informing, lambda one: describing.filtering_terms(holdings, rights(one)), beacon_id
    )
    tell_info = partial(_informing, lambda _: describing.info(settings), beacon_id)
    routes = [
        *_entry_routes(holdings, terms),
        _get("/", tell_info),
        _get("/info", tell_info),
        _get("/service-info", partial(_plain, describing.service_info(settings))),
        _get("/openapi.json", partial(_plain, openapi.description(settings))),
        _get(
            "/configuration", partial(_informing, lambda _: describing.configuration(), beacon_id)
        ),
        _get("/entry_types", partial(_informing, lambda _: describing.entry_types(), beacon_id)),
        _get("/map", partial(_informing, lambda r: describing.beacon_map(_base(r)), beacon_id)),
        Route("/filtering_terms", terms, methods=["GET", "POST"]),
        Mount("/htsget", htsget_app(holdings)),
    ]
    refused = partial(_refused, beacon_id)
    return Starlette(
        routes=routes,
        middleware=[Middleware(Admitting, gate=gate)],
        exception_handlers={
            BeaconProblem: refused,
            HTTPException: refused,
            Exception: partial(_broken, beacon_id),
        },
    )


def _entry_routes(holdings: Holdings, terms: Handler) -> list[Route]:
    """The most asked first: routes are tried in order."""
    both = ["GET", "POST"]
    lists = [
        Route(f"/{path}", partial(_entries, holdings, path, None), methods=both)
        for path in ENTRY_TYPES
    ]
    others = []
    for path, entry_type in ENTRY_TYPES.items():
        single = f"/{path}/{{id}}"
        others += [
            Route(f"/{path}/filtering_terms", terms, methods=both),
            Route(single, partial(_entries, holdings, path, None), methods=both),
            Route(f"{single}/filtering_terms", terms, methods=both),
            *(
                Route(f"{single}/{name}", partial(_entries, holdings, path, name), methods=both)
                for name in entry_type.lists
            ),
        ]
    return lists + others


def _get(path: str, handler: Handler) -> Route:
    return Route(path, handler, methods=["GET"])


def _base(request: Request) -> str:
    return str(request.base_url).rstrip("/")


def _json(body: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(body), status, media_type="application/json")


async def _plain(body: dict[str, Any], request: Request) -> Response:
    return _json(body)


async def _informing(
    tell: Callable[[Request], dict[str, Any]], beacon_id: str, request: Request
) -> Response:
    return _json(framing.informational(beacon_id, tell(request)))


async def _entries(holdings: Holdings, path: str, listed: str | None, request: Request) -> Response:
    caller = rights(request)
    beacon_request = await _read(request)
    identifier = request.path_params.get("id")
    body = entries(holdings, caller, beacon_request, path, identifier, listed)
    return _json(body)


async def _read(request: Request) -> BeaconRequest:
    """The typed request, GET or POST. Raises BeaconProblem."""
    if request.method == "POST":
        if request.scope["query_string"]:
            raise BeaconProblem("a POST is asked by its body: no parameters in the URL")
        return from_body(await _body(request))
    if len(request.scope["query_string"]) > MAX_QUERY_STRING:
        raise BeaconProblem(f"the URL's parameters are longer than {MAX_QUERY_STRING} bytes", 414)
    return from_query_string(request.query_params.multi_items())


async def _body(request: Request) -> bytes:
    """The body, unless it is too long, too slow or compressed."""
    if request.headers.get("content-encoding", "identity") != "identity":
        raise BeaconProblem("content-encoding: send the body as it is", 415)
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            async for chunk in request.stream():
                size += len(chunk)
                if size > MAX_DRAINED:
                    break
                if size <= MAX_BODY:
                    chunks.append(chunk)
    except TimeoutError:
        raise BeaconProblem(f"the body took longer than {BODY_TIMEOUT_S:g} s", 408) from None
    except ClientDisconnect:
        raise BeaconProblem("the caller went away", 400) from None
    if size > MAX_BODY:
        raise BeaconProblem(f"the body is longer than {MAX_BODY} bytes", 413)
    return b"".join(chunks)


async def _refused(beacon_id: str, request: Request, problem: Exception) -> Response:
    if isinstance(problem, BeaconProblem):
        status, reason, headers = problem.status, problem.reason, {}
        if status == 401:  # RFC 6750: a token that was shown and refused, or none
            shown = ' error="invalid_token"' if "authorization" in request.headers else ""
            headers["www-authenticate"] = f"Bearer{shown}"
    else:
        assert isinstance(problem, HTTPException)
        status, headers = problem.status_code, problem.headers
        reason = {
            404: "there is nothing at this path; see /map",
            405: f"{request.method} is not possible at this path",
        }.get(status, problem.detail)
    response = _json(framing.error(beacon_id, status, reason), status)
    response.headers.update(headers or {})
    return response


async def _broken(beacon_id: str, request: Request, problem: Exception) -> Response:
    """A fault of ours: told as such, without its insides; the node lives on."""
    log.error("%s %s", request.method, request.url.path, exc_info=problem)
    return _json(framing.error(beacon_id, 500, "the node failed to answer"), 500)
