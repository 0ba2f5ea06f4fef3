"""Serve one node's folder in one process."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Coroutine, Sequence
from contextlib import closing
from functools import partial
from itertools import zip_longest
from pathlib import Path
from typing import Any

from rehearsal.errors import InputError
from rehearsal.genomes.assembly import CONTIG_LENGTHS
from rehearsal.node.access.authorizer import Authorizer
from rehearsal.node.access.settings import SETTINGS_FILE
from rehearsal.node.access.settings_file import SettingsFile
from rehearsal.node.alerts.alert_store import FILE_NAME as ALERTS
from rehearsal.node.alerts.alert_store import AlertStore
from rehearsal.node.alerts.endpoints import SubscriptionEndpoints
from rehearsal.node.alerts.subscription_matcher import SubscriptionMatcher
from rehearsal.node.app import Extension, beacon_app
from rehearsal.node.beacon.liftover import Liftover
from rehearsal.node.beacon.node_data import NodeData
from rehearsal.node.drug_genes import DrugFlags
from rehearsal.node.fair_data_point import FairDataPoint
from rehearsal.node.phenopackets import Phenopackets
from rehearsal.node.runtime_files import make_state_private
from rehearsal.node.scoring.endpoints import ScoreEndpoints
from rehearsal.node.serve_options import add_serve_options
from rehearsal.node.settings.node_settings import TUMOURS, NodeSettings
from rehearsal.node.wes.endpoints import WesEndpoints
from rehearsal.stores.node_reference import (
    gene_bases_of_node,
    reference_bases_of_node,
    reference_of_node,
)
from rehearsal.stores.people_store import PeopleStore
from rehearsal.stores.variant_store import VariantStore
from rehearsal.web.address import ServiceAddress, service_address
from rehearsal.web.command_line import OneLineParser, prepare_to_serve, run_command
from rehearsal.web.network_delay import NO_DELAY, DelayedApp, Line
from rehearsal.web.server import listening, run, serve_app


def open_node(folder: Path | str) -> NodeData:
    """Open a node's settings and stores, and check that they belong together.

    Args:
        folder: The node's folder.

    Returns:
        The node's data.

    Raises:
        InputError: A file is missing or damaged, or the files do not belong together.
    """
    folder = Path(folder)
    settings = NodeSettings.read(folder)
    variants = VariantStore.open(folder / "variants.sqlite")
    people = PeopleStore.open(folder / "people.sqlite")
    unknown = set(variants.contigs) - set(CONTIG_LENGTHS)
    if unknown:
        found = ", ".join(sorted(unknown)[:5])
        expected = "names of GRCh38 like chr17"
        raise InputError(folder / "variants.sqlite", "contigs", expected, found)
    expected = "the people of variants.sqlite, in the same order"
    pairs = zip_longest(people.all_identifiers(), variants.individuals)  # avoids a second list
    for row, (one, other) in enumerate(pairs, start=1):
        if one != other:
            raise InputError(people.path, f"individual {row}", expected, "another person or none")
    tumours = VariantStore.open(folder / TUMOURS) if settings.tumours_dataset else None
    if tumours is not None and tumours.individuals != variants.individuals:
        raise InputError(folder / TUMOURS, "individuals", expected, "other people")
    liftover = Liftover(folder / settings.chain_file if settings.chain_file else None)
    sequences = reference_of_node(folder)
    genes = gene_bases_of_node(folder)
    bases = reference_bases_of_node(folder, sequences)
    return NodeData(settings, variants, people, tumours, sequences, liftover, genes, bases)


def extensions(
    node_data: NodeData,
    monitor: SubscriptionMatcher,
    folder: Path,
    analyses: WesEndpoints,
) -> tuple[Extension, ...]:
    """Build the APIs that a node serves beside Beacon, htsget and matching.

    Args:
        node_data: The node's data.
        monitor: The node's subscriptions.
        folder: The node's folder.
        analyses: The node's algorithms.

    Returns:
        Scores, drug flags, Phenopackets, subscriptions, the FAIR Data Point and WES.

    Raises:
        InputError: A file in the folder is invalid.
    """
    return (
        ScoreEndpoints(node_data, folder),
        DrugFlags(node_data, folder),
        Phenopackets(node_data),
        SubscriptionEndpoints(node_data, monitor),
        FairDataPoint(folder),
        analyses,
    )


def serve(
    folder: Path | str,
    address: ServiceAddress,
    line: Line = NO_DELAY,
) -> None:
    """Serve a node until SIGTERM or SIGINT, or until a launcher that started it ends.

    Args:
        folder: The node's folder.
        address: Where to listen, and how callers reach it.
        line: Network delay to emulate.

    Raises:
        InputError: The folder cannot be served, or the address cannot be used.
    """
    folder = Path(folder)
    node_data = open_node(folder)
    settings = node_data.settings
    for place in {folder, settings.access.state_folder(folder)}:
        make_state_private(place)
    file = SettingsFile(folder / SETTINGS_FILE, settings, partial(NodeSettings.read, folder))
    authorizer = Authorizer.open(settings, node_data.people, folder, file)
    alerts = AlertStore(settings.access.state_folder(folder) / ALERTS)
    monitor = SubscriptionMatcher(node_data, authorizer, alerts, folder)
    analyses = WesEndpoints(node_data, authorizer, folder)
    apis = extensions(node_data, monitor, folder, analyses)
    node = beacon_app(node_data, authorizer, *apis, requests_per_s=address.requests_per_s)
    address.check_prefix("rehearsal node serve", node.routes())
    app = node if line.is_plain else DelayedApp(node, line)
    with (
        closing(authorizer),
        closing(alerts),
        closing(analyses),
        listening(address.host, address.port) as listener,
    ):
        reread = partial(authorizer.look_for_changes, at_once=True)
        country = settings.country_code
        serving = serve_app(app, listener, address, country, reread, metrics=[node.metrics])
        run(_run_beside(serving, monitor.run(), authorizer.watch()))


async def _run_beside(
    serving: Coroutine[Any, Any, None], *background: Coroutine[Any, Any, None]
) -> None:
    """Serve while background tasks run, and stop the tasks at the end."""
    tasks = [asyncio.ensure_future(one) for one in background]
    try:
        await serving
    finally:
        for task in tasks:
            task.cancel()


def serve_by_options(options: argparse.Namespace) -> None:
    """Serve a node by the options of :func:`~rehearsal.node.serve_options.add_serve_options`.

    Args:
        options: The parsed options.

    Raises:
        InputError: The folder cannot be served, or the address cannot be used.
    """
    prepare_to_serve()
    line = Line(options.delay_ms, options.bandwidth_mbps, options.jitter_ms, options.loss)
    serve(options.folder, service_address(options), line)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run ``python -m rehearsal.node.server``, which equals ``rehearsal node serve``.

    Args:
        arguments: Arguments of the command line. None takes those of the process.
    """
    parser = OneLineParser(prog="rehearsal node serve", description=__doc__)
    add_serve_options(parser)
    parser.set_defaults(run=serve_by_options)
    run_command(parser, arguments)


if __name__ == "__main__":
    main()
