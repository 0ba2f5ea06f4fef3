"""What a question type needs to ask its question: the asker and the network."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from rehearsal.model import Query
from rehearsal.network.registry import NodeEntry
from rehearsal.network.service_client import NetworkReply, ServiceClient
from rehearsal.stories.story_types import Asker


@dataclass(frozen=True, slots=True)
class StoryNetwork:
    """The running network of stories, and the run's control over its nodes.

    ``service`` is its entry point. ``folders`` hold the data of each country. ``restart`` stops the
    node of a country and starts it again. ``foreign`` are countries whose nodes someone else runs:
    they do not read the folders, and cannot be restarted.
    """

    service: NodeEntry
    deadline_s: float
    folders: Mapping[str, Path]
    restart: Callable[[str], None]
    foreign: Collection[str] = frozenset()


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
        return await self.client.ask(query, self.network.deadline_s, trace)

    def home_folder(self) -> Path:
        """Return the folder with the data of the asker's country."""
        return self.network.folders[self.asker.country]

    def patient(self, handle: str | None) -> str:
        """Return the individual with a handle.

        Args:
            handle: The handle.

        Raises:
            KeyError: No patient of the story has it.
        """
        return self.patients[str(handle)]
