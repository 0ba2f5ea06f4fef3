"""The command ``rehearsal``: by hand what the rules do.

Imports stand inside the commands: a node must start quickly and stay small.
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
from rehearsal.web.command_line import OneLineParser, run_command


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command; an InputError ends it with its one line and exit status 2."""
    run_command(_parser(), arguments)


def _parser() -> argparse.ArgumentParser:
    parser = OneLineParser(prog="rehearsal", description=__doc__)
    parser.add_argument("--version", action="version", version=f"rehearsal {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    add_node(commands.add_parser("node", help="one country's node").add_subparsers(required=True))
    network = commands.add_parser("network", help="all nodes behind one Beacon")
    add_network(network.add_subparsers(required=True))
    add_query(commands.add_parser("query", help="ask a network or a node"))
    add_bench(commands.add_parser("bench", help="put a part of the suite to any Beacon v2"))
    add_dataset(commands.add_parser("dataset", help="test data to hand over, with known answers"))
    add_check(commands.add_parser("check", help="does a Beacon answer as a dataset's truth says"))
    issuer = commands.add_parser("issuer", help="an issuer of tokens for rehearsals")
    add_issuer(issuer.add_subparsers(required=True))
    add_token(commands.add_parser("token", help="print a token for somebody invented"))
    audit = commands.add_parser("audit", help="a node's audit log")
    add_audit(audit.add_subparsers(required=True))
    _add_europe(
        commands.add_parser("europe", help="the Europe model").add_subparsers(required=True)
    )
    return parser


def _add_europe(commands: argparse._SubParsersAction) -> None:
    fit = commands.add_parser("fit", help="estimate the model's parameters again")
    fit.add_argument("--countries", type=Path, default=Path("config/countries.tsv"))
    fit.add_argument("--start", type=Path, default=Path("config/demography.yaml"))
    fit.add_argument("--fst", type=Path, required=True, help="TSV with pop1, pop2, fst")
    fit.add_argument("--pca", type=Path, required=True, help="TSV with country, pc1, pc2")
    fit.add_argument("--out", type=Path, required=True, help="the parameters, YAML")
    fit.set_defaults(run=_europe_fit)


def _europe_fit(options: argparse.Namespace) -> None:
    from rehearsal.demography.fit import fit_command

    fit_command(options.countries, options.start, options.fst, options.pca, options.out)
