"""One process that serves one application: on a socket, until it is told to end.

The node, the network and the issuer of tokens are all served so.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, NoReturn

import orjson
import uvloop
from granian._granian import SocketHolder
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.embed import Server

from rehearsal.files import written_aside
from rehearsal.model import InputError

log = logging.getLogger(__name__)

BACKLOG = 1024
EVERY_ADDRESS = ("0.0.0.0", "::")
MAX_CONCURRENT = 8192  # requests; far ones wait a round trip, slow ones up to their time limit
HEADER_TIMEOUT_MS = 10_000
PARENT_CHECK_S = 1.0
PR_SET_PDEATHSIG = 1  # linux/prctl.h
PARENT_DIED = signal.SIGUSR2


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


class _OnSocket(Server):
    """Granian's embedded server on a socket that is already listening.

    Granian binds by itself and does not tell which port it got for 0.
    """

    def __init__(self, app: Any, listener: socket.socket) -> None:
        super().__init__(
            app,
            interface=Interfaces.ASGINL,
            http=HTTPModes.http1,
            websockets=False,
            backpressure=MAX_CONCURRENT,
            log_enabled=False,
            http1_settings=HTTP1Settings(header_read_timeout=HEADER_TIMEOUT_MS),
        )
        self._listener = listener

    def _init_shared_socket(self) -> None:
        # the holder closes the descriptor: it must be the only one to do so
        self._ssp, self._shd = None, SocketHolder(self._listener.detach(), False, BACKLOG)


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
    end_with_parent: bool,
) -> None:
    address = listener.getsockname()[:2]
    server = _OnSocket(app, listener)
    # what is here now stays, and what requests make has no cycles: look less often, and at less
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, server.stop)
    tasks = [loop.create_task(_announce(address, endpoint, endpoint_file))]
    if end_with_parent:
        tasks.append(loop.create_task(_end_with_parent(server.stop)))
    try:
        await server.serve()
    finally:
        for task in tasks:
            task.cancel()
        if endpoint_file is not None:
            endpoint_file.unlink(missing_ok=True)


async def _announce(
    address: tuple[str, int], endpoint: dict[str, Any], endpoint_file: Path | None
) -> None:
    """Tell where the node is, once it has answered a request."""
    while not await _answers(*address):
        await asyncio.sleep(0.02)
    log.info("%s answers at %s", endpoint["country"], endpoint["url"])
    if endpoint_file is not None:
        with written_aside(endpoint_file) as aside:
            aside.write_bytes(orjson.dumps(endpoint))


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


async def _end_with_parent(stop: Callable[[], None]) -> None:
    """Stop when the process that started us is gone.

    Linux sends a signal at once, but also when only the parent's thread has ended, so the signal
    is a reason to look; looking every second is for systems without it.
    """
    parent = os.getppid()
    looking = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(PARENT_DIED, looking.set)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, PARENT_DIED)
    while os.getppid() == parent:
        looking.clear()
        try:
            await asyncio.wait_for(looking.wait(), PARENT_CHECK_S)
        except TimeoutError:
            continue
    stop()


def leave() -> NoReturn:
    """End this process, which served something and has nothing more to do.

    Granian's threads outlive its server by a moment. One that wants the interpreter while that is
    being taken down aborts the process (a node in eight or so): so it is not taken down.
    """
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
