"""Serve the network in one process."""

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
    """Serve the network until SIGTERM, SIGINT or the end of the parent process.

    Args:
        sources: Nodes, as for ``rehearsal.network.registry.read_nodes``.
        host: Address to listen on.
        port: Port; 0 takes a free one.
        endpoint_file: File that receives ``{"country": "network", "url", "pid"}`` once every node
            has been probed and the service answers. It is removed at the end.
        policy: How nodes are asked.

    Raises:
        InputError: The registry or the address cannot be used, a token variable is not set, or a
            node has a token while ``host`` lets other machines send queries.
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
        gc.freeze()  # present objects stay: garbage collection during a query need not look at them
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
    """Serve the network with the options of ``add_serve_options``.

    Args:
        options: The parsed options.

    Raises:
        InputError: As in :func:`serve`, or the deadline is out of bounds.
    """
    if not 0 < options.deadline_s <= LONGEST_DEADLINE_S:
        expected = f"seconds above 0 and at most {LONGEST_DEADLINE_S:g}"
        found = f"{options.deadline_s:g}"
        raise InputError("rehearsal network serve", "--deadline-s", expected, found)
    log_to_stderr()
    serve(
        options.nodes,
        host=options.host,
        port=options.port,
        endpoint_file=options.endpoint_file,
        policy=Policy(options.deadline_s, options.collect),
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Run ``python -m rehearsal.network.server``, which is ``rehearsal network serve``.

    Args:
        arguments: The command line; that of this process by default.
    """
    parser = OneLineParser(prog="rehearsal network serve", description=__doc__)
    add_serve_options(parser)
    parser.set_defaults(run=serve_by_options)
    run_command(parser, arguments)


if __name__ == "__main__":
    main()
