"""What a question type may use to ask its question: the asker, and the network that is asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from rehearsal.model import Query
from rehearsal.network.registry import NodeEntry
from rehearsal.network.service_client import NetworkReply, ServiceClient
from rehearsal.stories.story_types import Asker


@dataclass(frozen=True, slots=True)
class StoryNetwork:
    """The running network that stories are asked through, and the run's own hold on its nodes.

    ``service``: where it is asked. ``folders``: of the nodes that are the run's own, by country;
    ``restart`` ends a country's node and starts it again.
    """

    service: NodeEntry
    deadline_s: float
    folders: Mapping[str, Path]
    restart: Callable[[str], None]


@dataclass(frozen=True, slots=True)
class QueryContext:
    """One asker's connection to the network.

    ``token``: the asker's passport; None: the public. ``patients``: individuals by the handles of
    the story's patients.
    """

    network: StoryNetwork
    client: ServiceClient
    asker: Asker
    token: str | None
    patients: Mapping[str, str]

    async def ask(self, query: Query, trace: bool = True) -> NetworkReply:
        """The network's answer. ``trace``: with what it passed on of each node's."""
        return await self.client.ask(query, self.network.deadline_s, trace)

    def home_folder(self) -> Path:
        """The folder of the node in the asker's country. Raises KeyError where it is not ours."""
        return self.network.folders[self.asker.country]

    def patient(self, handle: str | None) -> str:
        """The individual behind a handle. Raises KeyError for none of the story's patients."""
        return self.patients[str(handle)]
