"""The command ``rehearsal``: what the workflow's rules do, by hand.

Commands import the modules that they need when they run: a node must start quickly and stay small.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from rehearsal import __version__
from rehearsal.cli.bench_commands import add_bench
from rehearsal.cli.query_commands import add_audit, add_query, add_token
from rehearsal.cli.serve_commands import add_issuer, add_network, add_node
from rehearsal.dataset.options import add_check, add_dataset
from rehearsal.files import DEFAULTS
from rehearsal.web.command_line import OneLineParser, add_command, add_commands, run_command

DESCRIPTION = """\
Try a federated genome network on synthetic people: make test data, serve the nodes of countries and
the network over them, send queries, and check the answers. A complete run of the simulation is
started with Snakemake (make run); these commands work on its results, or on your own data.
"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command of ``rehearsal``.

    An InputError ends the process with its one line and exit status 2.

    Args:
        arguments: The arguments; None for those of the process.
    """
    run_command(build_parser(), arguments)


def build_parser() -> argparse.ArgumentParser:
    """Build the parser of the whole command line, with the parsers of all commands."""
    parser = OneLineParser(
        prog="rehearsal", description=DESCRIPTION, epilog="COMMAND --help explains a command."
    )
    parser.add_argument(
        "--version",
        action="version",
        version=f"rehearsal {__version__}",
        help="print the version and exit",
    )
    commands = add_commands(parser)
    node = add_command(commands, "node", "Build, serve and maintain one country's node")
    add_node(add_commands(node))
    network = add_command(
        commands, "network", "Serve a network of nodes, and play analyses over it"
    )
    add_network(add_commands(network))
    add_query(
        add_command(
            commands,
            "query",
            "Send a query to the network or a node and print the answer",
            "The exit status is 0 when there was an answer, else 1.",
        )
    )
    add_bench(
        add_command(
            commands,
            "bench",
            "Measure how fast a Beacon v2 answers, or inject faults into nodes",
            "Sends a part of the query suite to any Beacon v2, and by turns to a second one, and "
            "prints latencies and whether the answers agree.",
        )
    )
    add_dataset(
        add_command(
            commands,
            "dataset",
            "Make a synthetic test dataset with known answers",
            "Simulates people with genomes and phenotypes, and writes them to a folder with the "
            "right answers to queries about them.",
        )
    )
    add_check(
        add_command(
            commands,
            "check",
            "Check the answers of a Beacon that holds a dataset",
            "Sends the dataset's queries and compares each answer with the known right one. The "
            "exit status is 0 when all are right, else 1.",
        )
    )
    issuer = add_command(commands, "issuer", "Make and serve an issuer of tokens for rehearsals")
    add_issuer(add_commands(issuer))
    add_token(
        add_command(
            commands,
            "token",
            "Print a token for an invented person",
            "Nodes that trust the issuer accept it: it is for synthetic data only.",
        )
    )
    add_audit(add_commands(add_command(commands, "audit", "Verify the audit log of a node")))
    europe = add_command(commands, "europe", "Fit the demographic model of Europe")
    _add_europe(add_commands(europe))
    return parser


def _add_europe(commands: argparse._SubParsersAction) -> None:
    fit = add_command(
        commands,
        "fit",
        "Estimate the parameters of the model of Europe",
        "Fits them to F_ST values and to the country centroids of a principal component analysis.",
    )
    fit.add_argument(
        "--countries",
        type=Path,
        default=DEFAULTS / "config" / "countries.tsv",
        metavar="FILE",
        help="table of the countries (default: the packaged config/countries.tsv)",
    )
    fit.add_argument(
        "--start",
        type=Path,
        default=DEFAULTS / "config" / "demography.yaml",
        metavar="FILE",
        help="parameters to start from, YAML (default: the packaged config/demography.yaml)",
    )
    fit.add_argument(
        "--fst",
        type=Path,
        required=True,
        metavar="FILE",
        help="F_ST of pairs of countries: TSV with the columns country1, country2, fst",
    )
    fit.add_argument(
        "--pca",
        type=Path,
        required=True,
        metavar="FILE",
        help="mean principal components of countries: TSV with the columns country, pc1, pc2",
    )
    fit.add_argument(
        "--out", type=Path, required=True, metavar="FILE", help="file to write the parameters to"
    )
    fit.set_defaults(run=_europe_fit)


def _europe_fit(options: argparse.Namespace) -> None:
    from rehearsal.config.tables import read_countries
    from rehearsal.demography.fit import fit_command

    schema = DEFAULTS / "workflow" / "schemas" / "countries.schema.yaml"
    countries = read_countries(options.countries, schema)
    print(fit_command(countries, options.start, options.fst, options.pca, options.out))
