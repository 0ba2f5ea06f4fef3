"""The network: asks all nodes, and watches their health."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from rehearsal.model import Answer
from rehearsal.network.beacon_response import Conditions, Part, shown_of
from rehearsal.network.client import NodeRequest
from rehearsal.network.fan_out import (
    SEQUENTIAL_PATIENCE_S,
    gather,
    gather_one_after_another,
    gather_partially,
)
from rehearsal.network.health import NodeHealth
from rehearsal.network.registry import NodeEntry, Registry
from rehearsal.web.problem import Problem

log = logging.getLogger(__name__)

DEADLINE_S = 10.0  # QS-02
LONGEST_DEADLINE_S = 60.0
PROBE = NodeRequest("info", query="probe")
LAST_WORK_S = 1.5  # for work under way at the end; the launcher kills a while after SIGTERM

Collect = Literal["at-once", "sequential"]


@dataclass(frozen=True, slots=True)
class Policy:
    """How nodes are asked and watched. Times are in seconds."""

    deadline_s: float = DEADLINE_S
    collect: Collect = "at-once"
    patience_s: float = SEQUENTIAL_PATIENCE_S  # for each node, when answers are collected in turn
    probe_s: float = 2.0  # time after which an unanswered probe has failed
    retry_s: float = 2.0  # between the probes of a node whose circuit is open
    check_s: float = 15.0  # between the probes of a node that answers
    recheck_s: float = 1.0  # at least between its probes when queries fail
    tick_s: float = 0.5  # how often nodes and registry are checked
    most_under_way: int = 300  # queries of some 45 ms of CPU: two cores finish them in time


class RequestClient(Protocol):
    """Sends requests to nodes: a ``NetworkClient``, or a client that is farther away."""

    async def send(
        self, node: NodeEntry, request: NodeRequest, started: float, deadline_s: float
    ) -> Answer:
        """Send a request to one node.

        Args:
            node: The node.
            request: The request.
            started: Time of the event loop at which the query started.
            deadline_s: Deadline, in seconds after ``started``.

        Returns:
            The node's answer.
        """


class Network:
    """All nodes of a registry, asked as one.

    ``maintain`` must run for as long as queries are asked.

    Args:
        registry: The nodes.
        client: An open client.
        policy: How nodes are asked and watched.
    """

    def __init__(self, registry: Registry, client: RequestClient, policy: Policy) -> None:
        self.registry, self.policy = registry, policy
        self._client = client
        self._health: dict[NodeEntry, NodeHealth] = {}
        self._probes: dict[NodeEntry, asyncio.Task[None]] = {}
        self._background: set[asyncio.Task[None]] = set()
        self._under_way = 0
        self._keep_known(registry.nodes)

    @property
    def nodes(self) -> tuple[NodeEntry, ...]:
        """The nodes, by country code."""
        return self.registry.nodes

    def health(self, node: NodeEntry) -> NodeHealth:
        """Return the health of a node.

        Args:
            node: The node.

        Returns:
            Its record.
        """
        return self._health.setdefault(node, NodeHealth())

    # --- queries ---

    async def ask(self, request: NodeRequest, conditions: Conditions) -> list[Answer]:
        """Send a request to all nodes.

        Args:
            request: The request.
            conditions: How it is asked.

        Returns:
            One answer per node, in the order of the registry.

        Raises:
            Problem: Too many queries are under way (503).
        """
        with self._admitted():
            return await self._ask(self.nodes, request, conditions, self._now())

    async def send(self, node: NodeEntry, request: NodeRequest, deadline_s: float) -> Answer:
        """Send a request to one node, whatever its health.

        The outcome does not count for its health: a node may be asked to hold its answer back.

        Args:
            node: The node.
            request: The request.
            deadline_s: Deadline, in seconds from now.

        Returns:
            The node's answer.
        """
        return await self._client.send(node, request, self._now(), deadline_s)

    async def entries(
        self, request: NodeRequest, entry_type: str, conditions: Conditions
    ) -> tuple[list[Part], float]:
        """Collect every node's page of entries. Each node counts its pages by itself.

        Args:
            request: The query.
            entry_type: Path of the endpoint of the returned entries.
            conditions: How it is asked.

        Returns:
            One part per node, and the time that it took in seconds.

        Raises:
            Problem: So many queries are under way that this one could not be answered in time
                (503). A caller who is refused at once can ask elsewhere.
        """
        with self._admitted():
            started, nodes = self._now(), self.nodes
            answers = await self._ask(nodes, request, conditions, started)
            parts = [
                Part(answer, self._beacon_id(node, answer), shown_of(answer, entry_type))
                for node, answer in zip(nodes, answers, strict=True)
            ]
            return parts, self._now() - started

    def _beacon_id(self, node: NodeEntry, answer: Answer) -> str | None:
        """Return the Beacon id that a node gave when it was probed, or else in its answer."""
        meta = (answer.body or {}).get("meta")
        stated = meta.get("beaconId") if isinstance(meta, dict) else None
        return self.health(node).beacon_id or (stated if isinstance(stated, str) else None)

    @contextmanager
    def _admitted(self) -> Iterator[None]:
        if self._under_way >= self.policy.most_under_way:
            under_way = f"{self._under_way} queries are under way, the most that can be answered"
            raise Problem(f"{under_way} in time. Try again later.", 503)
        self._under_way += 1
        try:
            yield
        finally:
            self._under_way -= 1

    def parts(self, answers: Sequence[Answer]) -> list[Part]:
        """Add the nodes' Beacon ids to answers without entries.

        Args:
            answers: One answer per node.

        Returns:
            One part per node.
        """
        ids = {node.country: self.health(node).beacon_id for node in self.nodes}
        return [Part(answer, ids.get(answer.node)) for answer in answers]

    async def _ask(
        self,
        nodes: Sequence[NodeEntry],
        request: NodeRequest,
        conditions: Conditions,
        started: float,
    ) -> list[Answer]:
        deadline_s, policy = conditions.deadline_s, self.policy

        async def send(node: NodeEntry) -> Answer:
            return await self._client.send(node, request, started, deadline_s)

        if policy.collect == "sequential":
            deadline_s = policy.patience_s * (len(nodes) + 1)
            return await gather_one_after_another(nodes, send, policy.patience_s, request.query)
        asked = [node for node in nodes if self.health(node).circuit == "closed"]
        if conditions.partial:
            usual_s = {n.country: self.health(n).usual_s for n in asked if self.health(n).healthy}
            answers = await gather_partially(asked, send, usual_s, started, request.query)
        else:
            answers = await gather(asked, send)
        for node, answer in zip(asked, answers, strict=True):
            self._record_exchange(node, answer)
        answered = dict(zip(asked, answers, strict=True))
        return [
            answered.get(n) or self.health(n).skipped_answer(n.country, request.query)
            for n in nodes
        ]

    # --- health ---

    async def start(self) -> None:
        """Probe every node once, so that their health is known from the start."""
        for node in self.nodes:
            self._start_probe(node)
        await asyncio.gather(*self._probes.values())

    async def maintain(self) -> None:
        """Read the registry again when it changes, and probe nodes from time to time."""
        while True:
            await asyncio.sleep(self.policy.tick_s)
            self.refresh()
            for node in self.nodes:
                if self._due(self.health(node)):
                    self._start_probe(node)

    def refresh(self, *, says_again: bool = False) -> None:
        """Read the registry again if it has changed, and log when it breaks or is right again.

        Args:
            says_again: Whether to log what is wrong even if it was logged before.
        """
        before = self.registry.fault
        if self.registry.refresh():
            log.info("The registry has changed: %d nodes", len(self.nodes))
            self._keep_known(self.nodes)
        fault = self.registry.fault
        if fault and (says_again or fault != before):
            log.error("%s; the nodes before stay in force", fault)
        elif before and not fault:
            log.info("The registry can be read again: %d nodes", len(self.nodes))

    def _keep_known(self, nodes: Sequence[NodeEntry]) -> None:
        """Keep the health of nodes that remain and drop that of nodes that left."""
        self._health = {node: self._health.get(node, NodeHealth()) for node in nodes}

    def _due(self, health: NodeHealth) -> bool:
        if health.tried_at is None:
            return True
        wait_s = self.policy.check_s if health.circuit == "closed" else self.policy.retry_s
        if health.suspected:
            wait_s = min(wait_s, self.policy.recheck_s)
        return self._now() - health.tried_at >= wait_s

    def _record_exchange(self, node: NodeEntry, answer: Answer) -> None:
        health = self.health(node)
        health.record_exchange(answer)
        if health.suspected and self._due(health):
            self._start_probe(node)

    def _start_probe(self, node: NodeEntry) -> None:
        """Start a probe, unless one is under way."""
        if node in self._probes:
            return
        task = asyncio.ensure_future(self._probe_node(node))
        self._probes[node] = task
        task.add_done_callback(lambda _: self._probes.pop(node, None))

    async def _probe_node(self, node: NodeEntry) -> None:
        health = self.health(node)
        for _ in range(2):  # a circuit opens after two failures in a row
            health.start_probe(self._now())
            answer = await self._client.send(node, PROBE, self._now(), self.policy.probe_s)
            before = health.circuit
            health.record_probe(answer, self._now())
            if health.circuit == "open" and before == "closed":
                log.warning("%s no longer receives queries: %s", node.country, answer.reason)
            if health.strikes == 0 or health.circuit == "open":
                return

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def start_in_background(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Start work that outlasts a request. It is canceled when the network closes.

        Args:
            work: The work.
        """
        task = asyncio.ensure_future(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)
        return task

    async def close(self) -> None:
        """Cancel probes and other work, which has a moment to end what it started at nodes."""
        tasks = [*self._probes.values(), *self._background]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=LAST_WORK_S)
