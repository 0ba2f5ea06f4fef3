"""Processes that can be ended and started again at the same address."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

from rehearsal.errors import mismatch
from rehearsal.network.emulation.topology import Topology
from rehearsal.network.forkserver import NODE_SERVER, ForkServer
from rehearsal.network.launcher import Launch, node_command, running_network, running_nodes
from rehearsal.network.registry import NodeEntry
from rehearsal.web.network_delay import Line

VICTIM_MS = 100.0  # round trip to a victim: long enough that it always has open queries

Arguments = Callable[[list[str]], list[str]]  # changes a command line


class Restartable:
    """A process that can be started, ended, and started again at the same address.

    Starting and ending wait in threads, so that the event loop can send queries meanwhile. The
    first start is a fork, which is fast. Others are those of an operator, with all their imports,
    because recovery from a fault is measured with them.

    Args:
        log_dir: Folder for the logs.
        forks: Fork server for the first start.
    """

    def __init__(self, log_dir: Path, forks: ForkServer) -> None:
        self._log_dir, self._forks = log_dir, forks
        self._stack = ExitStack()
        self._starts = 0
        self._entry: NodeEntry | None = None

    @property
    def entry(self) -> NodeEntry:
        """The entry of the process as it was last started."""
        if self._entry is None:
            raise RuntimeError(mismatch("process", "one that was started", "none"))
        return self._entry

    @property
    def pid(self) -> int:
        """The process id.

        Raises:
            RuntimeError: The process does not run on this machine.
        """
        if self.entry.pid is None:
            raise RuntimeError(mismatch(self.entry.url, "a process of this machine", "none"))
        return self.entry.pid

    @property
    def address(self) -> tuple[str, int]:
        """Host and port of the process."""
        place = urlsplit(self.entry.url)
        return place.hostname or "", place.port or 0

    @property
    def _port(self) -> str:
        return "0" if self._entry is None else str(self.address[1])

    async def end(self) -> None:
        """End the process if it runs."""
        await asyncio.to_thread(self._stack.close)

    async def start(self, change: Arguments | None = None) -> None:
        """End the process if it runs, and start it again.

        Args:
            change: Changes the command line; None for the usual one.

        Raises:
            NodeStartError: The process did not start.
        """
        await self.end()
        self._starts += 1
        self._entry = await asyncio.to_thread(self._start, change)

    def _start(self, change: Arguments | None) -> NodeEntry:
        raise NotImplementedError

    def _starter(self) -> ForkServer | None:
        return self._forks if self._starts == 1 else None


class NodeProcess(Restartable):
    """The process of a node.

    Args:
        country: Code of the country.
        folder: Folder of the node.
        log_dir: Folder for the logs.
        forks: Fork server for the first start.
        delay_ms: Round-trip time to emulate, in ms.
    """

    def __init__(
        self, country: str, folder: Path, log_dir: Path, forks: ForkServer, delay_ms: float = 0.0
    ) -> None:
        super().__init__(log_dir, forks)
        self.country, self.folder, self._delay_ms = country, folder, delay_ms

    def _start(self, change: Arguments | None) -> NodeEntry:
        def command(launch: Launch) -> list[str]:
            made = [*node_command(launch), "--port", self._port]
            return change(made) if change else made

        logs = self._log_dir / f"{self._starts}"
        topology = Topology.here([self.country], {self.country: Line(self._delay_ms)})
        folders = {self.country: self.folder}
        nodes = running_nodes(
            folders, logs, command=command, topology=topology, forks=self._starter()
        )
        return self._stack.enter_context(nodes)[0]

    @property
    def command_line(self) -> list[str]:
        """The command that starts the node, to see whether it refuses."""
        return [sys.executable, "-m", NODE_SERVER, str(self.folder)]


class ServiceProcess(Restartable):
    """The process of the network service.

    Args:
        nodes: The nodes.
        deadline_s: Deadline of a query, in seconds.
        log_dir: Folder for the logs.
        forks: Fork server for the first start.
    """

    def __init__(
        self, nodes: Sequence[NodeEntry], deadline_s: float, log_dir: Path, forks: ForkServer
    ) -> None:
        super().__init__(log_dir, forks)
        self._nodes, self._deadline_s = nodes, deadline_s

    def _start(self, change: Arguments | None) -> NodeEntry:
        options = ("--port", self._port)
        self._log_dir.mkdir(parents=True, exist_ok=True)
        service = running_network(
            self._nodes,
            self._deadline_s,
            self._log_dir / f"{self._starts}",
            options=options,
            forks=self._starter(),
        )
        return self._stack.enter_context(service)
