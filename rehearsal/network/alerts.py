"""``/subscriptions`` and ``/alerts`` of the network.

The network keeps none of them: a subscription lives at every node, with the visas it was made
with, and so does an alert until it is acknowledged. What the network adds is one place to ask.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from urllib.parse import quote

from starlette.requests import Request

from rehearsal.model import Answer
from rehearsal.network.client import NodeRequest
from rehearsal.network.node_responses import (
    Body,
    failure_response,
    forward_request,
    network_response,
    read_object,
    usable_responses,
    with_parameters,
)
from rehearsal.network.service import Network
from rehearsal.node.alerts.request import Acknowledgement, AlertsQuery
from rehearsal.web.app import Api, Json, query_pairs, read_body
from rehearsal.web.request_models import decode_body, decode_parameters

AGAIN_S = 0.5  # between attempts at a node that is away, while a subscriber waits
GRACE_S = 0.05  # for alerts that other nodes raised at the same moment
HOLDING = "still held the question: another node had an alert"


class AlertEndpoints:
    """The handlers over one network."""

    def __init__(self, network: Network) -> None:
        self._network = network

    def add_to(self, api: Api) -> None:
        api.add("/subscriptions", self.subscriptions)
        api.add("/subscriptions", self.subscribe, ["POST"])
        api.add("/subscriptions/{id}", self.unsubscribe, ["DELETE"])
        api.add("/alerts", self.alerts)
        api.add("/alerts/acknowledged", self.acknowledge, ["POST"])

    async def subscribe(self, request: Request) -> Json:
        """At all nodes; who was away is told: subscribing again is the same subscription."""
        body = read_object(await read_body(request))
        answers = await self._ask(forward_request(request, "subscriptions", "POST", body))
        responses = usable_responses(answers)
        if not responses:
            return failure_response(answers)
        first = next(iter(responses.values()))
        return network_response({**first, "nodes": list(responses)}, answers)

    async def subscriptions(self, request: Request) -> Json:
        """The asker's subscriptions, and which nodes have each."""
        answers = await self._ask(forward_request(request, "subscriptions"))
        responses = usable_responses(answers)
        if not responses:
            return failure_response(answers)
        found: dict[str, Body] = {}
        for node, response in responses.items():
            for one in response["subscriptions"]:
                found.setdefault(one["subscription"], {**one, "nodes": []})["nodes"].append(node)
        return network_response({"subscriptions": list(found.values())}, answers)

    async def unsubscribe(self, request: Request) -> Json:
        """At all nodes."""
        identifier = request.path_params["id"]
        path = f"subscriptions/{quote(identifier, safe='')}"
        answers = await self._ask(forward_request(request, path, "DELETE"))
        responses = usable_responses(answers)
        if not responses:
            return failure_response(answers)
        return network_response({"unsubscribed": identifier, "nodes": list(responses)}, answers)

    async def alerts(self, request: Request) -> Json:
        """The asker's alerts of all nodes; ``waitS`` waits for the first."""
        wait_s = decode_parameters(query_pairs(request), AlertsQuery).wait_s
        question = forward_request(request, "alerts")
        answers = await (self._first(question, wait_s) if wait_s else self._ask(question))
        responses = usable_responses(answers)
        if not responses:
            return failure_response(answers)
        found = [one for response in responses.values() for one in response["alerts"]]
        return network_response({"alerts": sorted(found, key=lambda one: one["time"])}, answers)

    async def acknowledge(self, request: Request) -> Json:
        """Alerts, by their tokens, at the nodes that raised them."""
        tokens = decode_body(await read_body(request), Acknowledgement).tokens
        body = {"tokens": tokens}
        answers = await self._ask(forward_request(request, "alerts/acknowledged", "POST", body))
        responses = usable_responses(answers)
        if not responses:
            return failure_response(answers)
        number = sum(one["acknowledged"] for one in responses.values())
        return network_response({"acknowledged": number}, answers)

    async def _ask(self, question: NodeRequest) -> list[Answer]:
        """Every node is asked, also one whose circuit is open: it may be back by now, and what is
        said here must not pass it by."""
        network = self._network
        deadline_s = network.policy.deadline_s
        return await asyncio.gather(
            *(network.send(node, question, deadline_s) for node in network.nodes)
        )

    async def _first(self, question: NodeRequest, wait_s: float) -> list[Answer]:
        """Every node's answer as soon as one has alerts, at the latest after ``wait_s``. Nodes
        hold the question meanwhile; those that are away are asked again and again."""
        clock = asyncio.get_running_loop().time
        started = clock()
        until = started + wait_s
        latest: dict[str, Answer] = {}

        async def follow(country: str) -> None:
            while True:
                left = max(until - clock(), 0.0)
                waiting = with_parameters(question, waitS=f"{left:.3f}")
                deadline_s = left + self._network.policy.deadline_s
                # a node that was started again may be elsewhere
                for node in self._network.nodes:
                    if node.country == country:
                        latest[country] = await self._network.send(node, waiting, deadline_s)
                state = latest[country].state
                if state in ("answered", "refused") or until - clock() < AGAIN_S:
                    return
                await asyncio.sleep(AGAIN_S)

        countries = [node.country for node in self._network.nodes]
        tasks = [asyncio.ensure_future(follow(country)) for country in countries]
        try:
            pending = set(tasks)
            while pending and not _has_alerts(latest.values()):
                _, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            if pending:
                await asyncio.wait(pending, timeout=GRACE_S)
        finally:
            for task in tasks:
                task.cancel()
        waited_s = clock() - started
        return [
            latest.get(country)
            or Answer(question.query, country, "late", None, None, waited_s, 0, HOLDING)
            for country in countries
        ]


def _has_alerts(answers: Iterable[Answer]) -> bool:
    return any(one["alerts"] for one in usable_responses(list(answers)).values())
