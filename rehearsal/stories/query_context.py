"""What a question type needs to ask its question: the asker and the network."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from rehearsal.model import Query
from rehearsal.network.registry import NodeEntry
from rehearsal.network.service_client import NetworkReply, ServiceClient
from rehearsal.stories.story_types import Asker


@dataclass(frozen=True, slots=True)
class StoryNetwork:
    """The running network of stories, and the run's control over its nodes.

    ``service`` is its entry point. ``folders`` are those of the run's own nodes by country.
    ``restart`` stops a country's node and starts it again.
    """

    service: NodeEntry
    deadline_s: float
    folders: Mapping[str, Path]
    restart: Callable[[str], None]


@dataclass(frozen=True, slots=True)
class QueryContext:
    """One asker's connection to the network.

    ``token`` is the asker's passport, None for anonymous users. ``patients`` are individuals by the
    handles of the story's patients.
    """

    network: StoryNetwork
    client: ServiceClient
    asker: Asker
    token: str | None
    patients: Mapping[str, str]

    async def ask(self, query: Query, trace: bool = True) -> NetworkReply:
        """Send a query to the network.

        Args:
            query: The query.
            trace: Whether the reply contains the answer of each node.
        """
        reply = await self.client.ask(query, self.network.deadline_s, trace)
        foreign = {one.node for one in reply.answers} - self.network.folders.keys()
        return replace(reply, foreign=frozenset(foreign))

    def home_folder(self) -> Path:
        """Return the node's folder in the asker's country. Raises KeyError for a foreign node."""
        return self.network.folders[self.asker.country]

    def patient(self, handle: str | None) -> str:
        """Return the individual with a handle.

        Args:
            handle: The handle.

        Raises:
            KeyError: No patient of the story has it.
        """
        return self.patients[str(handle)]
