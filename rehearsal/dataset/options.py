"""The options of ``rehearsal dataset`` and ``rehearsal check``.

Only argparse is imported here: a node starts through the same command line and must start quickly.
"""

from __future__ import annotations

import argparse
import re
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from rehearsal.dataset.presets import COMMAND, FORMATS, PLANTED_AGE, PRESETS
from rehearsal.web.command_line import positive

COUNTRY, VARIANT, FAMILY = "CODE=PEOPLE", "VARIANT[/VARIANT]=PEOPLE", "VARIANT[/VARIANT]=FAMILIES"


def add_dataset(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``rehearsal dataset``.

    Args:
        parser: The parser of the command.
    """
    add = parser.add_argument
    add("out", type=Path, metavar="OUT", help="folder to write, new or empty")
    add(
        "--preset",
        choices=list(PRESETS),
        help="people and regions to start from: tiny (50 people each of ES and FI, 1 Mb), small "
        "(500 each, 5 Mb), chr22 (200 each of five countries, all of chr22) (default: none)",
    )
    add(
        "--country",
        type=_pair(COUNTRY),
        action="append",
        metavar=COUNTRY,
        help="number of people of a country, such as FI=500; may be repeated; replaces the "
        "people of the preset (default: the preset's)",
    )
    add(
        "--region",
        action="append",
        metavar="CONTIG[:START-END]",
        help="region of GRCh38 to simulate, 0-based half-open, in bp; may be repeated "
        "(default: the preset's, or chr22:20000000-21000000)",
    )
    add(
        "--plant",
        type=_pair(VARIANT),
        action="append",
        default=[],
        metavar=VARIANT,
        help="variant and the number of people who carry one copy, such as BRCA1:c.5266dup=4, "
        "chr17-43124027-ACT-A=2 or NC_000017.11:g.43057063G>A=1; with / between two variants, or "
        "twice the same, people who have one on each haplotype; may be repeated (default: none)",
    )
    add(
        "--plant-family",
        type=_pair(FAMILY),
        action="append",
        default=[],
        metavar=FAMILY,
        help="variant and the number of families of four in which parents, one child of two, "
        "carry it; with /, the child has one on each haplotype; may be repeated (default: none)",
    )
    add(
        "--plant-age",
        type=float,
        default=PLANTED_AGE,
        metavar="GENERATIONS",
        help="how long ago the founder lived whose haplotype all carriers of a planted variant "
        "share, in generations (default: %(default)g)",
    )
    add(
        "--trait",
        action="append",
        default=[],
        metavar="NAME",
        help="trait or disease to simulate, such as ldl; may be repeated (default: all)",
    )
    add(
        "--formats",
        default=",".join(FORMATS),
        metavar="FORMAT,...",
        help="export formats, separated by commas (default: %(default)s)",
    )
    add(
        "--vcf-version",
        choices=["4.3", "4.2"],
        default="4.3",
        help="version of VCF that headers of vcf and bcf name; old programs refuse 4.3 "
        "(default: %(default)s)",
    )
    add(
        "--pooled",
        action="store_true",
        help="write one folder with all people (default: one folder per country)",
    )
    add(
        "--recipient",
        type=Path,
        action="append",
        default=[],
        metavar="KEY.pub",
        help="Crypt4GH public key to encrypt a copy of every file for; may be repeated "
        "(default: no encrypted copies)",
    )
    add(
        "--reference",
        type=Path,
        metavar="FASTA",
        help="indexed FASTA that gives the reference bases (default: drawn from the seed)",
    )
    add(
        "--seed",
        type=int,
        default=1,
        metavar="N",
        help="root of every random draw, a whole number (default: %(default)s)",
    )
    add(
        "--dry-run",
        action="store_true",
        help="only check the options, and print the people, sites, bytes, CPU seconds and memory "
        "that are expected (default: make the dataset)",
    )
    parser.set_defaults(run=_dataset)


def add_check(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``rehearsal check``.

    Args:
        parser: The parser of the command.
    """
    add = parser.add_argument
    add("url", metavar="URL", help="base URL of a Beacon v2 that holds the dataset")
    add(
        "--truth",
        type=Path,
        required=True,
        metavar="FOLDER",
        help="folder truth/ of the dataset, with the queries and their right answers",
    )
    add(
        "--people-url",
        metavar="URL",
        help="base URL for queries about people, if the Beacon has an address of its own for them "
        "(default: URL)",
    )
    add(
        "--place",
        metavar="PLACE",
        help="part of the dataset that the Beacon holds, such as FI (default: all of it)",
    )
    add(
        "--dataset",
        metavar="ID",
        help="query only this dataset of the Beacon (default: all that it has)",
    )
    add(
        "--loaded",
        choices=["frequencies", "genotypes", "everything"],
        default="everything",
        help="what was loaded into the Beacon: allele frequencies, or genotypes and sexes, or "
        "these and the diseases (default: %(default)s)",
    )
    add(
        "--token-variable",
        metavar="NAME",
        help="environment variable that holds a bearer token (default: no token)",
    )
    add(
        "--purpose",
        metavar="DUO",
        help="purpose of the queries as a DUO term, such as DUO:0000006 (default: not stated)",
    )
    add(
        "--deadline-s",
        type=positive,
        default=60.0,
        metavar="SECONDS",
        help="how long each query may take (default: %(default)g s)",
    )
    parser.set_defaults(run=_check)


def _pair(form: str) -> Callable[[str], tuple[str, int]]:
    """Make a type for argparse: a text and a number with ``=`` between them."""

    def parse(text: str) -> tuple[str, int]:
        key, _, number = text.rpartition("=")
        if not key or not re.fullmatch(r"-?[0-9]+", number):  # the plan refuses what is below 1
            raise argparse.ArgumentTypeError(f"expected {form}, found {text!r}")
        return key, int(number)

    return parse


def _dataset(options: argparse.Namespace) -> None:
    from rehearsal.compiled_code import has_compiled_code
    from rehearsal.logs import show_notes

    show_notes()
    is_compiled = has_compiled_code()  # asked before numba is imported
    from rehearsal.dataset.plan import DatasetOrder

    preset = PRESETS[options.preset or "tiny"]
    people = preset.people if options.preset else {}
    order = DatasetOrder(
        people=_once("--country", options.country) if options.country else people,
        regions=options.region or preset.regions,
        formats=[name for name in options.formats.split(",") if name],
        plant=_once("--plant", options.plant),
        plant_families=_once("--plant-family", options.plant_family),
        plant_age=options.plant_age,
        traits=options.trait,
        pooled=options.pooled,
        recipients=options.recipient,
        reference=options.reference,
        seed=options.seed,
        vcf_version=options.vcf_version,
    )
    if options.dry_run:
        from rehearsal.dataset.costs import dry_run_command

        dry_run_command(order, options.out)
        return
    from rehearsal.dataset.build import dataset_command
    from rehearsal.logs import EndedBySignal, unwound_by

    try:
        with unwound_by(signal.SIGTERM):  # so that nothing half-written is left
            dataset_command(order, options.out, is_compiled)
    except EndedBySignal as ended:
        print(f"rehearsal dataset: {ended.words}", file=sys.stderr)
        raise


def _once(option: str, pairs: list[tuple[str, int]]) -> dict[str, int]:
    from rehearsal.errors import InputError

    found: dict[str, int] = {}
    for key, number in pairs:
        if key in found:
            expected = "this option once for each name"
            raise InputError(COMMAND, f"{option} {key}", expected, "it twice")
        found[key] = number
    return found


def _check(options: argparse.Namespace) -> None:
    from rehearsal.dataset.check import BeaconTarget, check_command

    target = BeaconTarget(
        options.url,
        options.people_url,
        options.place,
        options.dataset,
        options.loaded,
        options.token_variable,
        options.purpose,
        options.deadline_s,
    )
    sys.exit(check_command(target, options.truth))
