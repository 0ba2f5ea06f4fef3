"""A proxy in front of a node that forwards everything, or misbehaves when told to.

The network uses the same address all the time, as with a node whose proxy or program fails.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

BODY = b'{"meta": {"returnedGranularity": "count"}, "responseSummary": {"exists": true}}'
ENDLESS_CHUNK, ENDLESS_PAUSE_S = b"[" * 16384, 0.005  # 3 MB/s


def _response(status: str, body: bytes, more: str = "", length: int | None = None) -> bytes:
    size = len(body) if length is None else length
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {size}\r\n"
    return f"{head}{more}\r\n".encode() + body


RESPONSES = {
    "error500": _response("500 Internal Server Error", b'{"error": {"errorCode": 500}}'),
    "garbage": _response("200 OK", b"<html>It works!</html>"),
    "half": _response("200 OK", BODY[: len(BODY) // 2], length=len(BODY)),
    "redirect": _response("302 Found", b"", "Location: http://127.0.0.1:9/elsewhere\r\n"),
    "endless": b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n",
}


@dataclass
class FaultyProxy:
    """A proxy in front of a node."""

    target: tuple[str, int]  # host and port of the node
    port: int = 0  # of the proxy
    misbehaviour: str | None = None  # a key of ``RESPONSES``; None: forward everything

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve a connection, one request after another.

        Args:
            reader: Reads from the client.
            writer: Writes to the client.
        """
        with contextlib.suppress(asyncio.IncompleteReadError, OSError):
            upstream: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
            try:
                while True:
                    request = await _message(reader)
                    if self.misbehaviour is not None:
                        await self._misbehave(self.misbehaviour, writer)
                        break
                    upstream = upstream or await asyncio.open_connection(*self.target)
                    upstream[1].write(request)
                    writer.write(await _message(upstream[0]))
                    await writer.drain()
            finally:
                if upstream is not None:
                    upstream[1].close()
        writer.close()

    async def _misbehave(self, misbehaviour: str, writer: asyncio.StreamWriter) -> None:
        writer.write(RESPONSES[misbehaviour])
        await writer.drain()
        while misbehaviour == "endless" and self.misbehaviour == misbehaviour:
            writer.write(ENDLESS_CHUNK)
            await writer.drain()
            await asyncio.sleep(ENDLESS_PAUSE_S)


@asynccontextmanager
async def faulty_proxy(host: str, port: int) -> AsyncIterator[FaultyProxy]:
    """Run a proxy on this machine for as long as the block runs.

    Args:
        host: Host of the node.
        port: Port of the node.
    """
    proxy = FaultyProxy((host, port))
    server = await asyncio.start_server(proxy.connected, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        proxy.misbehaviour = None
        server.close()


async def _message(reader: asyncio.StreamReader) -> bytes:
    """Read a whole HTTP message; one without a Content-Length has no body."""
    head = await reader.readuntil(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return head + await reader.readexactly(int(line.partition(b":")[2]))
    return head
