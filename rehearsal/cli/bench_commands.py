"""The bench by hand: a part of the suite put to any Beacon, faults of a run's nodes."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from rehearsal.errors import InputError
from rehearsal.web.command_line import positive, positive_integer


def add_bench(bench: argparse.ArgumentParser) -> None:
    others = bench.add_subparsers(metavar="faults", help="or: break nodes of a run, and mend them")
    _add_faults(others.add_parser("faults", help="break nodes of a run, and mend them"))
    bench.add_argument("--target", metavar="URL", help="base URL of the Beacon")
    bench.add_argument("--token-variable", help="environment variable with its bearer token")
    bench.add_argument(
        "--against", metavar="URL|FOLDER", help="another Beacon, or a node's folder to serve"
    )
    bench.add_argument("--against-token-variable", help="the same for the other one")
    bench.add_argument(
        "--part",
        choices=["frequency", "individuals"],
        help="allele-frequency look-ups, or counts of individuals",
    )
    bench.add_argument(
        "--suite",
        type=Path,
        default=Path("results/queries/suite.json"),
        metavar="FILE",
        help="queries as a run draws them",
    )
    bench.add_argument(
        "--rounds", type=positive_integer, default=5, help="how often each query is asked"
    )
    bench.add_argument("--deadline-s", type=positive, default=10.0)
    bench.add_argument("--out", type=Path, metavar="FILE", help="Parquet, a row a request")
    bench.set_defaults(run=_bench)


def _add_faults(faults: argparse.ArgumentParser) -> None:
    faults.add_argument("folder", type=Path, metavar="RESULTS", help="of a run that is finished")
    faults.add_argument(
        "--scenarios", choices=["short", "full"], default="short", help="default: short"
    )
    faults.add_argument("--fault-s", type=positive, default=1.5, help="how long each lasts")
    faults.add_argument("--per-s", type=positive, default=8.0, help="queries asked meanwhile")
    faults.add_argument("--out", type=Path, metavar="FILE", help="Parquet, a row a scenario")
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
            expected = "one; or: rehearsal bench faults RESULTS"
            raise InputError("rehearsal bench", f"--{option}", expected)
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
