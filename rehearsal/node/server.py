"""One process that serves one node's folder."""

from __future__ import annotations

import argparse
import asyncio
import ctypes
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
from granian._granian import SocketHolder
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.embed import Server
from starlette.applications import Starlette

from rehearsal.files import written_aside
from rehearsal.genomes.assembly import CONTIG_LENGTHS
from rehearsal.model import InputError
from rehearsal.node.app import beacon_app
from rehearsal.node.beacon.holdings import Holdings
from rehearsal.node.distance import Distant
from rehearsal.node.gate import Gate
from rehearsal.node.people import PeopleStore
from rehearsal.node.settings import NodeSettings
from rehearsal.node.variant_store import VariantStore

log = logging.getLogger(__name__)

BACKLOG = 1024
MAX_CONCURRENT = 8192  # requests; far ones wait a round trip, slow ones up to their time limit
HEADER_TIMEOUT_MS = 10_000
PARENT_CHECK_S = 1.0
EXIT_BAD_INPUT = 2
PR_SET_PDEATHSIG = 1  # linux/prctl.h
PARENT_DIED = signal.SIGUSR2


def open_node(folder: Path | str) -> Holdings:
    """A node's settings and stores, opened and checked against each other.

    Raises InputError for what is missing, damaged, or does not belong together.
    """
    folder = Path(folder)
    settings = NodeSettings.read(folder)
    variants = VariantStore.open(folder / "variants.sqlite")
    people = PeopleStore.open(folder / "people.sqlite")
    unknown = set(variants.contigs) - set(CONTIG_LENGTHS)
    if unknown:
        expected = f"names of GRCh38 like chr17, not {', '.join(sorted(unknown)[:5])}"
        raise InputError(folder / "variants.sqlite", "contigs", expected)
    if list(people.all_identifiers()) != variants.individuals:
        raise InputError(people.path, "individuals", "the same people as variants.sqlite, in order")
    return Holdings(settings, variants, people)


def _app(
    holdings: Holdings, folder: Path | str, delay_s: float, bandwidth_mbps: float | None
) -> Starlette | Distant:
    app = beacon_app(holdings, Gate.open(holdings, Path(folder)))
    return Distant(app, delay_s, bandwidth_mbps) if delay_s or bandwidth_mbps else app


def serve(
    folder: Path | str,
    host: str = "127.0.0.1",
    port: int = 0,
    endpoint_file: Path | None = None,
    delay_ms: float = 0.0,
    bandwidth_mbps: float | None = None,
    end_with_parent: bool = True,
) -> None:
    """Serve a node until SIGTERM or SIGINT, or until the parent process is gone.

    ``port`` 0 takes a free one. ``endpoint_file`` receives ``{"country", "url", "pid"}`` as JSON,
    whole or not at all, once the node has answered a request; it is removed at the end.
    Raises InputError when the folder cannot be served or the address cannot be used.
    """
    holdings = open_node(folder)
    app = _app(holdings, folder, delay_ms / 1000, bandwidth_mbps)
    with _listening(host, port) as listener:
        url = _url(listener)
        endpoint = {"country": holdings.settings.country_code, "url": url, "pid": os.getpid()}
        asyncio.run(_serve(app, listener, endpoint, endpoint_file, end_with_parent))


def _listening(host: str, port: int) -> socket.socket:
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


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
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


async def _serve(
    app: Any,
    listener: socket.socket,
    endpoint: dict[str, Any],
    endpoint_file: Path | None,
    end_with_parent: bool,
) -> None:
    address = listener.getsockname()[:2]
    server = _OnSocket(app, listener)
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


def main(arguments: list[str] | None = None) -> int:
    """``python -m rehearsal.node.server FOLDER``. Returns the exit code: 2 for unusable input."""
    parser = argparse.ArgumentParser(description="Serve one node's folder as a Beacon.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--endpoint-file", type=Path)
    parser.add_argument("--delay-ms", type=float, default=0.0)
    parser.add_argument("--bandwidth-mbps", type=float)
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    try:
        serve(**vars(options))
    except InputError as error:
        print(error, file=sys.stderr)
        return EXIT_BAD_INPUT
    return 0


if __name__ == "__main__":
    sys.exit(main())
