"""Finds what the answers of protected tiers tell about a person without paying for it.

Neighbouring nodes get the same requests. What the ledger pays for, a noisy number of people, is
made equal: a neighbour is given the number that was drawn at the first node. All else that the
answers depend on is then equal too, so every byte of them and every row of the ledger must be.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import hypothesis
from hypothesis import HealthCheck, Phase

from rehearsal.node.access import authorizer
from rehearsal.node.access.authorizer import Authorizer
from rehearsal.node.alerts.alert_store import FILE_NAME as ALERTS
from rehearsal.node.alerts.alert_store import AlertStore
from rehearsal.node.alerts.subscription_matcher import SubscriptionMatcher
from rehearsal.node.app import beacon_app
from rehearsal.node.privacy.ledger import LEDGER_FILE, Ledger
from rehearsal.node.server import extensions, open_node
from rehearsal.node.wes.endpoints import WesEndpoints

from ...virtual_time import VirtualTimeLoop
from ..beacon import named_genes
from .generated_requests import SEQUENCES, Request, fixed_requests, requests

Answer = tuple[int, tuple[tuple[bytes, bytes], ...], bytes]
Charge = tuple[str, str, bytes, bytes, float]
SQL = "SELECT release, tier, question, caller, nats FROM charges ORDER BY tier, question"


class SameAnswers(Ledger):
    """A ledger that is told what was paid for at the first node.

    Args:
        drawn: The numbers that were drawn at the first node, by tier and question.
        differing: Counts the questions whose own number here is another one.
        *rest: What any ledger needs.
    """

    def __init__(
        self, drawn: dict[tuple[str, bytes], int], differing: Counter[str], *rest: Any
    ) -> None:
        super().__init__(*rest)
        self._drawn, self._differing = drawn, differing

    def pay(
        self,
        tier: str,
        caller: str,
        question: bytes,
        nats: float,
        protection: Any,
        compute: Callable[[], int],
    ) -> int:
        def same() -> int:
            own = compute()
            first = self._drawn.setdefault((tier, question), own)
            self._differing[tier] += first != own
            return first

        return super().pay(tier, caller, question, nats, protection, same)


class World:
    """One node, served without a socket."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        node_data = open_node(folder)
        node_data.gene_bases, node_data.sequences = named_genes.genes(), SEQUENCES
        decides = Authorizer.open(node_data.settings, node_data.people, folder)
        monitor = SubscriptionMatcher(node_data, decides, AlertStore(folder / ALERTS), folder)
        analyses = WesEndpoints(node_data, decides, folder)
        self._app = beacon_app(
            node_data, decides, *extensions(node_data, monitor, folder, analyses)
        )
        self._ledger = sqlite3.connect(folder / LEDGER_FILE)
        self._version, self._rows = -1, []

    async def ask(self, one: Request, tokens: Mapping[str, str]) -> Answer:
        """Send a request: status, headers and body of the answer."""
        headers = [(b"host", b"node.example"), (b"accept", one.accept.encode())]
        if one.purpose:
            headers.append((b"x-rehearsal-purpose", one.purpose.encode()))
        if one.token:
            headers.append((b"authorization", f"Bearer {tokens[one.token]}".encode()))
        if one.key:
            headers.append((b"x-auth-token", one.key))
        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": one.method,
            "path": unquote(one.path),
            "raw_path": one.path.encode(),
            "root_path": "",
            "query_string": one.parameters.encode(),
            "headers": headers,
            "scheme": "http",
            "server": ("node.example", 80),
            "client": (one.address, 40_000),
        }
        sent: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": one.body, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        await self._app(scope, receive, send)
        start, *rest = sent
        body = b"".join(message.get("body", b"") for message in rest)
        return start["status"], tuple(sorted(map(tuple, start["headers"]))), body

    def charges(self) -> list[Charge]:
        """What the ledger holds, without the answers."""
        (version,) = self._ledger.execute("PRAGMA data_version").fetchone()
        if version != self._version:
            self._version, self._rows = version, self._ledger.execute(SQL).fetchall()
        return self._rows

    def close(self) -> None:
        self._ledger.close()


class _EnoughError(Exception):
    """So much was found that no more requests are needed."""


@dataclass
class Findings:
    """What a series of requests showed.

    Attributes:
        unpaid: Requests to which a neighbour answers otherwise although what was paid for is equal,
            or for which it charges otherwise.
        statuses: Numbers of the first node's answers, by status.
        paths: The same, by the first step of the path.
        charges: Rows of the first node's ledger.
        differing: Numbers of paid questions whose number of people differs, by tier.
    """

    unpaid: list[str] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    paths: Counter[str] = field(default_factory=Counter)
    charges: list[Charge] = field(default_factory=list)
    differing: Counter[str] = field(default_factory=Counter)


def find_interference(
    folders: Mapping[str, Path],
    tokens: Mapping[str, str],
    number: int,
    monkeypatch: Any,
    enough: int | None = None,
) -> Findings:
    """Send the same requests to neighbouring nodes: to all endpoints, and generated ones.

    Args:
        folders: Node folders without a ledger. All are compared with the first.
        tokens: The tokens that requests name.
        number: How many requests to generate.
        monkeypatch: Puts the ledgers in.
        enough: Send no more after so many findings; None sends all.

    Returns:
        What was found.
    """
    found, drawn = Findings(), {}
    monkeypatch.setattr(authorizer, "Ledger", partial(SameAnswers, drawn, found.differing))
    monkeypatch.setattr("rehearsal.node.privacy.door.TIME_STEP_S", 1e-9)
    worlds = [World(name, folder) for name, folder in folders.items()]

    @hypothesis.seed(14)
    @hypothesis.settings(
        max_examples=number,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @hypothesis.given(requests())
    def compare(one: Request) -> None:
        if enough is not None and len(found.unpaid) >= enough:
            raise _EnoughError
        runner.run(_compare(one, worlds, tokens, found))

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        for one in fixed_requests():
            runner.run(_compare(one, worlds, tokens, found))
        with suppress(_EnoughError):
            compare()
    found.charges = worlds[0].charges()
    for world in worlds:
        world.close()
    return found


async def _compare(
    one: Request, worlds: list[World], tokens: Mapping[str, str], found: Findings
) -> None:
    base, *others = worlds
    answer, charges = await base.ask(one, tokens), None
    found.statuses[answer[0]] += 1
    found.paths[one.path.split("/")[1]] += 1
    charges = base.charges()
    for other in others:
        told = await other.ask(one, tokens)
        if told != answer:
            found.unpaid.append(f"{other.name}: {one}\n{answer}\n{told}")
        if other.charges() != charges:
            found.unpaid.append(f"{other.name}: {one}\n{charges[-3:]}\n{other.charges()[-3:]}")
