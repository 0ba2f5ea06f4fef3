"""How a node is to be served, as options of a command line."""

from __future__ import annotations

import argparse
from pathlib import Path

from rehearsal.web.command_line import add_address_options, not_negative, positive, share


def add_serve_options(parser: argparse.ArgumentParser) -> None:
    """Add the options for a node's folder, its address and the emulated network.

    Args:
        parser: The parser, which is changed.
    """
    parser.add_argument("folder", type=Path)
    add_address_options(parser, "node")
    parser.add_argument(
        "--delay-ms", type=not_negative, default=0.0, help="round-trip time to apply"
    )
    parser.add_argument("--bandwidth-mbps", type=positive, help="line to apply")
    parser.add_argument(
        "--jitter-ms", type=not_negative, default=0.0, help="how far a round trip may be off"
    )
    parser.add_argument("--loss", type=share, default=0.0, help="share of packets that get lost")
