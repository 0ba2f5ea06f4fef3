"""The commands that measure: a part of the query suite sent to any Beacon, and faults."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from rehearsal.errors import InputError
from rehearsal.web.command_line import add_command, positive, positive_integer


def add_bench(bench: argparse.ArgumentParser) -> None:
    """Declare the options of ``rehearsal bench`` and its sub-command ``faults``.

    Args:
        bench: The parser of the command.
    """
    others = bench.add_subparsers(metavar="faults", title="instead of comparing Beacons")
    _add_faults(
        add_command(
            others,
            "faults",
            "Break nodes of a run in several ways, and check that the network copes",
            "Starts small networks of the run's nodes, injects one fault after another, and "
            "prints what became of the queries sent meanwhile.",
        )
    )
    add = bench.add_argument
    add("--target", metavar="URL", help="base URL of the Beacon to measure (required)")
    add(
        "--token-variable",
        metavar="NAME",
        help="environment variable that holds a bearer token for it (default: no token)",
    )
    add(
        "--against",
        metavar="URL|FOLDER",
        help="base URL of a second Beacon to compare with, or the folder of a node, which is "
        "then served (default: none)",
    )
    add(
        "--against-token-variable",
        metavar="NAME",
        help="environment variable that holds a bearer token for the second Beacon "
        "(default: no token)",
    )
    add(
        "--part",
        choices=["frequency", "individuals"],
        help="queries to send: look-ups of allele frequencies, or counts of individuals (required)",
    )
    add(
        "--suite",
        type=Path,
        default=Path("results/queries/suite.json"),
        metavar="FILE",
        help="query suite of a run (default: %(default)s)",
    )
    add(
        "--rounds",
        type=positive_integer,
        default=5,
        metavar="N",
        help="how often each query is sent (default: %(default)s)",
    )
    add(
        "--deadline-s",
        type=positive,
        default=10.0,
        metavar="SECONDS",
        help="longest time to wait for an answer (default: %(default)g s)",
    )
    add(
        "--out",
        type=Path,
        metavar="FILE",
        help="Parquet file to write, one row per request (default: none)",
    )
    bench.set_defaults(run=_bench)


def _add_faults(faults: argparse.ArgumentParser) -> None:
    add = faults.add_argument
    add("folder", type=Path, metavar="RESULTS", help="results folder of a finished run")
    add(
        "--scenarios",
        choices=["short", "full"],
        default="short",
        help="a selection of the scenarios, or all of them (default: %(default)s)",
    )
    add(
        "--fault-s",
        type=positive,
        default=1.5,
        metavar="SECONDS",
        help="how long each fault lasts (default: %(default)g s)",
    )
    add(
        "--per-s",
        type=positive,
        default=8.0,
        metavar="RATE",
        help="queries per second to send meanwhile (default: %(default)g)",
    )
    add(
        "--out",
        type=Path,
        metavar="FILE",
        help="Parquet file to write, one row per scenario (default: none)",
    )
    faults.set_defaults(run=_faults)


def _faults(options: argparse.Namespace) -> None:
    from rehearsal.loadtest.faults.command import run_faults_command

    sys.exit(
        run_faults_command(
            options.folder, options.scenarios, options.fault_s, options.per_s, options.out
        )
    )


def _bench(options: argparse.Namespace) -> None:
    from rehearsal.loadtest.beacon_comparison import BeaconAddress, compare_beacons

    for option in ("target", "part"):
        if getattr(options, option) is None:
            expected = "a value, or the command rehearsal bench faults"
            raise InputError("rehearsal bench", f"--{option}", expected, "nothing")
    against = None
    if options.against is not None:
        against = BeaconAddress("--against", options.against, options.against_token_variable)
    sys.exit(
        compare_beacons(
            BeaconAddress("--target", options.target, options.token_variable),
            options.part,
            options.suite,
            against=against,
            rounds=options.rounds,
            deadline_s=options.deadline_s,
            out=options.out,
        )
    )
