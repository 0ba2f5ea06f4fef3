"""``/subscriptions`` and ``/alerts`` of the network.

The network stores neither. Each node stores the subscription, with the visas that it was made with,
and keeps an alert until it is acknowledged. The network only provides one place to ask.
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
from rehearsal.web.app import Api, Json, query_pairs
from rehearsal.web.request_limits import read_body
from rehearsal.web.request_models import decode_body, decode_parameters

AGAIN_S = 0.5  # between attempts to reach a node that is away
GRACE_S = 0.05  # for alerts that other nodes raise at the same moment
HOLDING = "still waiting for an alert when another node had one"


class AlertEndpoints:
    """The handlers of subscriptions and alerts.

    Args:
        network: The network whose nodes are asked.
    """

    def __init__(self, network: Network) -> None:
        self._network = network

    def add_to(self, api: Api) -> None:
        """Register the handlers.

        Args:
            api: The application.
        """
        api.add("/subscriptions", self.subscriptions)
        api.add("/subscriptions", self.subscribe, ["POST"])
        api.add("/subscriptions/{id}", self.unsubscribe, ["DELETE"])
        api.add("/alerts", self.alerts)
        api.add("/alerts/acknowledged", self.acknowledge, ["POST"])

    async def subscribe(self, request: Request) -> Json:
        """Subscribe at all nodes.

        The answer names the nodes that were away. Subscribing again renews the same subscription.

        Args:
            request: The HTTP request.

        Returns:
            The response.
        """
        body = read_object(await read_body(request))
        answers = await self._ask(forward_request(request, "subscriptions", "POST", body))
        responses = usable_responses(answers)
        if not responses:
            return failure_response(answers)
        first = next(iter(responses.values()))
        return network_response({**first, "nodes": list(responses)}, answers)

    async def subscriptions(self, request: Request) -> Json:
        """List the caller's subscriptions and the nodes that have each.

        Args:
            request: The HTTP request.

        Returns:
            The response.
        """
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
        """Cancel a subscription at all nodes.

        Args:
            request: The HTTP request.

        Returns:
            The response.
        """
        identifier = request.path_params["id"]
        path = f"subscriptions/{quote(identifier, safe='')}"
        answers = await self._ask(forward_request(request, path, "DELETE"))
        responses = usable_responses(answers)
        if not responses:
            return failure_response(answers)
        return network_response({"unsubscribed": identifier, "nodes": list(responses)}, answers)

    async def alerts(self, request: Request) -> Json:
        """List the caller's alerts of all nodes; ``waitS`` waits for the first one.

        Args:
            request: The HTTP request.

        Returns:
            The response.
        """
        wait_s = decode_parameters(query_pairs(request), AlertsQuery).wait_s
        question = forward_request(request, "alerts")
        answers = await (self._first(question, wait_s) if wait_s else self._ask(question))
        responses = usable_responses(answers)
        if not responses:
            return failure_response(answers)
        found = [one for response in responses.values() for one in response["alerts"]]
        return network_response({"alerts": sorted(found, key=lambda one: one["time"])}, answers)

    async def acknowledge(self, request: Request) -> Json:
        """Acknowledge alerts, by their tokens, at the nodes that raised them.

        Args:
            request: The HTTP request.

        Returns:
            The response.
        """
        tokens = decode_body(await read_body(request), Acknowledgement).tokens
        body = {"tokens": tokens}
        answers = await self._ask(forward_request(request, "alerts/acknowledged", "POST", body))
        responses = usable_responses(answers)
        if not responses:
            return failure_response(answers)
        number = sum(one["acknowledged"] for one in responses.values())
        return network_response({"acknowledged": number}, answers)

    async def _ask(self, question: NodeRequest) -> list[Answer]:
        """Ask every node, even one whose circuit is open: it may be back, and must not miss the
        request.
        """
        network = self._network
        deadline_s = network.policy.deadline_s
        return await asyncio.gather(
            *(network.send(node, question, deadline_s) for node in network.nodes)
        )

    async def _first(self, question: NodeRequest, wait_s: float) -> list[Answer]:
        """Return every node's answer as soon as one has alerts, after ``wait_s`` at the latest.

        Nodes hold the request meanwhile. Nodes that are away are asked repeatedly.
        """
        clock = asyncio.get_running_loop().time
        started = clock()
        until = started + wait_s
        latest: dict[str, Answer] = {}

        async def follow(country: str) -> None:
            while True:
                left = max(until - clock(), 0.0)
                waiting = with_parameters(question, waitS=f"{left:.3f}")
                deadline_s = left + self._network.policy.deadline_s
                # a restarted node may have another address
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
