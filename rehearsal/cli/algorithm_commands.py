"""Algorithms that travel: what a node's operator decides about them, and who plays them."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from rehearsal.web.command_line import add_command, refuse_unmakeable_folder

FOLDER_HELP = "folder of the node, which may be running"


def add_digest(commands: argparse._SubParsersAction) -> None:
    """Declare the command that prints a digest.

    Args:
        commands: The sub-commands of the parser.
    """
    digest = add_command(
        commands,
        "digest",
        "Print the digest of an algorithm",
        "A node runs the algorithms whose digests its node.yaml lists. Read the algorithm first.",
    )
    digest.add_argument("folder", type=Path, metavar="FOLDER", help="folder of the algorithm")
    digest.set_defaults(run=_digest)


def add_node_identity(commands: argparse._SubParsersAction) -> None:
    """Declare the command that prints a node's identity key.

    Args:
        commands: The sub-commands of the parser.
    """
    identity = add_command(
        commands,
        "identity",
        "Print the public identity key of a node",
        "Other nodes list it under analyses.partners in node.yaml. The private key is made in the "
        "node's folder if it is not there.",
    )
    identity.add_argument("folder", type=Path, metavar="FOLDER", help="folder of the node")
    identity.set_defaults(run=_node_identity)


def add_network_identity(commands: argparse._SubParsersAction) -> None:
    """Declare the command that prints a coordinator's key.

    Args:
        commands: The sub-commands of the parser.
    """
    identity = add_command(
        commands,
        "identity",
        "Print the public key of a coordinator of analyses",
        "Nodes list it under analyses.coordinators in node.yaml. The private key is made if it is "
        "not there.",
    )
    identity.add_argument(
        "file", type=Path, metavar="FILE", help="file of the private key, for --coordinator-key"
    )
    identity.set_defaults(run=_network_identity)


FETCHED = (
    "The caller gets it by asking for this round or output of the same run again. If the run was "
    "canceled, as rehearsal network analyse does, nobody can get it: a new run is held anew."
)


def add_airlock(commands: argparse._SubParsersAction) -> None:
    """Declare the sub-commands.

    Args:
        commands: The sub-commands of the parser.
    """
    listed = add_command(
        commands,
        "list",
        "List results that wait for a decision, and those that were decided",
        "Each line has its name, algorithm, who asked, the purpose, why it is held, at most how "
        "many bits it tells, how long it waits or waited, and the decision.",
    )
    listed.add_argument("folder", type=Path, metavar="FOLDER", help=FOLDER_HELP)
    listed.set_defaults(run=_list)
    for word, summary in (
        ("release", "Let a result leave the node"),
        ("refuse", "Refuse a result, which ends its run"),
    ):
        decide = add_command(commands, word, summary, "The reason goes into the record.")
        decide.add_argument("folder", type=Path, metavar="FOLDER", help=FOLDER_HELP)
        decide.add_argument("name", metavar="NAME", help="name of the result on the list")
        decide.add_argument(
            "--reason", required=True, metavar="TEXT", help="why, for the record of the node"
        )
        decide.set_defaults(run=_decide, word=word)


def add_analyse(commands: argparse._SubParsersAction) -> None:
    """Declare the command that plays an analysis.

    Args:
        commands: The sub-commands of the parser.
    """
    analyse = add_command(
        commands,
        "analyse",
        "Play an analysis over nodes",
        "The algorithm runs at the nodes, and their sums are joined here, round by round. A node "
        "that is lost is named, and the result is that of the others. The exit status is 0 when "
        "the analysis is complete, even without some nodes: the last line then names them. Else it "
        "is 1.",
    )
    add = analyse.add_argument
    add(
        "request",
        type=Path,
        metavar="REQUEST",
        help="JSON file with the steps, or the algorithm and its parameters",
    )
    add(
        "--nodes",
        type=Path,
        nargs="+",
        required=True,
        metavar="FILE|FOLDER",
        help="registry of the nodes, as for rehearsal network serve",
    )
    add(
        "--out",
        type=Path,
        required=True,
        metavar="FOLDER",
        help="new or empty folder for the tables and analysis.json",
    )
    add(
        "--token-variable",
        metavar="NAME",
        help="environment variable that holds a bearer token (default: no token)",
    )
    add(
        "--purpose",
        metavar="DUO",
        help="purpose as a DUO term, such as DUO:0000006 (default: not stated)",
    )
    add(
        "--coordinator-key",
        type=Path,
        metavar="FILE",
        help="private key that signs what nodes get; rehearsal network identity makes it "
        "(default: none, and nodes play algorithms of one round in clear only)",
    )
    analyse.set_defaults(run=_analyse)


def _analyse(options: argparse.Namespace) -> None:
    from rehearsal.network.analyses.command import AnalyseCommand, run_analysis

    refuse_unmakeable_folder("rehearsal network analyse", "--out", options.out)
    who = (options.token_variable, options.purpose, options.coordinator_key)
    sys.exit(run_analysis(AnalyseCommand(options.request, options.nodes, options.out, *who)))


def _list(options: argparse.Namespace) -> None:
    from rehearsal.node.airlock.desk import list_desk

    for line in list_desk(options.folder):
        print(line)


def _decide(options: argparse.Namespace) -> None:
    from rehearsal.node.airlock.desk import desk_of

    waited_s = desk_of(options.folder).decide(options.name, options.word, options.reason)
    print(f"{options.name}: {options.word}, after {waited_s:.0f} s")
    if options.word == "release":
        print(FETCHED)


def _digest(options: argparse.Namespace) -> None:
    from rehearsal.node.wes.algorithms import read_algorithm

    print(read_algorithm(options.folder).digest)


def _node_identity(options: argparse.Namespace) -> None:
    from rehearsal.masked_sums.signing_keys import make_signing_key, public_text
    from rehearsal.node.settings.analysis_keys import IDENTITY_FILE
    from rehearsal.node.settings.node_settings import NodeSettings

    NodeSettings.read(options.folder)  # no key is made in another folder
    print(public_text(make_signing_key(options.folder / IDENTITY_FILE)))


def _network_identity(options: argparse.Namespace) -> None:
    from rehearsal.masked_sums.signing_keys import make_signing_key, public_text

    print(public_text(make_signing_key(options.file)))
