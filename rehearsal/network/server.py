"""One process that serves the network."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import socket
from collections.abc import Sequence
from pathlib import Path

from rehearsal.network.app import network_app
from rehearsal.network.client import NetworkClient
from rehearsal.network.launcher import NETWORK
from rehearsal.network.registry import Registry
from rehearsal.network.service import Network, Policy
from rehearsal.node.access.settings import LOOPBACK
from rehearsal.web.server import listening, run, serve_app, url_of


def serve(
    sources: Sequence[Path],
    host: str = "127.0.0.1",
    port: int = 0,
    endpoint_file: Path | None = None,
    policy: Policy | None = None,
    end_with_parent: bool = True,
) -> None:
    """Serve the nodes that ``sources`` name until SIGTERM or SIGINT, or until the parent is gone.

    ``sources``: as ``rehearsal.network.registry.read_nodes`` takes them. ``port`` 0 takes a free
    one. ``endpoint_file`` receives ``{"country": "network", "url", "pid"}`` once every node has
    been probed and the service answers; it is removed at the end. Raises InputError for an
    unusable registry, a token variable that is not set, one at all when ``host`` lets other
    machines ask, or an address that cannot be used.
    """
    registry = Registry(sources, exposed=host not in LOOPBACK)
    client = NetworkClient(registry.nodes)
    with listening(host, port) as listener:
        run(_run(registry, client, policy or Policy(), listener, endpoint_file, end_with_parent))


async def _run(
    registry: Registry,
    client: NetworkClient,
    policy: Policy,
    listener: socket.socket,
    endpoint_file: Path | None,
    end_with_parent: bool,
) -> None:
    endpoint = {"country": NETWORK, "url": url_of(listener), "pid": os.getpid()}
    async with client:
        network = Network(registry, client, policy)
        await network.start()
        gc.collect()
        gc.freeze()  # what is here now stays: a collection in mid-query need not look at it
        keeper = asyncio.ensure_future(network.keep())
        try:
            app = network_app(network)
            await serve_app(app, listener, endpoint, endpoint_file, end_with_parent)
        finally:
            keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await keeper
            await network.close()
