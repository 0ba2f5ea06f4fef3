"""Real processes that are killed, stopped and started again at the address that they had."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

from rehearsal.network.emulation.topology import Topology
from rehearsal.network.forkserver import NODE_SERVER
from rehearsal.network.launcher import Launch, node_command, running_network, running_nodes
from rehearsal.network.registry import NodeEntry
from rehearsal.web.network_delay import Line

VICTIM_MS = 100.0  # round trip to a victim: at any moment questions are under way to it

Arguments = Callable[[list[str]], list[str]]  # makes one command line of another


class Restartable:
    """A process that can be started, ended and started again where it was.

    Starting and ending wait in threads, so that the questions of the loop go on meanwhile.
    """

    def __init__(self, log_dir: Path) -> None:
        self._log_dir = log_dir
        self._stack = ExitStack()
        self._starts = 0
        self._entry: NodeEntry | None = None

    @property
    def entry(self) -> NodeEntry:
        """The process as it was started last."""
        if self._entry is None:
            raise RuntimeError("not started yet")
        return self._entry

    @property
    def pid(self) -> int:
        """Its process. Raises RuntimeError when it does not run on this machine."""
        if self.entry.pid is None:
            raise RuntimeError(f"{self.entry.url} is not a process of this machine")
        return self.entry.pid

    @property
    def address(self) -> tuple[str, int]:
        place = urlsplit(self.entry.url)
        return place.hostname or "", place.port or 0

    @property
    def _port(self) -> str:
        return "0" if self._entry is None else str(self.address[1])

    async def end(self) -> None:
        """End the process, if it is there."""
        await asyncio.to_thread(self._stack.close)

    async def start(self, change: Arguments | None = None) -> None:
        """Start it again. Raises NodeStartError."""
        await self.end()
        self._starts += 1
        self._entry = await asyncio.to_thread(self._start, change)

    def _start(self, change: Arguments | None) -> NodeEntry:
        raise NotImplementedError


class NodeProcess(Restartable):
    """One node."""

    def __init__(self, country: str, folder: Path, log_dir: Path, delay_ms: float = 0.0) -> None:
        super().__init__(log_dir)
        self.country, self.folder, self._delay_ms = country, folder, delay_ms

    def _start(self, change: Arguments | None) -> NodeEntry:
        def command(launch: Launch) -> list[str]:
            made = [*node_command(launch), "--port", self._port]
            return change(made) if change else made

        logs = self._log_dir / f"{self._starts}"
        topology = Topology.here([self.country], {self.country: Line(self._delay_ms)})
        folders = {self.country: self.folder}
        nodes = running_nodes(folders, logs, command=command, topology=topology)
        return self._stack.enter_context(nodes)[0]

    @property
    def command_line(self) -> list[str]:
        """What would start it, to see it refuse."""
        return [sys.executable, "-m", NODE_SERVER, str(self.folder)]


class ServiceProcess(Restartable):
    """The network service over nodes."""

    def __init__(self, nodes: Sequence[NodeEntry], deadline_s: float, log_dir: Path) -> None:
        super().__init__(log_dir)
        self._nodes, self._deadline_s = nodes, deadline_s

    def _start(self, change: Arguments | None) -> NodeEntry:
        options = ("--port", self._port)
        self._log_dir.mkdir(parents=True, exist_ok=True)
        service = running_network(
            self._nodes, self._deadline_s, self._log_dir / f"{self._starts}", options=options
        )
        return self._stack.enter_context(service)
