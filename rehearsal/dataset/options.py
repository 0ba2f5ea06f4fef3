"""The options of ``rehearsal dataset`` and ``rehearsal check``.

Only argparse is imported here: the command line must stay quick for a node's sake.
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

COUNTRY, VARIANT = "CODE=PEOPLE", "GENE:NAME=CARRIERS"
FORMATS = ("vcf", "phenopackets")


@dataclass(frozen=True, slots=True)
class Preset:
    """What an order leaves open."""

    people: dict[str, int]
    regions: tuple[str, ...]


PRESETS = {
    "tiny": Preset({"ES": 50, "FI": 50}, ("chr22:20000000-21000000",)),
    "small": Preset({"ES": 500, "FI": 500}, ("chr22:20000000-25000000",)),
    "chr22": Preset(dict.fromkeys(("DE", "ES", "FI", "IT", "PL"), 200), ("chr22",)),
}


def add_dataset(parser: argparse.ArgumentParser) -> None:
    """Declare what ``rehearsal dataset`` takes."""
    parser.add_argument("out", type=Path, metavar="OUT", help="a new folder")
    parser.add_argument("--preset", choices=list(PRESETS), help="people and regions to begin with")
    add = parser.add_argument
    add("--country", type=_pair(COUNTRY), action="append", metavar=COUNTRY, help="e.g. FI=500")
    add(
        "--region",
        action="append",
        metavar="CONTIG[:START-END]",
        help="0-based, half-open; default: chr22:20000000-21000000",
    )
    add(
        "--plant",
        type=_pair(VARIANT),
        action="append",
        default=[],
        metavar=VARIANT,
        help="a variant of config/variants.tsv, e.g. BRCA1:c.5266dup=4",
    )
    add("--trait", action="append", default=[], metavar="NAME", help="e.g. ldl; default: all")
    add(
        "--formats",
        default=",".join(FORMATS),
        help="export formats; default: %(default)s",
    )
    add("--pooled", action="store_true", help="one folder for all, not one a country")
    add("--recipient", type=Path, action="append", default=[], metavar="KEY.pub", help="Crypt4GH")
    add("--reference", type=Path, metavar="FASTA", help="indexed; its bases become the REFs")
    add("--seed", type=int, default=1)
    parser.set_defaults(run=_dataset)


def add_check(parser: argparse.ArgumentParser) -> None:
    """Declare what ``rehearsal check`` takes."""
    parser.add_argument("url", help="of a Beacon v2 that holds the dataset")
    add = parser.add_argument
    add("--truth", type=Path, required=True, metavar="FOLDER", help="truth/ of the dataset")
    add("--place", help="the part of the dataset that it holds, e.g. FI; default: all")
    add("--dataset", metavar="ID", help="ask this dataset of the Beacon only")
    add(
        "--loaded",
        choices=["frequencies", "genotypes", "everything"],
        default="everything",
        help="what it was given: allele frequencies; genotypes and sexes; diseases too (default)",
    )
    add("--token-variable", help="environment variable with a bearer token")
    add("--purpose", help="what for, e.g. DUO:0000006")
    parser.set_defaults(run=_check)


def _pair(form: str) -> Callable[[str], tuple[str, int]]:
    """A type for argparse: text and number, with ``=`` between."""

    def parse(text: str) -> tuple[str, int]:
        key, _, number = text.rpartition("=")
        if not key or not number.isascii() or not number.isdigit():
            raise argparse.ArgumentTypeError(f"expected {form}, found {text}")
        return key, int(number)

    return parse


def _dataset(options: argparse.Namespace) -> None:
    from rehearsal.dataset.build import dataset_command
    from rehearsal.dataset.plan import DatasetOrder

    preset = PRESETS[options.preset or "tiny"]
    people = preset.people if options.preset else {}
    order = DatasetOrder(
        people=_once("--country", options.country) if options.country else people,
        regions=options.region or preset.regions,
        formats=[name for name in options.formats.split(",") if name],
        plant=_once("--plant", options.plant),
        traits=options.trait,
        pooled=options.pooled,
        recipients=options.recipient,
        reference=options.reference,
        seed=options.seed,
    )
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that nothing half-written is left
    dataset_command(order, options.out)


def _once(option: str, pairs: list[tuple[str, int]]) -> dict[str, int]:
    from rehearsal.errors import InputError

    found: dict[str, int] = {}
    for key, number in pairs:
        if key in found:
            raise InputError("rehearsal dataset", f"{option} {key}", "expected once, found twice")
        found[key] = number
    return found


def _check(options: argparse.Namespace) -> None:
    from rehearsal.dataset.check import BeaconTarget, check_command

    target = BeaconTarget(
        options.url,
        options.place,
        options.dataset,
        options.loaded,
        options.token_variable,
        options.purpose,
    )
    sys.exit(check_command(target, options.truth))
