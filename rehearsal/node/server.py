"""One process that serves one node's folder."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

from rehearsal.genomes.assembly import CONTIG_LENGTHS
from rehearsal.model import InputError
from rehearsal.node.app import beacon_app
from rehearsal.node.beacon.holdings import Holdings
from rehearsal.node.distance import NEAR, Distant, Line
from rehearsal.node.gate import Gate
from rehearsal.node.people import PeopleStore
from rehearsal.node.process import listening, serve_app, url_of
from rehearsal.node.settings import NodeSettings
from rehearsal.node.variant_store import VariantStore


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


def _app(holdings: Holdings, folder: Path | str, line: Line) -> Any:
    app = beacon_app(holdings, Gate.open(holdings, Path(folder)))
    return app if line.is_plain else Distant(app, line)


def serve(
    folder: Path | str,
    host: str = "127.0.0.1",
    port: int = 0,
    endpoint_file: Path | None = None,
    line: Line = NEAR,
    end_with_parent: bool = True,
) -> None:
    """Serve a node until SIGTERM or SIGINT, or until the parent process is gone.

    ``port`` 0 takes a free one. ``endpoint_file`` receives ``{"country", "url", "pid"}`` as JSON,
    whole or not at all, once the node has answered a request; it is removed at the end.
    Raises InputError when the folder cannot be served or the address cannot be used.
    """
    holdings = open_node(folder)
    app = _app(holdings, folder, line)
    with listening(host, port) as listener:
        url = url_of(listener)
        endpoint = {"country": holdings.settings.country_code, "url": url, "pid": os.getpid()}
        asyncio.run(serve_app(app, listener, endpoint, endpoint_file, end_with_parent))
