"""Starts nodes and the network service as processes, waits until all have announced themselves,
always ends them.

A node is told where to write its endpoint file; until then nobody knows its port. When this process
is killed in a way that no ``finally`` survives, a helper ends the nodes' process groups.
"""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

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
from rehearsal.process_lifetime import WatchedProcessGroups, watched_process_groups
from rehearsal.web.network_delay import NO_DELAY, Line

if TYPE_CHECKING:
    import pandas as pd

PYTHON = (sys.executable, "-m")
START_TIMEOUT_S = 60.0
QUEUE_TIMEOUT_S = 600.0  # for nodes that wait for a place on a cluster first
TAIL_LINES = 15


class NodeStartError(RuntimeError):
    """A node did not start. The message names it and quotes the end of its log."""

    def __init__(self, country: str, what: str, log: Path) -> None:
        self.country, self.log = country, log
        super().__init__(f"node {country} {what}; the end of {log}:\n{log_tail(log)}")


@dataclass(frozen=True, slots=True)
class Launch:
    """What one node is started with."""

    country: str
    folder: Path
    log_dir: Path
    line: Line = NO_DELAY
    place: Place = HERE
    prefix: tuple[str, ...] = ()  # of the command line: what starts the node elsewhere
    port: int = 0

    @property
    def endpoint(self) -> Path:
        """Where the node announces itself."""
        return self.log_dir / f"{self.country}.endpoint.json"

    @property
    def log(self) -> Path:
        return self.log_dir / f"{self.country}.log"

    @property
    def is_local(self) -> bool:
        """Whether the node runs here, and not behind a prefix or in a namespace."""
        return self.place is HERE and not self.prefix


Command = Callable[[Launch], list[str]]


class RunningNodes(list[NodeEntry]):
    """Nodes that run, in order; a list of their entries.

    ``restart``: takes a country; its node is ended and started again where it was, on its folder.
    ``forks``: what the nodes are forks of, where they are.
    """

    restart: Callable[[str], None]
    forks: ForkServer | None


def node_command(launch: Launch) -> list[str]:
    """The command line that serves a node's folder on a free port.

    Behind a prefix the node may run on another machine: it listens on every address of that one
    and announces it by its name.
    """
    return [
        *launch.prefix,
        *(*PYTHON, NODE_SERVER, str(launch.folder)),
        *("--host", "0.0.0.0" if launch.prefix else launch.place.host),
        *("--port", str(launch.port), "--endpoint-file", str(launch.endpoint)),
        *_line_options(launch.line),
    ]


def _line_options(line: Line) -> list[str]:
    """What a node emulates by itself."""
    options = {
        "--bandwidth-mbps": line.bandwidth_mbps,
        "--delay-ms": line.delay_ms,
        "--jitter-ms": line.jitter_ms,
        "--loss": line.loss,
    }
    return [part for name, value in options.items() if value for part in (name, f"{value:g}")]


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
    """Run one node a folder for as long as the block runs; yields them in order of ``folders``.

    ``log_dir`` receives ``{country}.log`` and ``{country}.endpoint.json``.
    ``topology`` says where each node runs, and what it emulates there; None: here, at no distance.
    ``prefix``: what starts each node, ``srun --overlap --ntasks=1`` for example; it must stay until
    the node has ended and pass SIGTERM on to it, and ``log_dir`` must be seen from everywhere.
    ``forks`` starts them where given; several nodes of this machine bring their own.
    Raises NodeStartError, with every process ended, when a node ends before it is ready or is
    not ready after ``start_timeout_s`` (default: a minute; with a prefix, which may queue, ten).
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
    """Run nodes where and as far from the asker as the configuration's part ``network`` says.

    ``pairs``: ``rtt_matrix``. Raises as ``running_nodes``, and as ``emulated_distance``, in whose
    namespaces this thread is meanwhile.
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
    """Run the network service over ``nodes`` for as long as the block runs; yields its entry.

    ``log_dir`` receives ``network.log`` and the registry: ``network/``, endpoint files of our own
    nodes, and ``network.yaml`` with those of others. ``forks``: of running nodes; the service
    becomes one of them, which saves its importing. Raises NodeStartError when the service ends
    before it is ready or is not ready after ``start_timeout_s``.
    """
    ours, registry = log_dir / NETWORK, log_dir / f"{NETWORK}.yaml"
    write_endpoints([node for node in nodes if node.pid is not None], ours)
    write_nodes([node for node in nodes if node.pid is None], registry)

    def command(launch: Launch) -> list[str]:
        return [
            *(*PYTHON, NETWORK_SERVER),
            *("--nodes", str(ours), str(registry)),
            *("--port", "0", "--endpoint-file", str(launch.endpoint)),
            *("--deadline-s", f"{deadline_s:g}", *options),
        ]

    with running_nodes(
        {NETWORK: log_dir}, log_dir, start_timeout_s, command, forks=forks
    ) as services:
        (service,) = services
        yield service


@dataclass(frozen=True)
class _Starter:
    """Starts nodes: forks them where it can, which takes a tenth of the time."""

    command: Command
    groups: WatchedProcessGroups
    forks: ForkServer | None

    def __call__(self, launch: Launch, mode: LogMode) -> StartedProcess:
        """``mode``: of the log, which begins anew or goes on."""
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
            what = f"was not started ({error})"
            raise NodeStartError(launch.country, what, launch.log) from None


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
    """All nodes, once each has written its endpoint file."""
    until = time.monotonic() + timeout_s
    ready: dict[str, NodeEntry] = {}
    while True:
        for country in launches.keys() - ready.keys():
            launch, ended = launches[country], processes[country].poll()
            if ended is not None:
                what = f"ended with exit code {ended} before it was ready"
                raise NodeStartError(country, what, launch.log)
            entry = read_endpoint(launch.endpoint)
            if entry is not None:
                ready[country] = entry
        if len(ready) == len(launches):
            return [ready[country] for country in launches]
        if time.monotonic() > until:
            late = sorted(launches.keys() - ready.keys())
            what = f"was not ready after {timeout_s:g} s (not ready: {', '.join(late)})"
            raise NodeStartError(late[0], what, launches[late[0]].log)
        time.sleep(POLL_S)


def log_tail(log: Path, lines: int = TAIL_LINES) -> str:
    """The last lines of a node's log, or a word that there are none."""
    try:
        text = log.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        return f"(no log: {error})"
    return "\n".join(text.splitlines()[-lines:]) or "(the log is empty)"
