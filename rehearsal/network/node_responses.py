"""What the network's endpoints beside Beacon share: requests passed on to all nodes, and one answer
that says what became of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import orjson
from starlette.requests import Request

from rehearsal.model import Answer
from rehearsal.network.beacon_response import BEACON_ID
from rehearsal.network.client import PURPOSE, Method, NodeRequest
from rehearsal.network.outcomes import common_failure, node_states
from rehearsal.node.beacon import envelope
from rehearsal.web.app import Json
from rehearsal.web.openapi import Body
from rehearsal.web.problem import Problem


def forward_request(
    request: Request, path: str, method: Method = "GET", body: Body | None = None
) -> NodeRequest:
    """A request to nodes in the name of whoever sent this one."""
    return NodeRequest(
        path,
        method,
        body,
        authorization=request.headers.get("authorization"),
        purpose=request.headers.get(PURPOSE),
        is_beacon=False,
    )


def with_parameters(request: NodeRequest, **parameters: str) -> NodeRequest:
    """The same request with these parameters of the URL."""
    return replace(request, parameters=tuple(parameters.items()))


def read_object(raw: bytes) -> Body:
    """The JSON object in a body. Raises Problem."""
    try:
        given = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise Problem(f"the body is no JSON: {error}") from None
    if not isinstance(given, dict):
        raise Problem("the body: an object")
    return given


def usable_responses(answers: Sequence[Answer]) -> dict[str, Body]:
    """The ``response`` of those who answered, by country."""
    responses = {one.node: (one.body or {}).get("response") for one in answers}
    answered = {one.node for one in answers if one.state == "answered"}
    return {
        node: response
        for node, response in responses.items()
        if node in answered and isinstance(response, dict)
    }


def network_response(response: Body, answers: Sequence[Answer]) -> Json:
    """The network's answer, with what became of every node."""
    body = envelope.informational(BEACON_ID, response)
    return Json({**body, "info": node_states(answers)})


def failure_response(answers: Sequence[Answer]) -> Json:
    """The network's error when no node gave an answer that can be used."""
    failure = common_failure(answers)
    body = envelope.error(BEACON_ID, failure.status, failure.reason)
    return Json({**body, "info": node_states(answers)}, failure.status)
