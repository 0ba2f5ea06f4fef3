"""How the network is to be served, as options of a command line."""

from __future__ import annotations

import argparse
from pathlib import Path

from rehearsal.web.command_line import add_address_options


def add_serve_options(parser: argparse.ArgumentParser) -> None:
    """The registry, the network's address, and how nodes are asked."""
    parser.add_argument(
        "--nodes",
        type=Path,
        nargs="+",
        required=True,
        metavar="FILE|FOLDER",
        help="YAML with nodes, or a folder of endpoint files; later ones take earlier ones' place",
    )
    add_address_options(parser, "service")
    parser.add_argument("--deadline-s", type=float, default=10.0, help="of a query over all nodes")
    parser.add_argument(
        "--collect",
        choices=["at-once", "sequential"],
        default="at-once",
        help="sequential: nodes one after another with 5 s each, for comparison",
    )
