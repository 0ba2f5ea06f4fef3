"""Test whether the time of a public "no" separates absent alleles from those of few carriers.

Serves a node of 100 people with its public shares. Asks as an anonymous user, in random order, for
alleles without a carrier, with one, or with five: all are denied. Half of them are rare elsewhere
(free), half are expensive. The statistic is the area under the curve of recognising an allele with
carriers by a longer time (0.5 means no information), with its standard error. From it follows the
number of questions that a test with 5 % errors in either direction needs if times are independent
and normal.

    python benchmarks/timing.py
"""

from __future__ import annotations

import argparse
import json
import random
import socket
import statistics
import tempfile
import time
from pathlib import Path
from statistics import NormalDist

import numpy as np
import pandas as pd
from access import ask, post
from measuring import footer, header, served_node
from rehearsal.node.privacy.public_frequencies import PUBLIC_FREQUENCIES_FILE, PublicFrequencies
from rehearsal.node.privacy.question_keys import question_key
from scipy.stats import mannwhitneyu

from rehearsal.model import Variant
from rehearsal.network.issuer import TRUSTED, make_issuer, rehearsal_access
from rehearsal.node.settings.node_settings import NodeSettings
from rehearsal.node.vcf_import import build_from_vcf
from rehearsal.stores.people_store_writer import build_people

PEOPLE, START = 100, 20_000_000
CARRIERS = {"none": 0, "one": 1, "five": 5}
SHARES = {"free": 0.0001, "dear": 0.02}


def make_node(folder: Path, alleles: dict[tuple[str, str], list[int]], seed: int) -> None:
    """Make the node's folder.

    Args:
        folder: The new folder.
        alleles: 0-based positions on chr22 by number of carriers and price. All have a share
            elsewhere.
        seed: Seed of the carriers.
    """
    folder.mkdir()
    rng = np.random.default_rng(seed)
    names = [f"FI-{i + 1:06d}" for i in range(PEOPLE)]
    people = pd.DataFrame({"id": names, "sex": "female", "birth_year": 1970})
    people = people.assign(family=None, father=None, mother=None)
    consent = pd.DataFrame(
        {"individual": names, "basis": "consent", "uses": "DUO:0000042", "withdrawn": False}
    )
    build_people(people, {"consent": consent}, folder / "people.sqlite")
    rows, keys, shares = [], [], []
    for (carriers, kind), places in alleles.items():
        for place in places:
            keys.append(PublicFrequencies.key(question_key(str(Variant("chr22", place, "A", "G")))))
            shares.append(SHARES[kind])
            calls = np.full(PEOPLE, "0/0")
            calls[rng.choice(PEOPLE, CARRIERS[carriers], replace=False)] = "0/1"
            fixed = ["chr22", str(place + 1), ".", "A", "G", ".", ".", ".", "GT"]
            if CARRIERS[carriers]:
                rows.append((place, "\t".join([*fixed, *calls])))
    header = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *names]
    text = [
        "##fileformat=VCFv4.3",
        "##contig=<ID=chr22,length=50818468>",
        '##FORMAT=<ID=GT,Number=1,Type=String,Description="">',
        "\t".join(header),
        *(line for _, line in sorted(rows)),
    ]
    (folder / "all.vcf").write_text("\n".join(text) + "\n")
    build_from_vcf([folder / "all.vcf"], people, folder / "variants.sqlite")
    settings = NodeSettings.for_country("FI", "Finland", access=rehearsal_access("FI"))
    settings.write(folder)
    issuer = make_issuer(folder.parent / "issuer")
    (folder / TRUSTED).write_text(json.dumps(issuer.jwks()))
    public = PublicFrequencies(np.array(keys, np.uint64), np.array(shares), 2700)
    public.write(folder / PUBLIC_FREQUENCIES_FILE)


def question(place: int, path: str) -> bytes:
    """Build a request for one allele.

    Args:
        place: 0-based position on chr22.
        path: Path of the request.
    """
    where = {"assemblyId": "GRCh38", "referenceName": "22", "start": [place]}
    allele = {"referenceBases": "A", "alternateBases": "G"}
    query = {"requestedGranularity": "count", "requestParameters": {**where, **allele}}
    head, _, body = post(path, query, None).partition(b"\r\n\r\n")
    return head + b"\r\nX-Rehearsal-Purpose: DUO:0000006\r\n\r\n" + body


def told(name: str, absent: list[float], carried: list[float]) -> None:
    """Print how well times separate two kinds of alleles.

    Args:
        name: Name of the comparison.
        absent: Seconds for alleles without a carrier.
        carried: Seconds for alleles with carriers.
    """
    n, m = len(carried), len(absent)
    area = mannwhitneyu(carried, absent).statistic / (n * m)
    error = ((n + m + 1) / (12 * n * m)) ** 0.5
    distance = abs(2**0.5 * NormalDist().inv_cdf(min(max(area, 1e-6), 1 - 1e-6)))
    needed = 2 * (2 * NormalDist().inv_cdf(0.95) / distance) ** 2 if distance else float("inf")
    median = [1e6 * statistics.median(times) for times in (absent, carried)]
    print(
        f"  {name:44} {median[0]:6.0f} and {median[1]:6.0f} us   AUC {area:.3f} (SE {error:.3f})"
        f"   questions needed {needed:10,.0f}",
        flush=True,
    )


def ask_all(
    connection: socket.socket,
    alleles: dict[tuple[str, str], list[int]],
    path: str,
    chance: random.Random,
) -> dict[tuple[str, str], list[float]]:
    """Ask for every allele in random order.

    Args:
        connection: A connection to the node.
        alleles: 0-based positions by number of carriers and price.
        path: Path of the requests.
        chance: Source of the order.

    Returns:
        Seconds of every question, by number of carriers and price.
    """
    asked = [(kind, place) for kind, places in alleles.items() for place in places]
    chance.shuffle(asked)
    times: dict[tuple[str, str], list[float]] = {kind: [] for kind in alleles}
    for kind, place in asked:
        request = question(place, path)
        started = time.perf_counter()
        answer = ask(connection, request)
        times[kind].append(time.perf_counter() - started)
        if b'"exists":true' in answer:
            raise SystemExit(f"wrong answer, a protected allele ({kind[0]}) is shown: {answer!r}")
    return times


def print_differences(times: dict[tuple[str, str], list[float]]) -> None:
    """Print the comparisons of all kinds.

    Args:
        times: Seconds by number of carriers and price.
    """
    for price in SHARES:
        for carriers in ("one", "five"):
            name = f"{price}: none and {carriers}"
            told(name, times["none", price], times[carriers, price])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--alleles", type=int, default=1000, help="alleles of each kind")
    parser.add_argument("--again", type=int, default=3, help="rounds after the first")
    parser.add_argument("--seed", type=int, default=1, help="seed of alleles and order")
    options = parser.parse_args()
    print(header())
    chance = random.Random(options.seed)
    kinds = [(carriers, kind) for carriers in CARRIERS for kind in SHARES]
    places = list(range(START, START + 200 * options.alleles * len(kinds), 200))
    chance.shuffle(places)
    alleles = {kind: places[i :: len(kinds)] for i, kind in enumerate(kinds)}
    for path in ("/g_variants", "/individuals"):
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch, "FI")
            make_node(folder, alleles, options.seed)
            with (
                served_node(folder) as node,
                socket.create_connection(node.address) as connection,
            ):
                for turn in range(1 + options.again):
                    times = ask_all(connection, alleles, path, chance)
                    if turn in (0, options.again):
                        print(f"{path}, {'asked first' if turn == 0 else 'asked again'}")
                        print_differences(times)
    print(footer())


if __name__ == "__main__":
    main()
