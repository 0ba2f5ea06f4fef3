"""Measure the cost of asking many nodes at once, and the effect of hung nodes on the others.

    python benchmarks/fan_out.py --nodes 28 --rounds 300 --hung 3

A second process serves empty Beacon answers, on one port per node. Prints the latency of one query
to all of them and to one node alone, the asker's CPU time per request, the requests per second with
16 concurrent queries, and the time of a query when some nodes hang until the deadline.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import time
from multiprocessing.connection import Connection

from measuring import header, print_latencies

from rehearsal.model import Answer, Query
from rehearsal.network.client import NetworkClient
from rehearsal.network.registry import NodeEntry

BODY = b'{"responseSummary":{"exists":true,"numTotalResults":1}}'
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
QUERY = Query("bench", "count", "g_variants", {"query": {"requestedGranularity": "count"}})


class Empty(asyncio.Protocol):
    """Answers every request at once with the same bytes. A request must be one packet."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport.

        Args:
            transport: The connection's transport.
        """
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Send the answer.

        Args:
            data: The request, which is not read.
        """
        self.transport.write(HEAD % len(BODY) + BODY)


class Hung(asyncio.Protocol):
    """Accepts connections and never answers."""


def serve(numbers: tuple[int, int], ports: Connection) -> None:
    """Serve the nodes until the process ends.

    Args:
        numbers: Number of healthy and of hung nodes.
        ports: Where to send the list of ports.
    """

    async def main() -> None:
        loop = asyncio.get_running_loop()
        kinds = [Empty] * numbers[0] + [Hung] * numbers[1]
        servers = [await loop.create_server(kind, "127.0.0.1", 0) for kind in kinds]
        ports.send([server.sockets[0].getsockname()[1] for server in servers])
        await asyncio.Event().wait()

    asyncio.run(main())


async def ask_again(client: NetworkClient, rounds: int, deadline_s: float) -> list[list[Answer]]:
    """Ask all nodes repeatedly, after one query that is not counted.

    Args:
        client: Client of the nodes.
        rounds: Number of queries.
        deadline_s: Deadline of a query, in seconds.
    """
    await client.ask(QUERY, deadline_s)
    return [await client.ask(QUERY, deadline_s) for _ in range(rounds)]


def slowest_s(rounds: list[list[Answer]], state: str | None = None) -> list[float]:
    """Return the longest latency of each round, in seconds.

    Args:
        rounds: Answers by round.
        state: Only answers in this state. None counts all.
    """
    return [
        max(one.latency_s for one in answers if state in (None, one.state)) for answers in rounds
    ]


async def measure(healthy: list[NodeEntry], hung: list[NodeEntry], rounds: int) -> None:
    """Print the latencies of one node, of all healthy nodes, and with hung nodes.

    Args:
        healthy: The healthy nodes.
        hung: The hung nodes.
        rounds: Number of queries.
    """
    async with NetworkClient(healthy[:1]) as client:
        print_latencies("one node", slowest_s(await ask_again(client, rounds, 10)))
    async with NetworkClient(healthy) as client:
        await measure_healthy(client, len(healthy), rounds)
    async with NetworkClient([*healthy, *hung]) as client:
        answers = await ask_again(client, 5, 0.5)
        states = [sorted({one.state for one in some}) for some in answers]
        print_latencies(f"{len(hung)} hung, deadline 500: whole query", slowest_s(answers))
        print_latencies(f"{len(hung)} hung: slowest healthy node", slowest_s(answers, "answered"))
        print(f"{'':34} states: {states[0]}")


async def measure_healthy(client: NetworkClient, nodes: int, rounds: int) -> None:
    """Print latency, CPU time per request and throughput.

    Args:
        client: Client of the healthy nodes.
        nodes: Number of nodes.
        rounds: Number of queries.
    """
    cpu, begun = time.process_time(), time.monotonic()
    answers = await ask_again(client, rounds, 10)
    cpu, wall = time.process_time() - cpu, time.monotonic() - begun
    print_latencies(f"{nodes} nodes at once", slowest_s(answers))
    requests = rounds * nodes
    print(f"{'':34} {cpu / requests * 1e6:.0f} us CPU per request, {requests / wall:.0f}/s")
    begun = time.monotonic()
    await asyncio.gather(*(ask_again(client, rounds // 16, 10) for _ in range(16)))
    done = (rounds // 16 + 1) * 16 * nodes
    print(f"{'16 concurrent queries':34} {done / (time.monotonic() - begun):.0f} requests/s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nodes", type=int, default=28, help="healthy nodes")
    parser.add_argument("--hung", type=int, default=3, help="hung nodes")
    parser.add_argument("--rounds", type=int, default=300, help="number of queries")
    options = parser.parse_args()
    print(header())
    here, there = multiprocessing.Pipe()
    server = multiprocessing.Process(
        target=serve, args=((options.nodes, options.hung), there), daemon=True
    )
    server.start()
    entries = [NodeEntry(f"N{i}", f"http://127.0.0.1:{port}") for i, port in enumerate(here.recv())]
    healthy, hung = entries[: options.nodes], entries[options.nodes :]
    asyncio.run(measure(healthy, hung, options.rounds))
    server.terminate()
    server.join()


if __name__ == "__main__":
    main()
