"""Requests to the network besides Beacon queries, and the states of countries in its answers."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from typing import Any, Literal

from rehearsal.errors import mismatch
from rehearsal.model import Answer
from rehearsal.network.client import NetworkClient, NodeRequest
from rehearsal.network.service_client import MARGIN_S
from rehearsal.stories.query_context import QueryContext
from rehearsal.stories.story_types import Question
from rehearsal.web.openapi import Body

NOT_OFFERED = (404, 405, 501)  # HTTP statuses for an unknown path or method


async def ask_network(
    context: QueryContext,
    path: str,
    body: Body | None = None,
    method: Literal["GET", "POST", "DELETE"] | None = None,
    wait_s: float = 0.0,
    **parameters: str,
) -> Answer:
    """Send a request to the network in the asker's name.

    Args:
        context: Connection to the network.
        path: Path of the request.
        body: JSON body. None sends none.
        method: HTTP method. By default GET without a body and POST with one.
        wait_s: How long the network may hold the answer back, in seconds, besides the deadline.
        **parameters: Query parameters.
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
    """Return the response in an answer.

    Args:
        answer: The network's answer.

    Raises:
        RuntimeError: The network refused or failed.
    """
    response = (answer.body or {}).get("response")
    if answer.state != "answered" or not isinstance(response, dict):
        found = f"{answer.state}: {answer.reason}"
        raise RuntimeError(mismatch("network", "an answer with a response", found))
    return response


async def find_scoring_file(context: QueryContext, trait: str) -> str:
    """Return the digest of the nodes' scoring file of a trait.

    Args:
        context: Connection to the network.
        trait: Name of the trait.

    Raises:
        RuntimeError: The network has no such file, or several.
    """
    files = read_response(await ask_network(context, "scores"))["scoringFiles"]
    found = [one["scoringFile"] for one in files if one["name"] == f"rehearsal-{trait}"]
    if len(found) != 1:
        expected = f"one scoring file of {trait}"
        raise RuntimeError(mismatch("network", expected, f"{len(found)} of them"))
    return found[0]


def asked_nodes(answer: Answer) -> list[Body]:
    """Return the network's report about each node that it asked; empty if there is none.

    Args:
        answer: The network's answer.
    """
    return ((answer.body or {}).get("info") or {}).get("nodes") or []


def summarise_node_states(answer: Answer) -> dict[str, str]:
    """Return the state of each country: answered, refused, failed or late.

    Args:
        answer: The network's answer.
    """
    return {node["node"]: node["state"] for node in asked_nodes(answer)}


def nodes_without(answer: Answer, foreign: Collection[str]) -> frozenset[str]:
    """Return the countries whose nodes someone else runs, and which do not offer what was asked.

    No standard demands of a Beacon what our nodes offer besides.

    Args:
        answer: The network's answer.
        foreign: Countries whose nodes someone else runs.
    """
    return frozenset(
        node["node"]
        for node in asked_nodes(answer)
        if node["node"] in foreign and node["httpStatus"] in NOT_OFFERED
    )


def summarise_countries(answer: Answer, shown: Mapping[str, Any]) -> dict[str, Body]:
    """Return the state and latency of each country, in the form of ``ReplySummary``.

    Args:
        answer: The network's answer.
        shown: What to show of each country's answer.
    """
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
    """Describe a request for the page.

    Args:
        question: The question.
        path: Path of the request.
        body: Its JSON body.
    """
    return {"path": path, "purpose": question.asker.purpose, "body": body}
