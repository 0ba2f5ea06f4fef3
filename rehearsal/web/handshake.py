"""TLS of connections that count among all others while their callers shake hands.

A server that is given a certificate by ``create_server`` learns of a connection only after the
handshake. Callers who never begin one could then take every file that the process may open.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from rehearsal.web.rate_limit import network_of

PAUSE_S = 0.05  # when the system has no file for another connection


class Counted(Protocol):
    """A connection that counts among those of a server."""

    origin: str
    counted: bool

    def drop(self) -> None:
        """Close the connection at once: another one needs its place."""

    def refuse(self) -> None:
        """Close a new connection, as no other one waits for its caller."""


class OpenConnections(Protocol):
    """The open connections of a server."""

    def add(self, one: Counted) -> None:
        """Count a new connection, and close one that waits if there are too many.

        Args:
            one: The connection.
        """

    def remove(self, one: Counted) -> None:
        """Stop counting a connection.

        Args:
            one: The connection.
        """


class TlsServer:
    """Accepts connections and encrypts them, until it is closed.

    Args:
        listener: A listening socket.
        context: Certificate and key.
        connections: All connections of the server.
        make: Makes the protocol of an encrypted connection.
        timeout_s: Time for a handshake, in seconds.
    """

    def __init__(
        self,
        listener: socket.socket,
        context: ssl.SSLContext,
        connections: OpenConnections,
        make: Callable[[], asyncio.Protocol],
        timeout_s: float,
    ) -> None:
        self._listener, self._context, self._connections = listener, context, connections
        self._make, self._timeout_s = make, timeout_s
        self._loop = asyncio.get_running_loop()
        self._handshakes: set[asyncio.Task[None]] = set()
        self._accepting = self._loop.create_task(self._accept())

    def close(self) -> None:
        """Accept nothing more, and end the handshakes that are under way."""
        for task in (self._accepting, *self._handshakes):
            task.cancel()

    async def _accept(self) -> None:
        while True:
            try:
                accepted, peer = await self._loop.sock_accept(self._listener)
            except OSError:  # the caller has gone, or no file is left
                await asyncio.sleep(PAUSE_S)
                continue
            handshake = _Handshake(self._connections, network_of(peer[0]))
            task = self._loop.create_task(self._encrypt(accepted, handshake))
            self._handshakes.add(task)
            task.add_done_callback(self._handshakes.discard)
            handshake.begin(task)

    async def _encrypt(self, accepted: socket.socket, handshake: _Handshake) -> None:
        try:
            # no handshake, or none in time; a handshake that is dropped is cancelled
            with suppress(OSError):
                await self._loop.connect_accepted_socket(
                    self._make, accepted, ssl=self._context, ssl_handshake_timeout=self._timeout_s
                )
        finally:
            handshake.end()


class _Handshake:
    """A connection that counts until its handshake is over.

    Args:
        connections: All connections of the server.
        origin: Of the caller's address, as requests are counted.
    """

    def __init__(self, connections: OpenConnections, origin: str) -> None:
        self._all, self.origin, self.counted = connections, origin, False

    def begin(self, task: asyncio.Task[None]) -> None:
        """Count the connection, whose handshake is a task."""
        self._task, self.counted = task, True
        self._all.add(self)

    def end(self) -> None:
        """Stop counting it."""
        if self.counted:
            self.counted = False
            self._all.remove(self)

    def drop(self) -> None:
        """Close the connection at once: another one needs its place."""
        self.end()
        self._task.cancel()

    refuse = drop  # no answer can be read before the handshake
