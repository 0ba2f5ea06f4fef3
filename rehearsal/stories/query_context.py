"""Where the asker of a story sits: what a kind of question may use to ask."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from rehearsal.model import Query
from rehearsal.network.registry import NodeEntry
from rehearsal.network.service_client import NetworkReply, ServiceClient
from rehearsal.stories.story_types import Asker, Story, Told


@dataclass(frozen=True, slots=True)
class Desk:
    """One asker's connection to the network.

    ``service``: the network, asked with the asker's ``token`` (None: the public). ``nodes``: for
    the few things that a person asks at home. ``patients``: individual by handle. ``folders``:
    the nodes' folders by country, and ``restart`` ends a country's node and starts it again: for
    what the run itself does to a node.
    """

    story: Story
    asker: Asker
    client: ServiceClient
    service: NodeEntry
    nodes: tuple[NodeEntry, ...]
    token: str | None
    deadline_s: float
    patients: Mapping[str, str]
    folders: Mapping[str, Path]
    restart: Callable[[str], None]

    async def ask(self, query: Query, trace: bool = True) -> NetworkReply:
        """The network's answer. ``trace``: with what it passed on of each node's."""
        return await self.client.ask(query, self.deadline_s, trace)


def told_of(reply: NetworkReply, query: Query, answers: Mapping[str, object], home: str) -> Told:
    """What a Beacon query came to. ``answers``: what to show of each country that answered."""
    countries = {}
    for one in reply.answers:
        shown: dict[str, object] = {
            "state": one.state,
            "latency_ms": round(one.latency_s * 1000, 3),
        }
        if one.state == "answered":
            shown["answer"] = answers[one.node]
        if one.reason:
            shown["reason"] = one.reason
        countries[one.node] = shown
    joined = reply.aggregated
    return Told(
        request={"path": query.entry_type, "purpose": query.purpose, "body": query.request},
        countries=countries,
        joined={
            "exists": joined.exists,
            "count": joined.count,
            "latency_ms": round(joined.latency_s * 1000, 3),
            "bytes": joined.size_bytes,
        },
        stayed_home=home,
    )
