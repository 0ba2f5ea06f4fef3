"""Serve one application on a socket, in one process, until a signal ends it.

The node, the network and the issuer of tokens are all served by this module.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Sized
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import uvloop
from uvicorn.config import Config
from uvicorn.server import ServerState

from rehearsal.errors import InputError, cause, mismatch
from rehearsal.files import write_json
from rehearsal.process_lifetime import end_with_launcher
from rehearsal.web.address import ServiceAddress
from rehearsal.web.connections import BACKLOG, start_server
from rehearsal.web.forwarded import behind_proxy
from rehearsal.web.metrics import MeteredApp, Source
from rehearsal.web.tls import ServerTls

log = logging.getLogger(__name__)

KEEP_ALIVE_S = 75  # of an idle connection, longer than our own clients keep theirs
LAST_ANSWERS_S = 3.0  # for requests under way at the end; the launcher kills after 5 s


def listening(host: str, port: int) -> socket.socket:
    """Open a socket that listens.

    Args:
        host: Address or name of the interface.
        port: Port number; 0 takes a free one.

    Returns:
        The socket, to be closed by the caller.

    Raises:
        InputError: The address cannot be used.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
        listener.setblocking(False)
    except (OSError, OverflowError) as error:
        listener.close()
        found = f"one that cannot be used ({cause(error)})"
        raise InputError(f"{host}:{port}", "address", "a free address", found) from None
    return listener


class ReplaceableApp:
    """An ASGI application that is another one, which may be replaced while it is served.

    Args:
        app: The first application.
    """

    def __init__(self, app: Any) -> None:
        self.app = app

    def __call__(self, scope: Any, receive: Any, send: Any) -> Awaitable[None]:
        return self.app(scope, receive, send)


def run(serving: Coroutine[Any, Any, None]) -> None:
    """Run a server to its end, on the event loop of uvloop.

    A look-up takes a fifth less CPU time than on the loop of asyncio
    (docs/decisions/node-and-network.md).

    Args:
        serving: The coroutine that serves.
    """
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serving)


async def serve_app(
    app: Any,
    listener: socket.socket,
    address: ServiceAddress,
    country: str,
    on_reload: Callable[[], None] | None = None,
    metrics: Iterable[Source] = (),
) -> None:
    """Serve until SIGTERM or SIGINT, or until a launcher that started this process ends.

    Requests under way at the end have ``LAST_ANSWERS_S`` seconds to finish.

    Args:
        app: The ASGI application.
        listener: A listening socket.
        address: Its address, with the file that receives ``{"country", "url", "pid"}`` as JSON,
            written atomically once the application has answered a request.
        country: Country code of a node, or what else it is: "network".
        on_reload: Reads the settings of the service again, at SIGHUP. If it raises InputError or
            OSError, the settings must be those before.
        metrics: Functions that return metrics of the service, beside those of its requests.

    Raises:
        InputError: The endpoint file cannot be written.
    """
    url = address.url(listener)
    endpoint = {"country": country, "url": url, "pid": os.getpid()}
    # present objects stay, and only closed connections are cycles: collect less often, and less
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 10, 10)
    loop = asyncio.get_running_loop()
    told_to_end = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told_to_end.set)
    loop.add_signal_handler(signal.SIGHUP, partial(_reload, address, on_reload))
    end_with_launcher()
    if address.is_in_the_clear:
        expected = "TLS (--tls-certificate), or a proxy with TLS (--trusted-proxy, --public-url)"
        found = "plain HTTP: tokens would cross the network in the clear"
        log.warning("WARNING: %s", mismatch(url, expected, found))
    announcing = loop.create_task(_announce(listener, endpoint, address))
    announcing.add_done_callback(lambda task: None if _succeeded(task) else told_to_end.set())
    try:
        metered = MeteredApp(behind_proxy(app, address.proxies), metrics)
        async with answering(metered, listener, address.tls) as metered.connections:
            await told_to_end.wait()
        if announcing.done():
            announcing.result()  # raises what it raised
    finally:
        announcing.cancel()
        if address.endpoint_file is not None and _succeeded(announcing):
            address.endpoint_file.unlink(missing_ok=True)


@asynccontextmanager
async def answering(
    app: Any, listener: socket.socket, tls: ServerTls | None = None
) -> AsyncIterator[Sized]:
    """Serve connections of a listening socket for as long as the block runs.

    This leaves out uvicorn's own loop, which checks ten times per second whether to stop: 28 idle
    nodes share a core with those that work. At the end, requests under way have ``LAST_ANSWERS_S``
    seconds to finish.

    Args:
        app: The ASGI application.
        listener: A listening socket.
        tls: TLS of the service. None: plain HTTP.

    Yields:
        The connections that are open.
    """
    config = Config(
        app,
        lifespan="off",
        interface="asgi3",
        ws="none",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_S,
    )
    loop, state = asyncio.get_running_loop(), ServerState()
    server = await start_server(config, state, listener, tls)
    try:
        yield state.connections
    finally:
        server.close()
        for connection in list(state.connections):
            connection.shutdown()
        # a connection is removed once the last byte of its answer has left
        end = loop.time() + LAST_ANSWERS_S
        while (state.connections or state.tasks) and loop.time() < end:
            await asyncio.sleep(0.01)


def _reload(address: ServiceAddress, on_reload: Callable[[], None] | None) -> None:
    """Read certificate and settings again. What cannot be used stays as it was."""
    log.info("SIGHUP: settings are read again")
    readers = (None if address.tls is None else address.tls.reload, on_reload)
    for read in readers:
        try:
            if read is not None:
                read()
        except (InputError, OSError) as error:
            log.error("%s; what was read before stays in force", error)


async def _announce(
    listener: socket.socket, endpoint: dict[str, Any], address: ServiceAddress
) -> None:
    """Wait until the service answers a request, then write where it is."""
    host, port = listener.getsockname()[:2]
    while not await _answers(host, port, is_tls=address.tls is not None):
        await asyncio.sleep(0.02)
    log.info("%s answers at %s", endpoint["country"], endpoint["url"])
    if address.endpoint_file is not None:
        try:
            write_json(address.endpoint_file, endpoint, indented=False)
        except OSError as error:
            expected, found = "a file that can be written", f"an error ({error.strerror})"
            raise InputError(address.endpoint_file, "file", expected, found) from None


def _succeeded(task: asyncio.Task[None]) -> bool:
    return task.done() and not task.cancelled() and task.exception() is None


async def _answers(host: str, port: int, *, is_tls: bool) -> bool:
    context = None
    if is_tls:  # it asks itself, by an address that the certificate does not name
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        reader, writer = await asyncio.open_connection(host, port, ssl=context)
    except OSError:
        return False
    try:
        writer.write(b"GET /service-info HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        return (await reader.readline()).startswith(b"HTTP/1.1 200")
    except OSError:
        return False
    finally:
        writer.close()
