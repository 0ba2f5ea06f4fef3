"""The connections of a server: how many there may be, and how long each may wait for its caller.

A connection waits for its caller until a whole request has arrived, and while the caller does not
read the answer. When there are too many connections, the one that has waited longest is closed, so
that a new caller is served. Uvicorn itself has no such limits.
"""

from __future__ import annotations

import asyncio
import logging
import resource
import socket
from typing import Protocol

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.server import ServerState

from rehearsal.errors import mismatch
from rehearsal.web.app import ABORT_KEY
from rehearsal.web.handshake import Counted, TlsServer
from rehearsal.web.rate_limit import network_of
from rehearsal.web.request_bodies import MAX_MEMORY, BodyBudget, RequestBodies
from rehearsal.web.request_limits import MAX_TOKEN, WHOLE_KEY
from rehearsal.web.tls import ServerTls

BACKLOG = 1024  # connections that the system keeps until they are accepted
MAX_CONCURRENT = 8192  # connections, of which many wait for a distant or slow caller
MAX_FILES = 65536  # open files of this process, if the system lets it have so many
RESERVED_FILES = 64  # for data, logs and the program itself
HEAD_TIMEOUT_S = 10.0  # until the request line and the headers have arrived
MAX_HEAD = MAX_TOKEN + 32 * 1024  # bytes of request line and headers
MAX_PIPELINED = 16  # requests that wait for the answers before them
# for a body that the answer did not wait for: most callers send a whole request before they read
DROP_TIMEOUT_S = 10.0
READ_TIMEOUT_S = 60.0  # in which a caller must read something of a waiting answer

# a line for each request that is no HTTP would let callers fill the disk
logging.getLogger("uvicorn.error").setLevel(logging.ERROR)


def connection_limit() -> int:
    """Let this process have many open files, and return how many may be connections of callers.

    An answer may need a file or a connection of its own, so this is half of the files.

    Returns:
        The number of connections.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_FILES if hard == resource.RLIM_INFINITY else min(hard, MAX_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft = wanted
    files = MAX_FILES if soft == resource.RLIM_INFINITY else soft
    return max(1, min(MAX_CONCURRENT, (files - RESERVED_FILES) // 2))


class Server(Protocol):
    """What accepts connections."""

    def close(self) -> None:
        """Accept nothing more."""


async def start_server(
    config: Config, state: ServerState, listener: socket.socket, tls: ServerTls | None
) -> Server:
    """Accept connections, within the limits of this module.

    Args:
        config: Uvicorn's settings.
        state: Uvicorn's state of the server.
        listener: A listening socket.
        tls: TLS of the server. None: plain HTTP.

    Returns:
        The server.
    """
    connections, loop = _OpenConnections(connection_limit()), asyncio.get_running_loop()
    budget = BodyBudget(MAX_MEMORY)

    def make() -> _Connection:
        return _Connection(connections, budget, config, state, loop)

    if tls is None:
        return await loop.create_server(make, sock=listener, backlog=BACKLOG)
    return TlsServer(listener, tls.context, connections, make, HEAD_TIMEOUT_S)


class _OpenConnections:
    """The open connections of a server.

    One address may have half of them, so that it never takes the place of all others.

    Args:
        most: Most connections.
    """

    def __init__(self, most: int) -> None:
        self._most, self._most_of_one = most, max(1, most // 2)
        self._total = 0
        self._by_origin: dict[str, int] = {}
        self._waiting: dict[Counted, None] = {}  # for their callers, the longest first

    def add(self, one: Counted) -> None:
        """Count a new connection, and close one that waits if there are too many.

        Args:
            one: The connection. It is refused itself if no other one waits for its caller.
        """
        number = self._by_origin.get(one.origin, 0) + 1
        self._by_origin[one.origin] = number
        self._total += 1
        if number > self._most_of_one:
            self._make_room(one, one.origin)
        elif self._total > self._most:
            self._make_room(one, None)
        if one.counted:
            self._waiting[one] = None

    def _make_room(self, new: Counted, origin: str | None) -> None:
        for other in self._waiting:
            if origin is None or other.origin == origin:
                other.drop()
                return
        new.refuse()

    def remove(self, one: Counted) -> None:
        """Stop counting a connection.

        Args:
            one: The connection, which is counted.
        """
        self._waiting.pop(one, None)
        self._total -= 1
        left = self._by_origin[one.origin] - 1
        if left:
            self._by_origin[one.origin] = left
        else:
            del self._by_origin[one.origin]

    def waits(self, one: Counted) -> None:
        """Note that a connection waits for its caller from now on.

        Args:
            one: The connection.
        """
        self._waiting.pop(one, None)
        if one.counted:
            self._waiting[one] = None

    def works(self, one: Counted) -> None:
        """Note that a connection no longer waits for its caller.

        Args:
            one: The connection.
        """
        self._waiting.pop(one, None)


class _Connection(HttpToolsProtocol):
    """A connection with limits on what its caller sends, and on how long it waits for the caller.

    Args:
        connections: All connections of the server.
        budget: The memory of all bodies of requests.
        config: Uvicorn's settings.
        state: Uvicorn's state of the server.
        loop: The event loop.
    """

    _waited_for: asyncio.TimerHandle | None = None
    _head_size = 0
    _hosts = 0
    _fault, _status = "", 400  # of a refusal

    def __init__(
        self,
        connections: _OpenConnections,
        budget: BodyBudget,
        config: Config,
        state: ServerState,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        super().__init__(config, state, {}, loop)
        self.all = connections
        self.bodies = RequestBodies(budget, self)
        self.origin = ""  # of the caller's address, as requests are counted
        self.counted = False
        self._unread: _UnreadAnswer | None = None

    # the type is uvicorn's: a TCP connection has a full Transport
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the wait for the first request."""
        super().connection_made(transport)
        self.origin = network_of(self.client[0]) if self.client else ""
        self.counted = True
        self._wait_for_head()
        self.all.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop every wait: a timer would keep the connection in memory until its end."""
        self._head_is_there()
        self._forget()
        if self._unread is not None:
            self._unread.stop()
        super().connection_lost(exc)
        self._unset_keepalive_if_required()  # uvicorn leaves it after a reset

    def drop(self) -> None:
        """Close the connection at once: another one needs its place."""
        self._forget()
        self.transport.abort()

    def refuse(self) -> None:
        """Close a new connection, as no other one waits for its caller."""
        self._forget()
        retry = b"retry-after: 1\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
        self.transport.write(STATUS_LINE[503] + retry)
        self.transport.close()

    def _forget(self) -> None:
        self.bodies.forget()
        for cycle in (self.cycle, *(cycle for cycle, _ in self.pipeline)):
            if cycle is not None:
                cycle.body.clear()  # at once: many more may arrive before the connection is lost
        if self.counted:
            self.counted = False
            self.all.remove(self)

    def data_received(self, data: bytes) -> None:
        """Wait for a request from the first byte on, and close on a body of too many bytes."""
        if self.bodies.is_open and self.bodies.receive(len(data), is_needed=not self._is_idle):
            self.drop()
            return
        super().data_received(data)
        # any byte ends the idle time, even if no request follows
        if self._waited_for is None and self.timeout_keep_alive_task is None and self._is_idle:
            self._wait_for_head()

    def on_message_begin(self) -> None:
        """Begin to count the bytes of a head."""
        super().on_message_begin()
        self.scope[ABORT_KEY] = self.transport.abort  # type: ignore[literal-required]
        self._head_size = self._hosts = 0

    def on_url(self, url: bytes) -> None:
        """Count the bytes of the URL."""
        self._measure(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Count the bytes of a header."""
        self._measure(len(name) + len(value) + 4)  # with colon, space and line break
        if len(name) == 4 and name.lower() == b"host":
            self._hosts += 1
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Stop waiting: the head is complete.

        Raises ValueError when it does not have one Host header (RFC 9112, 3.2).
        """
        self._head_is_there()
        if self._hosts != 1 and (self._hosts or self.parser.get_http_version() != "1.0"):
            self._fault = mismatch("Host", "one header", f"{self._hosts or 'none'}")
            raise ValueError(mismatch("Host", "one header", "another number"))
        self.bodies.begin()
        super().on_headers_complete()
        if len(self.pipeline) > MAX_PIPELINED:
            self.drop()
            raise ValueError(mismatch("pipelined requests", f"at most {MAX_PIPELINED}", "more"))

    def on_body(self, body: bytes) -> None:
        """Count a piece of a body. What no answer waits for is dropped (RFC 9112, 9.6)."""
        self.bodies.add(len(body), is_needed=not self.cycle.response_complete)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Stop waiting for the caller: the request is complete."""
        cycle = self.cycle
        self.bodies.complete()
        if cycle.response_complete:
            self._head_is_there()
        else:
            self.all.works(self)
        super().on_message_complete()
        cycle.more_body = False
        cycle.scope[WHOLE_KEY] = True  # type: ignore[literal-required]

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        self.bodies.answered()
        super().on_response_complete()
        if self.transport.is_closing():
            return
        cycle = self.cycle
        if cycle.response_complete:
            cycle.body.clear()  # what the answer did not read
            self.all.waits(self)
            if cycle.more_body and self._waited_for is None:
                self._waited_for = self.loop.call_later(DROP_TIMEOUT_S, self.transport.close)
        if self.transport.get_write_buffer_size():
            self._wait_for_reader()

    def pause_writing(self) -> None:
        """Wait for the caller to read what was sent."""
        super().pause_writing()
        self.all.waits(self)
        self._wait_for_reader()

    def resume_writing(self) -> None:
        """Go on: the caller reads."""
        super().resume_writing()
        if not self._is_idle:
            self.all.works(self)
        if self._unread is not None:
            self._unread.is_read = True

    def _wait_for_reader(self) -> None:
        if self._unread is None:
            self._unread = _UnreadAnswer(self.loop, self.transport)
        self._unread.watch()

    @property
    def _is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def send_400_response(self, msg: str) -> None:
        """Refuse bytes that are no HTTP request, or too long a head, in the one form of errors."""
        if self.transport.is_closing():
            return
        other = mismatch("the request", "a request of HTTP/1.1", "something else")
        text = (self._fault or other).encode()
        kind = b"content-type: text/plain; charset=utf-8\r\ncontent-length: %d\r\n" % len(text)
        end = b"connection: close\r\n\r\n"
        self.transport.write(STATUS_LINE[self._status] + kind + end + text)
        self.transport.close()

    def _measure(self, size: int) -> None:
        """Add bytes to the head, trailers after a body included.

        Raises ValueError when the head is too long: the parser gives up (431, RFC 6585).
        """
        self._head_size += size
        if self._head_size > MAX_HEAD:
            self._status = 431
            self._fault = mismatch("the head of the request", f"at most {MAX_HEAD} bytes", "more")
            raise ValueError(mismatch("head of a request", f"at most {MAX_HEAD} bytes", "more"))

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


class _UnreadAnswer:
    """Aborts a connection whose caller reads nothing of a waiting answer."""

    def __init__(self, loop: asyncio.AbstractEventLoop, transport: asyncio.Transport) -> None:
        self._loop, self._transport = loop, transport
        self._left = 0
        self._timer: asyncio.TimerHandle | None = None
        self.is_read = False  # whether the caller read something since the last look

    def watch(self) -> None:
        """Look again from time to time, until everything has been sent."""
        if self._timer is None:
            self._left = self._transport.get_write_buffer_size()
            self._timer = self._loop.call_later(READ_TIMEOUT_S, self._look)

    def stop(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        self._timer, before = None, self._left
        left = self._transport.get_write_buffer_size()
        if left >= before and not self.is_read and left:
            self._transport.abort()
        elif left:
            self.is_read = False
            self.watch()
