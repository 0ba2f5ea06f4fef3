"""What the network's endpoints beside Beacon share: asking all nodes, and telling what became of
each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import orjson
from starlette.requests import Request

from rehearsal.model import Answer
from rehearsal.network.beacon_response import BEACON_ID
from rehearsal.network.client import PURPOSE, NodeRequest
from rehearsal.node.beacon import envelope
from rehearsal.web.app import Json
from rehearsal.web.problem import Problem

Body = dict[str, Any]


def forwarded(request: Request, path: str, method: str = "GET", body: Any = None) -> NodeRequest:
    """A request to nodes in the name of whoever sent this one."""
    return NodeRequest(
        path,
        method,
        body,
        authorization=request.headers.get("authorization"),
        purpose=request.headers.get(PURPOSE),
        is_beacon=False,
    )


def with_parameters(asked: NodeRequest, **parameters: str) -> NodeRequest:
    return replace(asked, parameters=tuple(parameters.items()))


def read_object(raw: bytes) -> Body:
    """The JSON object in a body. Raises Problem."""
    try:
        given = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise Problem(f"the body is no JSON: {error}") from None
    if not isinstance(given, dict):
        raise Problem("the body: an object")
    return given


def responses(answers: Sequence[Answer]) -> dict[str, Body]:
    """What those who answered said, by country."""
    said = {one.node: (one.body or {}).get("response") for one in answers}
    answered = {one.node for one in answers if one.state == "answered"}
    return {node: one for node, one in said.items() if node in answered and isinstance(one, dict)}


def told(response: Body, answers: Sequence[Answer]) -> Json:
    """The network's answer, with what became of every node."""
    body = envelope.informational(BEACON_ID, response)
    return Json({**body, "info": nodes_info(answers)})


def nodes_info(answers: Sequence[Answer]) -> Body:
    return {
        "nodes": [_node(one) for one in answers],
        "states": dict(Counter(one.state for one in answers)),
        "complete": all(one.state == "answered" for one in answers),
    }


def _node(answer: Answer) -> Body:
    shown = {
        "node": answer.node,
        "state": answer.state,
        "httpStatus": answer.http_status,
        "latencyMs": round(answer.latency_s * 1000, 3),
    }
    return {**shown, "reason": answer.reason} if answer.reason else shown


def refusal(answers: Sequence[Answer]) -> Json:
    """What is said when no node answered: what most refused with; 504 when one was late; 502."""
    refused = Counter(one.http_status for one in answers if one.state == "refused")
    if refused:
        status = max(refused.items(), key=lambda item: item[1])[0] or 400
        reason = next(one.reason for one in answers if one.http_status == status)
        reason = f"{sum(refused.values())} of {len(answers)} nodes refused: {reason}"
    elif any(one.state == "late" for one in answers):
        status, reason = 504, f"none of {len(answers)} nodes answered in time"
    else:
        status, reason = 502 if answers else 503, f"none of {len(answers)} nodes answered"
    body = envelope.error(BEACON_ID, status, reason)
    return Json({**body, "info": nodes_info(answers)}, status)
