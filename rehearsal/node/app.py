"""The node's HTTP interface: its routes and their handlers."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache, partial
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import Response

from rehearsal.node import openapi
from rehearsal.node.access.audit_log import AuditLog
from rehearsal.node.access.authorizer import Authorizer
from rehearsal.node.access.middleware import UNWRITABLE, AccessMiddleware
from rehearsal.node.access.rights import caller_name, caller_rights, sender
from rehearsal.node.beacon import envelope, info_endpoints
from rehearsal.node.beacon.entries import answer_entries, dataset_in_path
from rehearsal.node.beacon.entry_types import COLLECTIONS, ENTRY_TYPES
from rehearsal.node.beacon.node_data import NodeData
from rehearsal.node.beacon.request import (
    BeaconRequest,
    check_informational,
    page_of_terms,
    parse_body,
    parse_query_string,
)
from rehearsal.node.htsget.app import error_body as htsget_error_body
from rehearsal.node.htsget.app import htsget_app
from rehearsal.node.matchmaker.endpoint import SERVICE, MatchEndpoint
from rehearsal.web.app import (
    GET_OR_POST,
    HEALTH,
    Api,
    Handler,
    Json,
    base_url,
    query_pairs,
)
from rehearsal.web.openapi import Body
from rehearsal.web.problem import Problem
from rehearsal.web.rate_limit import RateLimit
from rehearsal.web.request_limits import read_body

# GDI's portal asks below /v2.0.0: gdi-userportal-dataset-discovery-service, commit b2904a63,
# src/main/openapi/beacon/gvariants.yaml, line 13
VERSION_IN_PATH = re.compile(r"/v2(?:\.[0-9]{1,3}){0,2}(?=/|$)")


class Extension(Protocol):
    """An API that a node serves beside Beacon and htsget."""

    def add_to(self, api: Api) -> None:
        """Add the routes.

        Args:
            api: The node's API.
        """
        ...

    def paths(self) -> dict[str, Any]:
        """Return the OpenAPI path items of the routes, by path."""
        ...


def beacon_app(
    node_data: NodeData,
    authorizer: Authorizer,
    *extensions: Extension,
    requests_per_s: float = 0.0,
) -> AccessMiddleware:
    """Build a node's whole API behind access control.

    Args:
        node_data: The node's data.
        authorizer: The node's access decisions.
        *extensions: APIs to serve beside Beacon, htsget and matching.
        requests_per_s: Requests that one caller may send per second; 0: any number.

    Returns:
        The ASGI application.
    """
    api = beacon_api(node_data, authorizer, *extensions, requests_per_s=requests_per_s)
    return AccessMiddleware(api, authorizer)


def beacon_api(
    node_data: NodeData,
    authorizer: Authorizer,
    *extensions: Extension,
    requests_per_s: float = 0.0,
) -> Api:
    """Build a node's API, which expects requests that were authorized.

    Args:
        node_data: The node's data.
        authorizer: The node's access decisions.
        *extensions: APIs to serve beside Beacon, htsget and matching.
        requests_per_s: Requests that one caller may send per second; 0: any number.

    Returns:
        The API.
    """
    settings = node_data.settings
    inform = partial(partial, _informing, settings.beacon_id)

    @cache
    def description() -> Body:  # when it is asked for: half of what a start would cost
        return openapi.description(settings, [one.paths() for one in extensions])

    error_body = partial(envelope.error, settings.beacon_id)
    limit = RateLimit(requests_per_s, sender)
    api = Api(error_body, "node", limit, version=VERSION_IN_PATH, is_shared=lambda: True)
    add_entry_routes(
        api, partial(partial, _entries, node_data), partial(partial, _terms, node_data)
    )
    for path in ("/", "/info"):
        api.add(path, inform(lambda _: info_endpoints.info(settings)))
    api.add("/openapi.json", partial(_describe, description))
    api.add(HEALTH, partial(_health, authorizer.audit))
    api.add("/configuration", inform(lambda _: info_endpoints.configuration()))
    api.add("/entry_types", inform(lambda _: info_endpoints.entry_types()))
    folder = node_data.people.path.parent
    variants, reference = node_data.variants, node_data.reference
    match = MatchEndpoint(
        settings, variants, folder, authorizer.secret, reference, node_data.liftover
    )
    match.add_to(api, error_body)
    api.add("/map", inform(partial(_map, has_matching=match.has_index)))
    more = SERVICE if match.has_index else {}
    api.add("/service-info", partial(_service_info, info_endpoints.service_info(settings) | more))
    api.mount("/htsget", htsget_app(node_data), htsget_error_body)
    for extension in extensions:
        extension.add_to(api)
    return api


def add_entry_routes(
    api: Api, handler: Callable[[str, str | None], Handler], terms: Callable[[str], Handler]
) -> None:
    """Add the routes of the seven entry types and of the filtering terms.

    Args:
        api: The API.
        handler: Returns the handler for the path of an entry type and for the path of what is
            listed below one of its entries, or None.
        terms: Returns the handler of filtering terms below the path of an entry type, or "". An
            identifier in a route is that of a collection.
    """
    api.add("/filtering_terms", terms(""), GET_OR_POST)
    for path, entry_type in ENTRY_TYPES.items():
        single = f"/{path}/{{id}}"
        api.add(f"/{path}", handler(path, None), GET_OR_POST)
        api.add(f"/{path}/filtering_terms", terms(path), GET_OR_POST)
        api.add(single, handler(path, None), GET_OR_POST)
        if path in COLLECTIONS:
            api.add(f"{single}/filtering_terms", terms(path), GET_OR_POST)
        for listed in entry_type.lists:
            api.add(f"{single}/{listed}", handler(path, listed), GET_OR_POST)


def _map(request: Request, has_matching: bool) -> dict[str, Any]:
    return info_endpoints.beacon_map(base_url(request), has_matching)


async def _describe(description: Callable[[], Body], request: Request) -> Response:
    return Json(description())


async def _service_info(body: dict[str, Any], request: Request) -> Response:
    check_informational(query_pairs(request))
    return Json(body)


async def _health(audit: AuditLog | None, request: Request) -> Response:
    if audit is None or audit.is_writable():
        return Json({"status": "ok"})
    return Json({"status": "down", "reason": UNWRITABLE}, 503)


async def _informing(
    beacon_id: str, tell: Callable[[Request], dict[str, Any]], request: Request
) -> Response:
    check_informational(query_pairs(request))
    return Json(envelope.informational(beacon_id, tell(request)))


async def _entries(
    node_data: NodeData, path: str, listed: str | None, request: Request
) -> Response:
    rights = caller_rights(request)
    asked = await _read(request)
    identifier = request.path_params.get("id")
    caller, base = caller_name(rights, request), partial(base_url, request)
    return Json(answer_entries(node_data, rights, asked, path, identifier, listed, caller, base))


async def _terms(node_data: NodeData, path: str, request: Request) -> Response:
    rights = caller_rights(request)
    asked = await _read(request)
    page = page_of_terms(asked)
    dataset = dataset_in_path(node_data, rights, path, request.path_params.get("id"))
    terms = info_endpoints.filtering_terms(node_data, rights, dataset)
    terms["filteringTerms"] = terms["filteringTerms"][page]
    body = envelope.informational(node_data.settings.beacon_id, terms)
    return Json({**body, "info": {"warnings": list(asked.warnings)}} if asked.warnings else body)


async def _read(request: Request) -> BeaconRequest:
    """Parse the request, GET or POST. Raises Problem."""
    if request.method == "POST":
        if request.scope["query_string"]:
            expected = "no parameters, as a POST sends them in its body"
            raise Problem.mismatch("the URL", expected, "a query string")
        return parse_body(await read_body(request))
    return parse_query_string(query_pairs(request))
