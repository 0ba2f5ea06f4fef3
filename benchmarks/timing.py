"""Test whether the time of a public answer tells alleles that nobody carries from carried ones.

Serves a node of 100 people beside another country, from whose people its public facts come. Asks as
anonymous users, in random order, pairs of questions of one form: about an allele that nobody
carries, and about one that one person carries. Half of the alleles are absent in the other country
(public facts answer), half are carried by a third of its people (the first questions are paid, the
others refused). Then the same again at a node whose budget pays for every answer. The statistic is
the area under the curve of recognising the carried allele by a longer time, 0.5 without
information, with its standard error. Ends with status 1 if any exceeds 0.55.

    python benchmarks/timing.py
"""

from __future__ import annotations

import argparse
import math
import random
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from access import ask, post
from measuring import footer, header, served_node
from scipy.stats import mannwhitneyu

from rehearsal.genomes.assembly import REFSEQ
from rehearsal.node.access.settings import AccessSettings
from rehearsal.node.privacy.protection import PUBLIC, REGISTERED, Protection
from rehearsal.node.privacy.public_facts_writer import write_public_facts
from rehearsal.node.settings.node_settings import NodeSettings
from rehearsal.node.vcf_import import build_from_vcf
from rehearsal.phenotypes.consent import ConsentShares, Record
from rehearsal.stores.people_store_writer import build_people

PEOPLE, START, STEP = 100, 20_000_000, 200
ELSEWHERE = {"absent elsewhere": 0, "common elsewhere": PEOPLE // 3}  # carriers
PROTECTIONS = {
    "the default budget": PUBLIC,
    "a budget that pays for every answer": replace(PUBLIC, budget=math.inf),
}
ANY_USE = "DUO:0000004"
MOST = 0.55  # area under the curve that is promised

Places = dict[tuple[str, int], list[int]]  # 0-based positions by kind and number of carriers


def make_folders(root: Path, protection: Protection, places: Places, seed: int) -> Path:
    """Make the folders of two countries.

    Args:
        root: The folder to write to.
        protection: Protection of the public tier.
        places: 0-based positions on chr22, by kind and number of carriers.
        seed: Seed of the carriers.

    Returns:
        The folder of the node to ask.
    """
    here = {place: carriers for (_, carriers), some in places.items() for place in some}
    elsewhere = {place: ELSEWHERE[kind] for (kind, _), some in places.items() for place in some}
    folders = {"FI": root / "FI", "SE": root / "SE"}
    for (code, folder), carriers in zip(folders.items(), (here, elsewhere), strict=True):
        folder.mkdir(parents=True)
        names = [f"{code}-{i + 1:06d}" for i in range(PEOPLE)]
        sexes = ["female", "male"] * (PEOPLE // 2)
        people = pd.DataFrame({"id": names, "sex": sexes, "birth_year": 1970})
        people = people.assign(family=None, father=None, mother=None)
        consent = pd.DataFrame(
            {"individual": names, "basis": "consent", "uses": ANY_USE, "withdrawn": False}
        )
        build_people(people, {"consent": consent}, folder / "people.sqlite")
        write_vcf(folder / "all.vcf", names, carriers, np.random.default_rng(seed))
        build_from_vcf([folder / "all.vcf"], people, folder / "variants.sqlite")
    access = AccessSettings(protection={"public": protection, "registered": REGISTERED})
    NodeSettings.for_country("FI", "Finland", access=access).write(folders["FI"])
    everybody = Record("everybody", 1.0, "consent", (ANY_USE,))
    write_public_facts(folders, ConsentShares((everybody,), 0.0))
    return folders["FI"]


def write_vcf(path: Path, names: list[str], carriers: dict[int, int], rng: Any) -> None:
    """Write genotypes with A>G at each position.

    Args:
        path: The file.
        names: The people.
        carriers: Number of carriers by 0-based position.
        rng: Source of the carriers.
    """
    columns = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *names]
    lines = [
        "##fileformat=VCFv4.3",
        "##contig=<ID=chr22,length=50818468>",
        '##FORMAT=<ID=GT,Number=1,Type=String,Description="">',
        "\t".join(columns),
    ]
    for place, number in sorted(carriers.items()):
        if number:
            calls = np.full(len(names), "0/0")
            calls[rng.choice(len(names), number, replace=False)] = "0/1"
            fixed = ["chr22", str(place + 1), ".", "A", "G", ".", ".", ".", "GT"]
            lines.append("\t".join([*fixed, *calls]))
    path.write_text("\n".join(lines) + "\n")


def forms(place: int) -> Iterator[tuple[str, bytes]]:
    """Yield the forms of a question about an allele, each with its request.

    Args:
        place: 0-based position on chr22.
    """
    contig = {"assemblyId": "GRCh38", "referenceName": "22"}
    allele = {**contig, "start": [place], "referenceBases": "A", "alternateBases": "G"}
    described = {"genomicAlleleShortForm": f"{REFSEQ['chr22']}:g.{place + 1}A>G"}
    narrow = {**contig, "start": [place], "end": [place + 1]}
    wide = {**contig, "start": [place - 50], "end": [place + 50]}
    for name, path, parameters in (
        ("allele, variants", "/g_variants", allele),
        ("allele, carriers", "/individuals", allele),
        ("HGVS, variants", "/g_variants", described),
        ("range of 1 base, variants", "/g_variants", narrow),
        ("range of 100 bases, carriers", "/individuals", wide),
    ):
        query = {"requestedGranularity": "count", "requestParameters": parameters}
        head, _, body = post(path, query, None).partition(b"\r\n\r\n")
        yield name, head + b"\r\nX-Rehearsal-Purpose: DUO:0000042\r\n\r\n" + body


def ask_all(connection: socket.socket, places: Places, chance: random.Random) -> pd.DataFrame:
    """Ask every question once in random order.

    Args:
        connection: A connection to the node.
        places: 0-based positions by kind and number of carriers.
        chance: Source of the order.

    Returns:
        One row per question: form, kind, carriers, seconds.
    """
    asked = [
        (name, kind, carriers, request)
        for (kind, carriers), some in places.items()
        for place in some
        for name, request in forms(place)
    ]
    chance.shuffle(asked)
    rows = []
    for name, kind, carriers, request in asked:
        started = time.perf_counter()
        ask(connection, request, (200, 403))
        rows.append((name, kind, carriers, time.perf_counter() - started))
    return pd.DataFrame(rows, columns=["form", "kind", "carriers", "seconds"])


def print_areas(times: pd.DataFrame) -> float:
    """Print how well times separate the two, for each form and kind.

    Args:
        times: A table of :func:`ask_all`.

    Returns:
        The largest area under the curve, or 1 minus the smallest.
    """
    worst = 0.5
    for (form, kind), group in times.groupby(["form", "kind"]):
        absent, carried = (group.loc[group["carriers"] == n, "seconds"] for n in (0, 1))
        n, m = len(carried), len(absent)
        area = mannwhitneyu(carried, absent).statistic / (n * m)
        error = ((n + m + 1) / (12 * n * m)) ** 0.5
        median = [1e6 * statistics.median(one) for one in (absent, carried)]
        print(
            f"  {form:30} {kind:18} {median[0]:6.0f} and {median[1]:6.0f} us   "
            f"AUC {area:.3f} (SE {error:.3f}, {n} pairs)",
            flush=True,
        )
        worst = max(worst, area, 1 - area)
    return worst


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=10_000, help="pairs of each form and kind")
    parser.add_argument("--seed", type=int, default=1, help="seed of alleles and order")
    options = parser.parse_args()
    print(header())
    chance = random.Random(options.seed)
    kinds = [(kind, carriers) for kind in ELSEWHERE for carriers in (0, 1)]
    everywhere = list(range(START, START + STEP * options.pairs * len(kinds), STEP))
    if everywhere[-1] > 50_000_000:
        everywhere = list(range(START, 50_000_000, (50_000_000 - START) // len(everywhere)))
    chance.shuffle(everywhere)
    places = {kind: everywhere[i :: len(kinds)][: options.pairs] for i, kind in enumerate(kinds)}
    worst = 0.5
    for name, protection in PROTECTIONS.items():
        print(name)
        with tempfile.TemporaryDirectory() as scratch:
            folder = make_folders(Path(scratch), protection, places, options.seed)
            with served_node(folder) as node, socket.create_connection(node.address) as connection:
                worst = max(worst, print_areas(ask_all(connection, places, chance)))
    print(f"furthest from 0.5: {worst:.3f}, promised: at most {MOST}")
    print(footer())
    sys.exit(worst > MOST)


if __name__ == "__main__":
    main()
