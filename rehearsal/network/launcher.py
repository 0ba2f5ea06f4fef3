"""Start nodes and the network service as processes, wait until all are ready, and always end them.

A node is told where to write its endpoint file; only this file tells its port. If this process is
killed so that no ``finally`` runs, a helper ends the nodes' process groups.
"""

from __future__ import annotations

import shlex
import socket
import sys
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from rehearsal.errors import PlainError, cause, mismatch
from rehearsal.network.emulation.namespaces import HERE, Place
from rehearsal.network.emulation.topology import Topology, emulated_distance
from rehearsal.network.forkserver import NETWORK_SERVER, NODE_SERVER, ForkServer, fork_server
from rehearsal.network.processes import POLL_S, LogMode, SpawnedProcess, StartedProcess, stop
from rehearsal.network.registry import (
    NETWORK,
    NodeEntry,
    read_endpoint,
    write_endpoints,
    write_nodes,
)
from rehearsal.process_lifetime import LAUNCHED, WatchedProcessGroups, watched_process_groups
from rehearsal.web.network_delay import NO_DELAY, Line

if TYPE_CHECKING:
    import pandas as pd

PYTHON = (sys.executable, "-m")
START_TIMEOUT_S = 60.0
QUEUE_TIMEOUT_S = 600.0  # for nodes that queue on a cluster first
TAIL_LINES = 15


class NodeStartError(PlainError):
    """A node did not start. The message names it and quotes the end of its log.

    Args:
        country: Country code of the node, or "network" for the service.
        expected: What the node should have done, as a noun phrase.
        found: What happened instead.
        log: The log of the node.
    """

    def __init__(self, country: str, expected: str, found: str, log: Path) -> None:
        self.country, self.log = country, log
        where = "network service" if country == NETWORK else f"node {country}"
        text = mismatch(where, expected, found)
        super().__init__(f"{text}; the end of {log}:\n{log_tail(log)}")


@dataclass(frozen=True, slots=True)
class Launch:
    """The settings with which one node is started.

    Args:
        country: Country code.
        folder: Folder of the node.
        log_dir: Folder of logs and endpoint files.
        line: The line that the node emulates.
        place: Where it runs.
        prefix: Beginning of the command line, which starts the node elsewhere.
        port: Port to listen on; 0 takes a free one.
        asker: Address of the network and of others that state whom they ask for.
    """

    country: str
    folder: Path
    log_dir: Path
    line: Line = NO_DELAY
    place: Place = HERE
    prefix: tuple[str, ...] = ()  # of the command line, starts the node elsewhere
    port: int = 0
    asker: str = HERE.host

    @property
    def endpoint(self) -> Path:
        """The file in which the node announces itself."""
        return self.log_dir / f"{self.country}.endpoint.json"

    @property
    def log(self) -> Path:
        """The log file of the node."""
        return self.log_dir / f"{self.country}.log"

    @property
    def is_local(self) -> bool:
        """Whether the node runs here, without a prefix or a namespace."""
        return self.place is HERE and not self.prefix


Command = Callable[[Launch], list[str]]


class RunningNodes(list[NodeEntry]):
    """The running nodes, in order, as a list of their entries.

    ``restart`` takes a country code, ends its node and starts it again on the same folder and port.
    ``forks`` is the fork server of the nodes, if they are forks.
    """

    restart: Callable[[str], None]
    forks: ForkServer | None


def node_command(launch: Launch) -> list[str]:
    """Build the command line that serves a node's folder.

    With a prefix the node may run on another machine. It then listens on every address of that
    machine and announces its host name.

    Args:
        launch: Settings of the node.

    Returns:
        The command line.
    """
    return [
        *launch.prefix,
        *(("env", f"{LAUNCHED}=1") if launch.prefix else ()),  # whatever the prefix passes on
        *(*PYTHON, NODE_SERVER, str(launch.folder)),
        *("--host", "0.0.0.0" if launch.prefix else launch.place.host),
        *("--port", str(launch.port), "--endpoint-file", str(launch.endpoint)),
        *("--trusted-proxy", launch.asker),
        *_line_options(launch.line),
    ]


def _line_options(line: Line) -> list[str]:
    """List the options for what a node emulates by itself."""
    options = {
        "--bandwidth-mbps": line.bandwidth_mbps,
        "--delay-ms": line.delay_ms,
        "--jitter-ms": line.jitter_ms,
        "--loss": line.loss,
    }
    return [part for name, value in options.items() if value for part in (name, f"{value:g}")]


def _address_here() -> str:
    """The address of this machine as others see it."""
    try:
        return socket.gethostbyname(socket.gethostname())
    except OSError:
        return HERE.host


@contextmanager
def running_nodes(
    folders: Mapping[str, Path],
    log_dir: Path,
    start_timeout_s: float | None = None,
    command: Command = node_command,
    prefix: str | None = None,
    topology: Topology | None = None,
    forks: ForkServer | None = None,
) -> Iterator[RunningNodes]:
    """Run one node per folder for as long as the block runs.

    Args:
        folders: Folder of each node, by country code.
        log_dir: Folder for ``{country}.log`` and ``{country}.endpoint.json``. With a prefix it must
            be visible from everywhere.
        start_timeout_s: Time until every node must be ready, in seconds. Default: 60, or 600 with a
            prefix, because the nodes may queue.
        command: Builds the command line of a node.
        prefix: Command that starts each node, for example ``srun --overlap --ntasks=1``. It must
            stay until the node has ended and pass SIGTERM on to it.
        topology: Where each node runs, and which line it emulates. None: here, without distance.
        forks: Fork server that starts the nodes. By default, several nodes of this machine get
            their own.

    Yields:
        The nodes, in the order of ``folders``.

    Raises:
        NodeStartError: A node ended before it was ready, or was not ready in time. All processes
            have been ended.
    """
    if start_timeout_s is None:
        start_timeout_s = QUEUE_TIMEOUT_S if prefix else START_TIMEOUT_S
    log_dir.mkdir(parents=True, exist_ok=True)
    topology = topology or Topology.here(folders)
    launches = {
        country: Launch(
            country,
            folder,
            log_dir,
            topology.lines.get(country, NO_DELAY),
            topology.places[country],
            tuple(shlex.split(prefix or "")),
            asker=_address_here() if prefix else topology.asker.host,
        )
        for country, folder in folders.items()
    }
    processes: dict[str, StartedProcess] = {}
    with _starter(launches.values(), command, forks) as start:
        try:
            for country, launch in launches.items():
                processes[country] = start(launch, "wb")
            nodes = RunningNodes(_when_ready(launches, processes, start_timeout_s))

            def restart(country: str) -> None:
                number = list(launches).index(country)
                again = replace(launches[country], port=urlsplit(nodes[number].url).port or 0)
                stop([processes[country]])
                start.groups.forget(processes[country].pid)
                processes[country] = start(again, "ab")
                ready = _when_ready({country: again}, processes, start_timeout_s)
                nodes[number : number + 1] = ready

            nodes.restart, nodes.forks = restart, start.forks
            yield nodes
        finally:
            stop(list(processes.values()))
            start.groups.forget_all()


@contextmanager
def nodes_at_their_distance(
    folders: Mapping[str, Path],
    network: Mapping[str, Any],
    pairs: pd.DataFrame,
    log_dir: Path,
) -> Iterator[RunningNodes]:
    """Run nodes with the places and distances of the configuration for as long as the block runs.

    With namespaces, this thread is in the asker's namespace meanwhile.

    Args:
        folders: Folder of each node, by country code.
        network: Section ``network`` of the configuration.
        pairs: Table of ``rtt_matrix``.
        log_dir: Folder for logs and endpoint files.

    Yields:
        The nodes, in the order of ``folders``.

    Raises:
        NodeStartError: As in :func:`running_nodes`.
        InputError: This machine cannot emulate distance in the configured way.
    """
    prefix = network["launch"]
    with (
        emulated_distance(network, pairs, folders) as topology,
        running_nodes(folders, log_dir, prefix=prefix, topology=topology) as nodes,
    ):
        yield nodes


@contextmanager
def running_network(
    nodes: Collection[NodeEntry],
    deadline_s: float,
    log_dir: Path,
    start_timeout_s: float = START_TIMEOUT_S,
    options: Sequence[str] = (),
    forks: ForkServer | None = None,
) -> Iterator[NodeEntry]:
    """Run the network service over nodes for as long as the block runs.

    Args:
        nodes: The nodes.
        deadline_s: Default deadline of queries, in seconds.
        log_dir: Folder for ``network.log`` and the registry: endpoint files of our own nodes in
            ``network/``, and those of others in ``network.yaml``.
        start_timeout_s: Time until the service must be ready, in seconds.
        options: More options of its command line.
        forks: Fork server of running nodes. The service becomes one of its forks, which saves the
            imports.

    Yields:
        The entry of the service.

    Raises:
        NodeStartError: The service ended before it was ready, or was not ready in time.
    """
    ours, registry = log_dir / NETWORK, log_dir / f"{NETWORK}.yaml"
    write_endpoints([node for node in nodes if node.pid is not None], ours)
    write_nodes([node for node in nodes if node.pid is None], registry)

    def command(launch: Launch) -> list[str]:
        return [
            *(*PYTHON, NETWORK_SERVER),
            *("--nodes", str(ours), str(registry)),
            *("--port", "0", "--endpoint-file", str(launch.endpoint)),
            *("--trusted-proxy", HERE.host),
            *("--deadline-s", f"{deadline_s:g}", *options),
        ]

    with running_nodes(
        {NETWORK: log_dir}, log_dir, start_timeout_s, command, forks=forks
    ) as services:
        (service,) = services
        yield service


@dataclass(frozen=True)
class _Starter:
    """Starts nodes, as forks where possible, which takes a tenth of the time."""

    command: Command
    groups: WatchedProcessGroups
    forks: ForkServer | None

    def __call__(self, launch: Launch, mode: LogMode) -> StartedProcess:
        """Start a node. ``mode`` says whether its log is replaced or continued."""
        launch.endpoint.unlink(missing_ok=True)
        process = self._start(self.command(launch), launch, mode)
        self.groups.add(process.pid)
        return process

    def _start(self, line: list[str], launch: Launch, mode: LogMode) -> StartedProcess:
        if self.forks is None:
            return SpawnedProcess(line, launch.place, launch.log, mode)
        module, *arguments = line[len(PYTHON) :]
        try:
            return self.forks.start(module, arguments, launch.log, mode)
        except OSError as error:
            found = f"none ({cause(error)})"
            raise NodeStartError(launch.country, "a process", found, launch.log) from None


@contextmanager
def _starter(
    launches: Collection[Launch], command: Command, forks: ForkServer | None
) -> Iterator[_Starter]:
    with ExitStack() as stack:
        groups = stack.enter_context(watched_process_groups())
        can_fork = command is node_command and all(launch.is_local for launch in launches)
        if forks is None and can_fork and len(launches) > 1:
            forks = stack.enter_context(fork_server())
            groups.add(forks.pid)
        yield _Starter(command, groups, forks)


def _when_ready(
    launches: Mapping[str, Launch], processes: Mapping[str, StartedProcess], timeout_s: float
) -> list[NodeEntry]:
    """Wait until each node has written its endpoint file."""
    until = time.monotonic() + timeout_s
    ready: dict[str, NodeEntry] = {}
    while True:
        for country in launches.keys() - ready.keys():
            launch, ended = launches[country], processes[country].poll()
            if ended is not None:
                started_by = f" of the command {shlex.join(launch.prefix)}" if launch.prefix else ""
                found = f"an end with exit code {ended}{started_by}"
                raise NodeStartError(country, "an answer", found, launch.log)
            entry = read_endpoint(launch.endpoint)
            if entry is not None:
                ready[country] = entry
        if len(ready) == len(launches):
            return [ready[country] for country in launches]
        if time.monotonic() > until:
            late = sorted(launches.keys() - ready.keys())
            expected = f"an answer within {timeout_s:g} s"
            found = f"none (nodes without an answer: {', '.join(late)})"
            raise NodeStartError(late[0], expected, found, launches[late[0]].log)
        time.sleep(POLL_S)


def log_tail(log: Path, lines: int = TAIL_LINES) -> str:
    """Read the end of a node's log.

    Args:
        log: The log file.
        lines: Number of lines.

    Returns:
        The last lines, or a note that there are none.
    """
    try:
        text = log.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        return f"(no log: {error})"
    return "\n".join(text.splitlines()[-lines:]) or "(the log is empty)"
