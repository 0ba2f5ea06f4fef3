"""The options of ``rehearsal network serve``."""

from __future__ import annotations

import argparse
from pathlib import Path

from rehearsal.web.address import add_address_options
from rehearsal.web.command_line import positive


def add_serve_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options: the registry, the network's address, and how nodes are queried.

    Args:
        parser: The parser of the command.
    """
    parser.add_argument(
        "--nodes",
        type=Path,
        nargs="+",
        required=True,
        metavar="FILE|FOLDER",
        help="registry of the nodes: a YAML file, or a folder of endpoint files; a later one "
        "replaces the nodes of an earlier one",
    )
    add_address_options(parser, "service")
    parser.add_argument(
        "--deadline-s",
        type=positive,
        default=10.0,
        metavar="SECONDS",
        help="deadline of a query over all nodes (default: %(default)g s)",
    )
    parser.add_argument(
        "--collect",
        choices=["at-once", "sequential"],
        default="at-once",
        help="how answers are collected: from all nodes at once, or, for comparison, from one node "
        "after another with up to 5 s each (default: %(default)s)",
    )
    parser.add_argument(
        "--coordinator-key",
        type=Path,
        metavar="FILE",
        help="private key that signs what nodes get in analyses; rehearsal network identity makes "
        "it (default: none, and nodes play algorithms of one round in clear only)",
    )
