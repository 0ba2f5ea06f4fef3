"""One process that serves one application: on a socket, until it is told to end.

The node, the network and the issuer of tokens are all served so.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import socket
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import uvloop
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.server import ServerState

from rehearsal.errors import InputError
from rehearsal.files import write_json
from rehearsal.process_lifetime import end_with_parent

log = logging.getLogger(__name__)

BACKLOG = 1024
EVERY_ADDRESS = ("0.0.0.0", "::")
MAX_CONCURRENT = 8192  # connections; far ones wait a round trip, slow ones up to their time limit
HEAD_TIMEOUT_S = 10.0  # until a caller has sent a request line and headers
MAX_HEAD = 64 * 1024  # bytes of them
KEEP_ALIVE_S = 75  # an idle connection; callers who keep theirs for less never find it closed
LAST_ANSWERS_S = 3.0  # for what is under way at the end; a launcher waits no longer than 5


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens; port 0 takes a free one. Raises InputError when it cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
        listener.setblocking(False)
    except (OSError, OverflowError) as error:
        listener.close()
        raise InputError(f"{host}:{port}", "address", f"one that is free here ({error})") from None
    return listener


def url_of(listener: socket.socket) -> str:
    """The address of a socket that listens; of one for every address, by this machine's name."""
    host, port = listener.getsockname()[:2]
    if host in EVERY_ADDRESS:
        host = socket.gethostname()
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class _Connection(HttpToolsProtocol):
    """A connection whose requests must begin in time and with heads that are not endless.

    Uvicorn itself lets callers take as long and send as many headers as they like.
    """

    _waited_for: asyncio.TimerHandle | None = None
    _head_size = 0

    # Uvicorn's type, not asyncio's: a connection over TCP has a whole Transport
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_is_there()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        # any bytes end the idle time, also those that do not make a request
        if self._waited_for is None and self.timeout_keep_alive_task is None and self._is_idle:
            self._wait_for_head()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._head_size = 0

    def on_url(self, url: bytes) -> None:
        self._measure(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._measure(len(name) + len(value))
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._head_is_there()
        super().on_headers_complete()

    @property
    def _is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _measure(self, size: int) -> None:
        """Raises ValueError for too much: the parser gives up, and the caller gets a 400. Trailers
        behind a body count as well."""
        self._head_size += size
        if self._head_size > MAX_HEAD:
            raise ValueError("the head of a request is too long")

    def _wait_for_head(self) -> None:
        self._waited_for = self.loop.call_later(HEAD_TIMEOUT_S, self._too_late)

    def _head_is_there(self) -> None:
        if self._waited_for is not None:
            self._waited_for.cancel()
            self._waited_for = None

    def _too_late(self) -> None:
        if not self.transport.is_closing():
            self.transport.write(STATUS_LINE[408] + b"connection: close\r\n\r\n")
            self.transport.close()


def run(serving: Coroutine[Any, Any, None]) -> None:
    """Run what serves to its end, on uvloop's event loop.

    A look-up takes a fifth less CPU than on asyncio's own (docs/decisions/node-and-network.md).
    """
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serving)


async def serve_app(
    app: Any,
    listener: socket.socket,
    endpoint: dict[str, Any],
    endpoint_file: Path | None,
) -> None:
    """Serve until SIGTERM or SIGINT, or until the parent is gone; then what is under way for a
    moment.

    ``endpoint_file`` receives ``endpoint`` as JSON once the application has answered.
    """
    address = listener.getsockname()[:2]
    # what is here now stays, and what requests make has no cycles: look less often, and at less
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    loop = asyncio.get_running_loop()
    told_to_end = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told_to_end.set)
    end_with_parent()
    announcing = loop.create_task(_announce(address, endpoint, endpoint_file))
    try:
        async with answering(app, listener):
            await told_to_end.wait()
    finally:
        announcing.cancel()
        if endpoint_file is not None:
            endpoint_file.unlink(missing_ok=True)


@asynccontextmanager
async def answering(app: Any, listener: socket.socket) -> AsyncIterator[None]:
    """Uvicorn's connections on a socket that is listening, without its loop that looks ten times
    a second whether it is to end: 28 nodes at rest share a core with those that work.

    At the end what is under way is waited for, but not longer than ``LAST_ANSWERS_S``.
    """
    config = Config(
        app,
        lifespan="off",
        interface="asgi3",
        ws="none",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        limit_concurrency=MAX_CONCURRENT,
        timeout_keep_alive=KEEP_ALIVE_S,
    )
    loop, state = asyncio.get_running_loop(), ServerState()
    server = await loop.create_server(
        lambda: _Connection(config, state, {}, loop), sock=listener, backlog=BACKLOG
    )
    try:
        yield
    finally:
        server.close()
        for connection in list(state.connections):
            connection.shutdown()
        # a connection is gone when the last byte of its answer is
        end = loop.time() + LAST_ANSWERS_S
        while (state.connections or state.tasks) and loop.time() < end:
            await asyncio.sleep(0.01)


async def _announce(
    address: tuple[str, int], endpoint: dict[str, Any], endpoint_file: Path | None
) -> None:
    """Tell where the node is, once it has answered a request."""
    while not await _answers(*address):
        await asyncio.sleep(0.02)
    log.info("%s answers at %s", endpoint["country"], endpoint["url"])
    if endpoint_file is not None:
        write_json(endpoint_file, endpoint, indented=False)


async def _answers(host: str, port: int) -> bool:
    try:
        reader, writer = await asyncio.open_connection(host, port)
    except OSError:
        return False
    try:
        writer.write(b"GET /service-info HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        return (await reader.readline()).startswith(b"HTTP/1.1 200")
    except OSError:
        return False
    finally:
        writer.close()
