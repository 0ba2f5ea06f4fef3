"""Requests that need no work: the cost of distance, HTTP and the asking client."""

from __future__ import annotations

import asyncio

from rehearsal.evaluation.answer_table import Row, node_row
from rehearsal.model import Query
from rehearsal.network.client import NetworkClient
from rehearsal.network.registry import NodeEntry

CONTROL = Query("control", "control", "service-info", {}, method="GET")
EMPTY_HANDLER = "empty handler"  # the node's name in rows of a handler that does nothing


async def send_control_requests(client: NetworkClient, rounds: int, deadline_s: float) -> list[Row]:
    """Ask each node for ``/service-info``, and a handler in this process that does nothing.

    The handler listens on loopback.

    Args:
        client: A client of the nodes.
        rounds: How often to ask.
        deadline_s: Deadline of each request, in seconds.

    Returns:
        One row per request.
    """
    rows = []
    for repeat in range(rounds):
        for answer in await client.ask(CONTROL, deadline_s):
            rows.append(node_row(CONTROL, answer, repeat, has_content=False))
    server = await asyncio.start_server(_handle_nothing, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with NetworkClient([NodeEntry(EMPTY_HANDLER, f"http://127.0.0.1:{port}")]) as empty:
        for repeat in range(rounds):
            (answer,) = await empty.ask(CONTROL, deadline_s)
            rows.append(node_row(CONTROL, answer, repeat, has_content=False))
    server.close()
    return rows


async def _handle_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
    try:
        while True:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()
