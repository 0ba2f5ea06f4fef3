"""Starts real processes, nodes or the network service, waits until all have announced themselves,
always ends them.

A node is told where to write its endpoint file; until then nobody knows its port. Every node
leads a process group of its own, so what it starts ends with it; a watcher process ends the
groups when this process is killed in a way that no ``finally`` survives.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from rehearsal.network import watcher
from rehearsal.network.emulation import HERE, Place, Topology, emulated_distance
from rehearsal.network.forkserver import COMMAND, Forked, ForkServer, fork_server
from rehearsal.network.registry import NodeEntry, read_endpoint, write_endpoints, write_nodes
from rehearsal.web.latency import NEAR, Line

if TYPE_CHECKING:
    import pandas as pd

POLL_S = 0.02
START_TIMEOUT_S = 60.0
QUEUE_TIMEOUT_S = 600.0  # for nodes that wait for a place on a cluster first
STOP_TIMEOUT_S = 5.0
TAIL_LINES = 15
NETWORK = "network"  # stands for a country in the service's endpoint file


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
    endpoint: Path
    line: Line
    place: Place = HERE
    prefix: tuple[str, ...] = ()  # of the command line: what starts the node elsewhere
    port: int = 0


Command = Callable[[Launch], list[str]]
Process = subprocess.Popen[bytes] | Forked
Mode = Literal["wb", "ab"]


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
        *COMMAND,
        *("node", "serve", str(launch.folder)),
        *("--host", "0.0.0.0" if launch.prefix else launch.place.host),
        *("--port", str(launch.port), "--endpoint-file", str(launch.endpoint)),
        *_line_options(launch.line),
    ]


def _line_options(line: Line) -> list[str]:
    """What a node is told to emulate."""
    bandwidth = ["--bandwidth-mbps", f"{line.bandwidth_mbps:g}"] if line.bandwidth_mbps else []
    told = (("delay-ms", line.delay_ms), ("jitter-ms", line.jitter_ms), ("loss", line.loss))
    return bandwidth + [part for name, n in told if n for part in (f"--{name}", f"{n:g}")]


@contextmanager
def running_nodes(
    folders: Mapping[str, Path],
    delays_ms: Mapping[str, float],
    bandwidth_mbps: float,
    log_dir: Path,
    start_timeout_s: float | None = None,
    command: Command = node_command,
    prefix: str | None = None,
    topology: Topology | None = None,
    forks: ForkServer | None = None,
) -> Iterator[RunningNodes]:
    """Run one node a folder for as long as the block runs; yields them in order of ``folders``.

    ``delays_ms`` maps a country to the round-trip time that its node adds to every answer (0
    where absent); ``topology`` says instead where each node runs, and what it emulates there.
    ``log_dir`` receives ``{country}.log`` and ``{country}.endpoint.json``.
    ``prefix``: what starts each node, ``srun --overlap --ntasks=1`` for example; it must stay until
    the node has ended and pass SIGTERM on to it, and ``log_dir`` must be seen from everywhere.
    ``forks`` starts them where given; several nodes of this machine bring their own.
    Raises NodeStartError, with every process ended, when a node ends before it is ready or is
    not ready after ``start_timeout_s`` (default: a minute; with a prefix, which may queue, ten).
    """
    if start_timeout_s is None:
        start_timeout_s = QUEUE_TIMEOUT_S if prefix else START_TIMEOUT_S
    log_dir.mkdir(parents=True, exist_ok=True)
    processes: dict[str, Process] = {}
    if topology is None:
        lines = {country: Line(delays_ms.get(country, 0.0), bandwidth_mbps) for country in folders}
        topology = Topology(dict.fromkeys(folders, HERE), lines)
    launches = {
        country: Launch(
            country,
            folder,
            log_dir / f"{country}.endpoint.json",
            topology.lines.get(country, NEAR),
            topology.places[country],
            tuple(shlex.split(prefix or "")),
        )
        for country, folder in folders.items()
    }
    with _watcher() as watch, _starter(launches, command, watch, forks) as start:
        try:
            for country, launch in launches.items():
                processes[country] = start(launch, log_dir / f"{country}.log", "wb")
            nodes = RunningNodes(_when_ready(launches, processes, log_dir, start_timeout_s))

            def restart(country: str) -> None:
                number = list(launches).index(country)
                again = replace(launches[country], port=urlsplit(nodes[number].url).port or 0)
                ended, log = processes[country], log_dir / f"{country}.log"
                stop([ended])
                _tell(watch, f"-{ended.pid}")
                processes[country] = start(again, log, "ab")
                ready = _when_ready({country: again}, processes, log_dir, start_timeout_s)
                nodes[number : number + 1] = ready

            nodes.restart, nodes.forks = restart, start.forks
            yield nodes
        finally:
            stop(list(processes.values()))
            _tell(watch, "done")


@contextmanager
def nodes_at_their_distance(
    folders: Mapping[str, Path],
    network: Mapping[str, Any],
    pairs: pd.DataFrame,
    log_dir: Path,
) -> Iterator[RunningNodes]:
    """Run nodes where and as far from the asker as the configuration's part ``network`` says.

    ``pairs``: ``rtt_matrix``. Raises as ``running_nodes``, and as ``emulated``, in whose
    namespaces this thread is meanwhile.
    """
    prefix = network["launch"]
    with (
        emulated_distance(network, pairs, folders) as topology,
        running_nodes(folders, {}, 0, log_dir, prefix=prefix, topology=topology) as nodes,
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
            *COMMAND,
            *("network", "serve"),
            *("--nodes", str(ours), str(registry)),
            *("--port", "0", "--endpoint-file", str(launch.endpoint)),
            *("--deadline-s", f"{deadline_s:g}", *options),
        ]

    folders = {NETWORK: log_dir}
    with running_nodes(folders, {}, 0, log_dir, start_timeout_s, command, forks=forks) as (
        service,
    ):
        yield service


@contextmanager
def _watcher() -> Iterator[subprocess.Popen[bytes]]:
    """The process that ends our nodes when we cannot; see ``rehearsal.network.watcher``."""
    process = subprocess.Popen(
        # isolated and without site packages: it starts in milliseconds
        [sys.executable, "-I", "-S", str(Path(watcher.__file__))],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        with contextlib.suppress(OSError):
            process.stdin.close()
        process.wait()


def _tell(watch: subprocess.Popen[bytes], line: str) -> None:
    # a watcher that somebody killed must not keep us from ending the nodes ourselves
    with contextlib.suppress(OSError):
        watch.stdin.write(f"{line}\n".encode())
        watch.stdin.flush()


@dataclass(frozen=True)
class _Start:
    """Starts nodes: forks them where it can, which takes a tenth of the time."""

    command: Command
    watch: subprocess.Popen[bytes]
    forks: ForkServer | None

    def __call__(self, launch: Launch, log: Path, mode: Mode) -> Process:
        """``mode``: of the log, which begins anew or goes on."""
        launch.endpoint.unlink(missing_ok=True)
        line = self.command(launch)
        if self.forks is None:
            process: Process = _spawn(line, launch.place, log, mode)
        else:
            try:
                process = self.forks.start(line[len(COMMAND) :], log, mode)
            except OSError as error:
                raise NodeStartError(launch.country, f"was not started ({error})", log) from None
        _tell(self.watch, f"+{process.pid}")
        return process


@contextmanager
def _starter(
    launches: Mapping[str, Launch],
    command: Command,
    watch: subprocess.Popen[bytes],
    forks: ForkServer | None,
) -> Iterator[_Start]:
    with ExitStack() as stack:
        ours = command is node_command and all(map(_is_here, launches.values()))
        if forks is None and ours and len(launches) > 1:
            forks = stack.enter_context(fork_server())
            _tell(watch, f"+{forks.pid}")
        yield _Start(command, watch, forks)


def _is_here(launch: Launch) -> bool:
    return launch.place is HERE and not launch.prefix


def _spawn(line: list[str], place: Place, log: Path, mode: Mode) -> subprocess.Popen[bytes]:
    with log.open(mode) as sink, place.entered():
        return subprocess.Popen(
            line,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def _when_ready(
    launches: Mapping[str, Launch],
    processes: Mapping[str, Process],
    log_dir: Path,
    timeout_s: float,
) -> list[NodeEntry]:
    """All nodes, once each has written its endpoint file."""
    until = time.monotonic() + timeout_s
    ready: dict[str, NodeEntry] = {}
    while True:
        for country in launches.keys() - ready.keys():
            ended = processes[country].poll()
            if ended is not None:
                what = f"ended with exit code {ended} before it was ready"
                raise NodeStartError(country, what, log_dir / f"{country}.log")
            entry = read_endpoint(launches[country].endpoint)
            if entry is not None:
                ready[country] = entry
        if len(ready) == len(launches):
            return [ready[country] for country in launches]
        if time.monotonic() > until:
            late = sorted(launches.keys() - ready.keys())
            what = f"was not ready after {timeout_s:g} s (not ready: {', '.join(late)})"
            raise NodeStartError(late[0], what, log_dir / f"{late[0]}.log")
        time.sleep(POLL_S)


def stop(processes: list[Process], timeout_s: float = STOP_TIMEOUT_S) -> None:
    """End the processes and everything in their groups: ask all, wait, then kill.

    Takes at most ``timeout_s`` for all of them together, however many hang.
    """
    for process in processes:
        _signal_group(process, signal.SIGTERM)
    until = time.monotonic() + timeout_s
    waiting = list(processes)
    while waiting and time.monotonic() < until:
        waiting = [process for process in waiting if not _has_ended(process)]
        if waiting:
            time.sleep(POLL_S)
    for process in processes:
        # also when the leader has ended: what it started may live on in its group
        _signal_group(process, signal.SIGKILL)
        process.wait()


def _has_ended(process: Process) -> bool:
    """Whether the process has ended, without reaping it: its number stays taken until then."""
    if isinstance(process, Forked):
        return process.has_ended()
    if process.returncode is not None:
        return True
    flags = os.WEXITED | os.WNOHANG | os.WNOWAIT
    try:
        return os.waitid(os.P_PID, process.pid, flags) is not None
    except ChildProcessError:
        return True


def _signal_group(process: Process, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def log_tail(log: Path, lines: int = TAIL_LINES) -> str:
    """The last lines of a node's log, or a word that there are none."""
    try:
        text = log.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        return f"(no log: {error})"
    return "\n".join(text.splitlines()[-lines:]) or "(the log is empty)"
