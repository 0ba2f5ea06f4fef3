"""Serve the network in one process."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import socket
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from rehearsal.errors import InputError
from rehearsal.network.app import network_app
from rehearsal.network.client import NetworkClient
from rehearsal.network.metrics import network_metrics
from rehearsal.network.registry import NETWORK, Registry
from rehearsal.network.serve_options import add_serve_options
from rehearsal.network.service import LONGEST_DEADLINE_S, Network, Policy
from rehearsal.web.address import ServiceAddress, service_address
from rehearsal.web.command_line import OneLineParser, prepare_to_serve, run_command
from rehearsal.web.connections import connection_limit
from rehearsal.web.server import listening, run, serve_app

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


def serve(
    sources: Sequence[Path],
    address: ServiceAddress,
    policy: Policy | None = None,
    coordinator_key: Path | None = None,
) -> None:
    """Serve the network until SIGTERM or SIGINT, or until a launcher that started it ends.

    Args:
        sources: Nodes, as for ``rehearsal.network.registry.read_nodes``.
        address: Where to listen, and how callers reach it. The endpoint file is written once every
            node has been probed and the service answers.
        policy: How nodes are asked.
        coordinator_key: File of the private key that signs what nodes get in analyses.

    Raises:
        InputError: The registry, the address or the key cannot be used, a token variable is not
            set, or a node has a token while the address lets other machines send queries.
    """
    signing_key = None
    if coordinator_key is not None:  # a network without one stays small
        from rehearsal.masked_sums.signing_keys import read_signing_key

        signing_key = read_signing_key(coordinator_key)
    registry = Registry(sources, exposed=address.is_exposed)
    client = NetworkClient(registry.nodes, most_connections=connection_limit())
    with listening(address.host, address.port) as listener:
        run(_run(registry, client, policy or Policy(), listener, address, signing_key))


async def _run(
    registry: Registry,
    client: NetworkClient,
    policy: Policy,
    listener: socket.socket,
    address: ServiceAddress,
    signing_key: Ed25519PrivateKey | None,
) -> None:
    async with client:
        network = Network(registry, client, policy)
        await network.start()
        gc.collect()
        gc.freeze()  # present objects stay: garbage collection during a query need not look at them
        keeper = asyncio.ensure_future(network.maintain())
        try:
            app = network_app(network, address.requests_per_s, signing_key)
            address.check_prefix("rehearsal network serve", app.routes())
            reload, metrics = (
                partial(network.refresh, says_again=True),
                partial(network_metrics, network),
            )
            await serve_app(app, listener, address, NETWORK, reload, [metrics])
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
    prepare_to_serve()
    policy = Policy(options.deadline_s, options.collect)
    serve(options.nodes, service_address(options), policy, options.coordinator_key)


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
