"""One process that serves the network."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import os
import socket
from collections.abc import Sequence
from pathlib import Path

from rehearsal.errors import InputError
from rehearsal.network.app import network_app
from rehearsal.network.client import NetworkClient
from rehearsal.network.registry import NETWORK, Registry
from rehearsal.network.serve_options import add_serve_options
from rehearsal.network.service import LONGEST_DEADLINE_S, Network, Policy
from rehearsal.node.access.settings import LOOPBACK
from rehearsal.web.command_line import OneLineParser, log_to_stderr, run_command
from rehearsal.web.server import listening, run, serve_app, url_of


def serve(
    sources: Sequence[Path],
    host: str = "127.0.0.1",
    port: int = 0,
    endpoint_file: Path | None = None,
    policy: Policy | None = None,
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
        run(_run(registry, client, policy or Policy(), listener, endpoint_file))


async def _run(
    registry: Registry,
    client: NetworkClient,
    policy: Policy,
    listener: socket.socket,
    endpoint_file: Path | None,
) -> None:
    endpoint = {"country": NETWORK, "url": url_of(listener), "pid": os.getpid()}
    async with client:
        network = Network(registry, client, policy)
        await network.start()
        gc.collect()
        gc.freeze()  # what is here now stays: a collection in mid-query need not look at it
        keeper = asyncio.ensure_future(network.maintain())
        try:
            app = network_app(network)
            await serve_app(app, listener, endpoint, endpoint_file)
        finally:
            keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await keeper
            await network.close()


def serve_by_options(options: argparse.Namespace) -> None:
    """Serve the network as ``add_serve_options`` was answered. Raises InputError as ``serve``, and
    for a deadline out of bounds."""
    if not 0 < options.deadline_s <= LONGEST_DEADLINE_S:
        limits = f"more than 0 and at most {LONGEST_DEADLINE_S:g} seconds"
        raise InputError("rehearsal network serve", "--deadline-s", limits)
    log_to_stderr()
    serve(
        options.nodes,
        host=options.host,
        port=options.port,
        endpoint_file=options.endpoint_file,
        policy=Policy(options.deadline_s, options.collect),
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """``python -m rehearsal.network.server``: what ``rehearsal network serve`` does."""
    parser = OneLineParser(prog="rehearsal network serve", description=__doc__)
    add_serve_options(parser)
    parser.set_defaults(run=serve_by_options)
    run_command(parser, arguments)


if __name__ == "__main__":
    main()
