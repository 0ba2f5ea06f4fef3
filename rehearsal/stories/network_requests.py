"""Requests to the network beside Beacon queries, and what its answers say of every country."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Literal

from rehearsal.model import Answer
from rehearsal.network.client import NetworkClient, NodeRequest
from rehearsal.network.service_client import MARGIN_S
from rehearsal.stories.query_context import QueryContext
from rehearsal.stories.story_types import Question
from rehearsal.web.openapi import Body


async def ask_network(
    context: QueryContext,
    path: str,
    body: Body | None = None,
    method: Literal["GET", "POST", "DELETE"] | None = None,
    wait_s: float = 0.0,
    **parameters: str,
) -> Answer:
    """The network's answer at a path, in the asker's name.

    ``method``: GET without a body and POST with one, if not given. ``wait_s``: how long the answer
    may be held back, beside the deadline.
    """
    network = context.network
    request = NodeRequest(
        path,
        method or ("GET" if body is None else "POST"),
        body,
        tuple(parameters.items()),
        None if context.token is None else f"Bearer {context.token}",
        context.asker.purpose,
        is_beacon=False,
    )
    async with NetworkClient([network.service]) as client:
        started = asyncio.get_running_loop().time()
        patience_s = network.deadline_s + MARGIN_S + wait_s
        return await client.send(network.service, request, started, patience_s)


def read_response(answer: Answer) -> Body:
    """What an answer says. Raises RuntimeError where the network refused or failed."""
    response = (answer.body or {}).get("response")
    if answer.state != "answered" or not isinstance(response, dict):
        raise RuntimeError(f"the network {answer.state}: {answer.reason}")
    return response


async def find_scoring_file(context: QueryContext, trait: str) -> str:
    """The digest of the nodes' scoring file of a trait.

    Raises RuntimeError where the network has none, or several.
    """
    files = read_response(await ask_network(context, "scores"))["scoringFiles"]
    found = [one["scoringFile"] for one in files if one["name"] == f"rehearsal-{trait}"]
    if len(found) != 1:
        raise RuntimeError(f"{len(found)} scoring files of {trait} in the network")
    return found[0]


def asked_nodes(answer: Answer) -> list[Body]:
    """What the network says of each node that it asked; none where it does not say."""
    return ((answer.body or {}).get("info") or {}).get("nodes") or []


def summarise_node_states(answer: Answer) -> dict[str, str]:
    """What became of each country: answered, refused, failed or late."""
    return {node["node"]: node["state"] for node in asked_nodes(answer)}


def summarise_countries(answer: Answer, shown: Mapping[str, Any]) -> dict[str, Body]:
    """Each country's state and latency, as ``ReplySummary`` has them. ``shown``: what came of
    each."""
    countries = {}
    for node in asked_nodes(answer):
        one = {"state": node["state"], "latency_ms": node["latencyMs"]}
        if node["node"] in shown:
            one["answer"] = shown[node["node"]]
        if "reason" in node:
            one["reason"] = node["reason"]
        countries[node["node"]] = one
    return countries


def summarise_request(question: Question, path: str, body: Any = None) -> Body:
    """What was asked, for the page."""
    return {"path": path, "purpose": question.asker.purpose, "body": body}
