"""What kinds of questions beside Beacon share: asking the network, and telling of every country."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from rehearsal.model import Answer
from rehearsal.network.client import NetworkClient, NodeRequest
from rehearsal.network.service_client import MARGIN_S
from rehearsal.stories.query_context import Desk
from rehearsal.stories.story_types import Check, Question

Body = dict[str, Any]


async def ask_network(
    desk: Desk,
    path: str,
    body: Body | None = None,
    method: str | None = None,
    wait_s: float = 0.0,
    **parameters: str,
) -> Answer:
    """The network's answer at a path, in the asker's name. ``wait_s``: how long it may be held
    back, beside the deadline."""
    request = NodeRequest(
        path,
        method or ("GET" if body is None else "POST"),
        body,
        tuple(parameters.items()),
        None if desk.token is None else f"Bearer {desk.token}",
        desk.asker.purpose,
        is_beacon=False,
    )
    async with NetworkClient([desk.service]) as client:
        started = asyncio.get_running_loop().time()
        patience_s = desk.deadline_s + MARGIN_S + wait_s
        return await client.put(desk.service, request, started, patience_s)


def response(answer: Answer) -> Body:
    """What an answer says. Raises RuntimeError where the network refused or failed."""
    said = (answer.body or {}).get("response")
    if answer.state != "answered" or not isinstance(said, dict):
        raise RuntimeError(f"the network {answer.state}: {answer.reason}")
    return said


def countries(answer: Answer, shown: Mapping[str, Any]) -> dict[str, Body]:
    """Each country's state and latency, as ``Told`` has them. ``shown``: what came of each."""
    told = {}
    for node in ((answer.body or {}).get("info") or {}).get("nodes", ()):
        one = {"state": node["state"], "latency_ms": node["latencyMs"]}
        if node["node"] in shown:
            one["answer"] = shown[node["node"]]
        if "reason" in node:
            one["reason"] = node["reason"]
        told[node["node"]] = one
    return told


def request(question: Question, path: str, body: Any = None) -> Body:
    """What was put, for the page."""
    return {"path": path, "purpose": question.asker.purpose, "body": body}


def answered(expected: list[str], answer: Answer) -> Check:
    """Whether every country of the run answered."""
    told = countries(answer, {})
    came = sorted(code for code, one in told.items() if one["state"] == "answered")
    return Check.equal("every country answered", sorted(expected), came)
