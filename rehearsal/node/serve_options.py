"""The options of ``rehearsal node serve``."""

from __future__ import annotations

import argparse
from pathlib import Path

from rehearsal.web.address import add_address_options
from rehearsal.web.command_line import not_negative, positive, share


def add_serve_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options: the node's folder, its address, and the line to emulate.

    Args:
        parser: The parser of the command.
    """
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="folder of the node")
    add_address_options(parser, "node")
    parser.add_argument(
        "--delay-ms",
        type=not_negative,
        default=0.0,
        metavar="MS",
        help="round-trip time to emulate, in milliseconds (default: %(default)g ms)",
    )
    parser.add_argument(
        "--bandwidth-mbps",
        type=positive,
        metavar="MBPS",
        help="bandwidth to emulate, in Mbit/s (default: unlimited)",
    )
    parser.add_argument(
        "--jitter-ms",
        type=not_negative,
        default=0.0,
        metavar="MS",
        help="largest deviation of a round trip from --delay-ms, either way, in milliseconds "
        "(default: %(default)g ms)",
    )
    parser.add_argument(
        "--loss",
        type=share,
        default=0.0,
        metavar="SHARE",
        help="share of packets to lose in each direction, from 0 to below 1 (default: %(default)g)",
    )
