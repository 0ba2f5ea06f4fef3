"""What asking many nodes at once costs the asker, and what late nodes cost the rest.

    python benchmarks/fan_out.py --nodes 28 --rounds 300 --hung 3

A second process serves empty Beacon answers on one port a node. Prints the latency of one query
to all of them and of one node alone, the asker's CPU time a request, the requests a second with
16 queries under way, and how long a query takes when some nodes hang until the deadline.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import time
from multiprocessing.connection import Connection

import numpy as np
from sparse_pass import machine

from rehearsal.evaluation.latency import percentile
from rehearsal.model import Answer, Query
from rehearsal.network.client import NetworkClient
from rehearsal.network.registry import NodeEntry

BODY = b'{"responseSummary":{"exists":true,"numTotalResults":1}}'
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
QUERY = Query("bench", "count", "g_variants", {"query": {"requestedGranularity": "count"}})


class Empty(asyncio.Protocol):
    """Answers every request at once with the same bytes; a request is one packet here."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.transport.write(HEAD % len(BODY) + BODY)


class Hung(asyncio.Protocol):
    """Accepts, and never says a word."""


def serve(numbers: tuple[int, int], ports: Connection) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        kinds = [Empty] * numbers[0] + [Hung] * numbers[1]
        servers = [await loop.create_server(kind, "127.0.0.1", 0) for kind in kinds]
        ports.send([server.sockets[0].getsockname()[1] for server in servers])
        await asyncio.Event().wait()

    asyncio.run(main())


def figures(name: str, seconds: list[float]) -> None:
    values = np.array(seconds) * 1000
    shares = " ".join(f"p{share} {percentile(values, share):7.2f}" for share in (50, 95, 99, 100))
    print(f"{name:34} {shares} ms  (n = {len(values)})")


async def timed(client: NetworkClient, rounds: int, deadline_s: float) -> list[list[Answer]]:
    await client.ask(QUERY, deadline_s)
    return [await client.ask(QUERY, deadline_s) for _ in range(rounds)]


async def measure(healthy: list[NodeEntry], hung: list[NodeEntry], rounds: int) -> None:
    async with NetworkClient(healthy[:1]) as client:
        alone = await timed(client, rounds, 10)
        figures("one node", [answers[0].latency_s for answers in alone])
    async with NetworkClient(healthy) as client:
        cpu, begun = time.process_time(), time.monotonic()
        answers = await timed(client, rounds, 10)
        cpu, wall = time.process_time() - cpu, time.monotonic() - begun
        figures(f"{len(healthy)} nodes at once", [max(a.latency_s for a in r) for r in answers])
        requests = rounds * len(healthy)
        print(f"{'':34} {cpu / requests * 1e6:.0f} us CPU a request, {requests / wall:.0f}/s")
        begun = time.monotonic()
        await asyncio.gather(*(timed(client, rounds // 16, 10) for _ in range(16)))
        done = (rounds // 16 + 1) * 16 * len(healthy)
        print(f"{'16 queries under way':34} {done / (time.monotonic() - begun):.0f} requests/s")
    async with NetworkClient([*healthy, *hung]) as client:
        answers = await timed(client, 5, 0.5)
        states = [sorted({a.state for a in r}) for r in answers]
        healthy_s = [max(a.latency_s for a in r if a.state == "answered") for r in answers]
        figures(
            f"{len(hung)} hung, deadline 500: whole query",
            [max(a.latency_s for a in r) for r in answers],
        )
        figures(f"{len(hung)} hung: slowest of the healthy", healthy_s)
        print(f"{'':34} states: {states[0]}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nodes", type=int, default=28)
    parser.add_argument("--hung", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=300)
    options = parser.parse_args()
    print(machine())
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
