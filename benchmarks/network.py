"""Measure what the network service adds to its slowest node, and the cost of hung nodes.

    python benchmarks/network.py --nodes 28 --hung 3 --rounds 500 --rtt-ms 45

One process stands for all nodes, on one port each. It sends a small Beacon answer after the node's
round-trip time (evenly spread up to --rtt-ms), or never. The service runs as
`rehearsal network serve`. Prints latencies of the asker over one kept-alive connection:

- the control, in turn with the queries: the same bytes to all nodes over open sockets and nothing
  else, which separates the cost of a busy machine from that of the service,
- queries through the service; both without the slowest node's round-trip time,
- the same with --hung nodes that accept and never answer: by default before and after their
  circuits open; with partial=true on a service that has just seen them hang, and later,
- the same collected one after another with 5 s each, as today's European aggregator does.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from pathlib import Path

import aiohttp
import numpy as np
from measuring import footer, header, print_latencies

from rehearsal.loadtest.stub_nodes import StubNodes
from rehearsal.network.launcher import running_network
from rehearsal.network.registry import NodeEntry

WITHOUT_LIMIT = ("--requests-per-s", "0")
QUERY = {
    "meta": {"apiVersion": "2.0"},
    "query": {
        "requestParameters": {
            "assemblyId": "GRCh38",
            "referenceName": "17",
            "start": [43057061],
            "referenceBases": "T",
            "alternateBases": "TG",
        },
        "requestedGranularity": "count",
    },
}


class Bare(asyncio.Protocol):
    """One open connection. ``answered`` is set when bytes have arrived."""

    def __init__(self) -> None:
        self.answered = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport.

        Args:
            transport: The connection's transport.
        """
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Set ``answered``.

        Args:
            data: The answer, which is not read.
        """
        self.answered.set()


async def in_turn(
    nodes: list[NodeEntry], url: str, slowest_s: float, rounds: int, pause_s: float
) -> None:
    """Print the latencies of the bare control and of the service, asked in turn.

    Args:
        nodes: The nodes.
        url: URL of the service.
        slowest_s: Round-trip time of the slowest node, in seconds.
        rounds: Number of queries.
        pause_s: Pause between queries, in seconds.
    """
    loop = asyncio.get_running_loop()
    request = b"POST /g_variants HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"
    connections = []
    for node in nodes:
        port = int(node.url.rsplit(":", 1)[1])
        connections.append((await loop.create_connection(Bare, "127.0.0.1", port))[1])
    bare, served = [], []
    async with aiohttp.ClientSession() as session:
        for number in range(rounds + 1):
            begun = time.perf_counter()
            for connection in connections:
                connection.answered.clear()
                connection.transport.write(request)
            for connection in connections:
                await connection.answered.wait()
            between = time.perf_counter()
            async with session.post(url, json=QUERY) as response:
                await response.read()
            if number:
                bare.append(between - begun)
                served.append(time.perf_counter() - between)
            await asyncio.sleep(pause_s)
    for connection in connections:
        connection.transport.close()
    print_latencies(f"control: {len(nodes)} open sockets, less the RTT", bare, slowest_s)
    print_latencies(f"{len(nodes)} nodes through the network, less the RTT", served, slowest_s)


async def ask_again(url: str, rounds: int, pause_s: float = 0.0) -> list[float]:
    """Return the latencies of consecutive queries over one connection, in seconds.

    Args:
        url: URL of the service.
        rounds: Number of queries.
        pause_s: Pause between queries, in seconds.
    """
    seconds = []
    async with aiohttp.ClientSession() as session:
        for number in range(rounds + 1):
            begun = time.perf_counter()
            async with session.post(url, json=QUERY) as response:
                body = await response.json()
                if not body["responseSummary"]["exists"]:
                    raise SystemExit(f"wrong answer: {body}")
            if number:  # the first opens connections
                seconds.append(time.perf_counter() - begun)
            await asyncio.sleep(pause_s)
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nodes", type=int, default=28, help="number of nodes")
    parser.add_argument("--hung", type=int, default=3, help="nodes that can hang")
    parser.add_argument("--rounds", type=int, default=500, help="number of queries")
    parser.add_argument("--rtt-ms", type=float, default=45.0, help="RTT of the slowest node")
    parser.add_argument("--pause-ms", type=float, default=5.0, help="pause between queries")
    parser.add_argument(
        "--sequential", action="store_true", help="also measure collection one after another"
    )
    options = parser.parse_args()
    print(header())
    # the slowest node is not one that hangs
    rtt_s = list(np.linspace(options.rtt_ms, 5, options.nodes) / 1000)
    with tempfile.TemporaryDirectory() as folder, StubNodes(rtt_s, options.hung) as stubs:
        stubs.hang(False)
        nodes = [NodeEntry(f"N{number:02}", url) for number, url in enumerate(stubs.urls)]
        measure(nodes, rtt_s[0], stubs, options, Path(folder))


def measure(
    nodes: list[NodeEntry],
    slowest_s: float,
    stubs: StubNodes,
    options: argparse.Namespace,
    folder: Path,
) -> None:
    """Print the latencies of every case.

    Args:
        nodes: The nodes.
        slowest_s: Round-trip time of the slowest node, in seconds.
        stubs: The process that stands for the nodes.
        options: Options of the command.
        folder: Where the service writes.
    """
    pause_s = options.pause_ms / 1000
    with running_network(nodes, 10, folder, options=WITHOUT_LIMIT) as service:
        url = f"{service.url}/g_variants"
        asyncio.run(in_turn(nodes, url, slowest_s, options.rounds, pause_s))
        seconds = asyncio.run(ask_again(f"{url}?partial=true", options.rounds, pause_s))
        print_latencies("the same with partial=true", seconds, slowest_s)
        stubs.hang(True)
        begun = asyncio.run(ask_again(f"{url}?partial=true", 20, pause_s))
        print_latencies(
            f"{options.hung} nodes just hung, partial=true, less the RTT", begun, slowest_s
        )
        time.sleep(5)
        seconds = asyncio.run(ask_again(f"{url}?partial=true", options.rounds // 5, pause_s))
        print_latencies("circuits open, partial=true, less the RTT", seconds, slowest_s)
        seconds = asyncio.run(ask_again(url, options.rounds // 5, pause_s))
        print_latencies("circuits open, less the RTT", seconds, slowest_s)
        stubs.hang(False)
        time.sleep(5)
        stubs.hang(True)
        seconds = asyncio.run(ask_again(f"{url}?deadlineS=1", 3))
        print_latencies(
            f"{options.hung} nodes just hung, deadline of 1000 ms", seconds[:1] or seconds
        )
        stubs.hang(False)
    if options.sequential:
        with running_network(
            nodes, 10, folder, options=(*WITHOUT_LIMIT, "--collect", "sequential")
        ) as service:
            stubs.hang(True)
            seconds = asyncio.run(ask_again(f"{service.url}/g_variants", 1))
            print_latencies("one after another with 5 s each", seconds)
            stubs.hang(False)
    print(footer())


if __name__ == "__main__":
    main()
