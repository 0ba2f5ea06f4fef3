"""What the network's endpoints outside Beacon share.

A request is passed on to all nodes, and the response states the outcome of each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import orjson
from starlette.requests import Request

from rehearsal.errors import shown
from rehearsal.model import Answer
from rehearsal.network.beacon_response import BEACON_ID
from rehearsal.network.client import FORWARDED_FOR, KEY, PURPOSE, Method, NodeRequest
from rehearsal.network.outcomes import common_failure, node_states
from rehearsal.node.access.matchmaker_keys import KEY_PATHS
from rehearsal.node.access.rights import TOKEN_REFUSED
from rehearsal.node.beacon import envelope
from rehearsal.web.app import Json
from rehearsal.web.credentials import CredentialsError, read_once, read_token
from rehearsal.web.model_errors import WHOLE_BODY, no_json
from rehearsal.web.openapi import Body
from rehearsal.web.problem import Problem
from rehearsal.web.request_limits import check_keys, check_nesting


def forward_request(
    request: Request,
    path: str,
    method: Method = "GET",
    body: Body | None = None,
    parameters: tuple[tuple[str, str], ...] = (),
    *,
    is_beacon: bool = False,
) -> NodeRequest:
    """Build a request to nodes on behalf of the sender of this one.

    Args:
        request: The HTTP request.
        path: Path below a node's base URL, percent-encoded.
        method: HTTP method.
        body: JSON body of a POST.
        parameters: URL parameters.
        is_beacon: Whether this is a Beacon request.

    Returns:
        The request, with the caller's token or key, purpose and address.

    Raises:
        Problem: A token, key or purpose is there twice, or a token or key is empty (401, 400).
            Nodes would take the request for one without.
    """
    authorization = _values(request, "authorization")
    keys = _values(request, KEY) if f"/{path}" in KEY_PATHS else []
    try:
        read_token(authorization, keys)
    except CredentialsError as refusal:
        raise Problem(TOKEN_REFUSED, 401, cause=refusal.rule) from None
    return NodeRequest(
        path,
        method,
        body,
        parameters,
        read_once(authorization, "Authorization"),
        read_once(_values(request, PURPOSE), PURPOSE),
        is_beacon=is_beacon,
        forwarded_for=_forwarded_for(request),
        key=read_once(keys, KEY),
    )


def _values(request: Request, name: str) -> list[bytes]:
    return [value for key, value in request.scope["headers"] if key == name.lower().encode()]


def _forwarded_for(request: Request) -> str:
    """Add the caller's address to those that the request came through, as every proxy does."""
    came_through = request.headers.getlist(FORWARDED_FOR)
    sender = [request.client.host] if request.client else []
    return ", ".join([*came_through, *sender])


def with_parameters(request: NodeRequest, /, **parameters: str) -> NodeRequest:
    """Replace the URL parameters of a request.

    Args:
        request: The request.
        **parameters: The parameters.

    Returns:
        The new request.
    """
    return replace(request, parameters=tuple(parameters.items()))


def read_object(raw: bytes) -> Body:
    """Read a body that must be a JSON object.

    Args:
        raw: The body.

    Returns:
        The object.

    Raises:
        Problem: The body is something else (400).
    """
    check_nesting(raw)
    try:
        given = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise no_json(error) from None
    check_keys(raw)
    if not isinstance(given, dict):
        raise Problem.mismatch(WHOLE_BODY, "an object", shown(given))
    return given


def usable_responses(answers: Sequence[Answer]) -> dict[str, Body]:
    """Select the ``response`` of the nodes that answered.

    Args:
        answers: One answer per node.

    Returns:
        Responses by country code.
    """
    responses = {one.node: (one.body or {}).get("response") for one in answers}
    answered = {one.node for one in answers if one.state == "answered"}
    return {
        node: response
        for node, response in responses.items()
        if node in answered and isinstance(response, dict)
    }


def network_response(response: Body, answers: Sequence[Answer]) -> Json:
    """Build the network's response, with the outcome of every node.

    Args:
        response: The aggregated response.
        answers: One answer per node.

    Returns:
        The HTTP response.
    """
    body = envelope.informational(BEACON_ID, response)
    return Json({**body, "info": node_states(answers)})


def failure_response(answers: Sequence[Answer]) -> Json:
    """Build the network's error when no node gave a usable answer.

    Args:
        answers: One answer per node.

    Returns:
        The HTTP response.
    """
    failure = common_failure(answers)
    body = envelope.error(BEACON_ID, failure.status, failure.reason)
    return Json({**body, "info": node_states(answers)}, failure.status)
