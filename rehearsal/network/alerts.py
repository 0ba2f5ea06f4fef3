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
    forwarded,
    read_object,
    refusal,
    responses,
    told,
    with_parameters,
)
from rehearsal.network.service import Network
from rehearsal.node.alerts.request import read_tokens, read_wait_s
from rehearsal.web.app import Api, Json, query_pairs, read_body

AGAIN_S = 0.5  # between attempts at a node that is away, while a subscriber waits
GRACE_S = 0.05  # for alerts that other nodes raised at the same moment


class Alerts:
    """The handlers over one network."""

    def __init__(self, network: Network) -> None:
        self._network = network

    def add_to(self, api: Api) -> None:
        api.add("/subscriptions", self.listed)
        api.add("/subscriptions", self.subscribe, ["POST"])
        api.add("/subscriptions/{id}", self.unsubscribe, ["DELETE"])
        api.add("/alerts", self.alerts)
        api.add("/alerts/acknowledged", self.acknowledge, ["POST"])

    async def subscribe(self, request: Request) -> Json:
        """At all nodes; who was away is told: subscribing again is the same subscription."""
        asked = read_object(await read_body(request))
        answers = await self._ask(forwarded(request, "subscriptions", "POST", asked))
        said = responses(answers)
        if not said:
            return refusal(answers)
        return told({**next(iter(said.values())), "nodes": list(said)}, answers)

    async def listed(self, request: Request) -> Json:
        answers = await self._ask(forwarded(request, "subscriptions"))
        said = responses(answers)
        if not said:
            return refusal(answers)
        found: dict[str, Body] = {}
        for node, response in said.items():
            for one in response["subscriptions"]:
                found.setdefault(one["subscription"], {**one, "nodes": []})["nodes"].append(node)
        return told({"subscriptions": list(found.values())}, answers)

    async def unsubscribe(self, request: Request) -> Json:
        identifier = request.path_params["id"]
        path = f"subscriptions/{quote(identifier, safe='')}"
        answers = await self._ask(forwarded(request, path, "DELETE"))
        said = responses(answers)
        if not said:
            return refusal(answers)
        return told({"unsubscribed": identifier, "nodes": list(said)}, answers)

    async def alerts(self, request: Request) -> Json:
        """The asker's alerts of all nodes; ``waitS`` waits for the first."""
        wait_s = read_wait_s(query_pairs(request))
        asked = forwarded(request, "alerts")
        answers = await (self._first(asked, wait_s) if wait_s else self._ask(asked))
        said = responses(answers)
        if not said:
            return refusal(answers)
        found = [one for response in said.values() for one in response["alerts"]]
        return told({"alerts": sorted(found, key=lambda one: one["time"])}, answers)

    async def acknowledge(self, request: Request) -> Json:
        tokens = read_tokens(await read_body(request))
        body = {"tokens": tokens}
        answers = await self._ask(forwarded(request, "alerts/acknowledged", "POST", body))
        said = responses(answers)
        if not said:
            return refusal(answers)
        return told({"acknowledged": sum(one["acknowledged"] for one in said.values())}, answers)

    async def _ask(self, asked: NodeRequest) -> list[Answer]:
        """Every node is asked, also one whose circuit is open: it may be back by now, and what is
        said here must not pass it by."""
        network = self._network
        deadline_s = network.policy.deadline_s
        asking = (network.put(node, asked, deadline_s) for node in network.nodes)
        return list(await asyncio.gather(*asking))

    async def _first(self, asked: NodeRequest, wait_s: float) -> list[Answer]:
        """Every node's answer as soon as one has alerts, at the latest after ``wait_s``. Nodes
        hold the question meanwhile; those that are away are asked again and again."""
        clock = asyncio.get_running_loop().time
        started = clock()
        until = started + wait_s
        latest: dict[str, Answer] = {}

        async def follow(country: str) -> None:
            while True:
                left = max(until - clock(), 0.0)
                question = with_parameters(asked, waitS=f"{left:.3f}")
                deadline_s = left + self._network.policy.deadline_s
                # a node that was started again may be elsewhere
                for node in self._network.nodes:
                    if node.country == country:
                        latest[country] = await self._network.put(node, question, deadline_s)
                state = latest[country].state
                if state in ("answered", "refused") or until - clock() < AGAIN_S:
                    return
                await asyncio.sleep(AGAIN_S)

        countries = [node.country for node in self._network.nodes]
        tasks = [asyncio.ensure_future(follow(country)) for country in countries]
        try:
            waiting = set(tasks)
            while waiting and not _any(latest.values()):
                _, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            if waiting:
                await asyncio.wait(waiting, timeout=GRACE_S)
        finally:
            for task in tasks:
                task.cancel()
        holding = "still held the question: another node had an alert"
        cut_off = ("late", None, None, clock() - started, 0, holding)
        return [
            latest.get(country) or Answer(asked.query, country, *cut_off) for country in countries
        ]


def _any(answers: Iterable[Answer]) -> bool:
    return any(one["alerts"] for one in responses(list(answers)).values())
