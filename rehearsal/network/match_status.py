"""``/heartbeat`` and ``/metrics`` of the Matchmaker Exchange at the network.

The nodes decide who may ask. The network answers when a node did.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from rehearsal.model import Answer
from rehearsal.network.beacon_response import BEACON_ID, Conditions
from rehearsal.network.node_responses import forward_request
from rehearsal.network.outcomes import common_failure, node_states
from rehearsal.network.service import Network
from rehearsal.node.beacon import envelope
from rehearsal.node.matchmaker.endpoint import (
    HEARTBEAT,
    METRICS,
    heartbeat_body,
    match_error,
    metrics_body,
)
from rehearsal.web.app import Api, Json
from rehearsal.web.openapi import Body

ADDED = ("numberOfCases", "numberOfGenes")
ERROR_BODY = partial(match_error, partial(envelope.error, BEACON_ID))


class MatchStatus:
    """The handlers.

    Args:
        network: The network of nodes.
    """

    def __init__(self, network: Network) -> None:
        self._network = network

    def add_to(self, api: Api) -> None:
        """Add the routes.

        Args:
            api: The network's API.
        """
        api.add(HEARTBEAT, self.heartbeat, error_body=ERROR_BODY)
        api.add(METRICS, self.metrics, error_body=ERROR_BODY)

    async def heartbeat(self, request: Request) -> Response:
        """Answer with the network's heartbeat if a node answered with its own.

        Args:
            request: The HTTP request.

        Returns:
            The response.
        """
        answers = await self._ask(request, HEARTBEAT)
        if not _answers_with(answers, "heartbeat"):
            return _refusal(answers)
        return Json(heartbeat_body() | {"_info": node_states(answers)})

    async def metrics(self, request: Request) -> Response:
        """Add up the nodes' numbers. Without the number of different genes, which does not add up.

        Args:
            request: The HTTP request.

        Returns:
            The response.
        """
        answers = await self._ask(request, METRICS)
        found = _answers_with(answers, "metrics")
        if not found:
            return _refusal(answers)
        sums: Counter[str] = Counter()
        for one in found:
            sums.update({name: one[name] for name in ADDED if isinstance(one.get(name), int)})
        return Json(metrics_body(dict(sums)) | {"_info": node_states(answers)})

    async def _ask(self, request: Request, path: str) -> list[Answer]:
        conditions = Conditions(self._network.policy.deadline_s)
        return await self._network.ask(forward_request(request, path[1:]), conditions)


def _answers_with(answers: Sequence[Answer], key: str) -> list[Body]:
    """List what the nodes that answered have under a key."""
    found = [(one.body or {}).get(key) for one in answers if one.state == "answered"]
    return [one for one in found if isinstance(one, dict)]


def _refusal(answers: Sequence[Answer]) -> Response:
    """Build the network's error when no node answered."""
    failure = common_failure(answers)
    body = ERROR_BODY(failure.status, failure.reason)
    return Json({**body, "info": node_states(answers)}, failure.status)
