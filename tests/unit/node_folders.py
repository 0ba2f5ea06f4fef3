"""Node folders of two countries with a handful of variants, and their public frequencies."""

import numpy as np
import pandas as pd

from rehearsal.node.privacy.public_facts_writer import write_public_facts
from rehearsal.stores.carrier_lists_writer import encode
from rehearsal.stores.people_store_writer import build_people
from rehearsal.stores.variant_store_writer import StoreWriter


def write_two_countries(folder):
    """Write the nodes of two countries.

    Args:
        folder: The folder to write to.

    Returns:
        The node folder of each country.
    """
    nobody = [None] * 22
    write_node(
        folder / "AT",
        [("chr1", 5, "T", [0, 1]), ("chr1", 9, "T", [21]), ("chrX", 5, "T", [0])],
        nobody,
    )
    write_node(
        folder / "BE",
        [("chr1", 5, "T", [3]), ("chr1", 7, "G", [0, 1, 2])],
        ["f", "f", *[f"alone-{i}" for i in range(20)]],
    )
    found = {code: folder / code for code in ("AT", "BE")}
    write_public_facts(found)
    return found


def write_node(folder, rows, families):
    """Write a node's stores.

    Args:
        folder: The node's folder. Its name is the country code.
        rows: Variants as (contig, 0-based start, ALT, numbers of the heterozygous carriers); REF is
            A.
        families: The family of each person, all of them women, or None. They permit any use.
    """
    folder.mkdir(parents=True)
    people = pd.DataFrame(
        {"id": [f"{folder.name}-{i}" for i in range(len(families))], "sex": "female"}
    ).assign(family=families, father=None, mother=None, birth_year=1970)
    people.to_parquet(folder / "individuals.parquet")
    consent = pd.DataFrame(
        {"individual": people["id"], "basis": "x", "uses": "DUO:0000004", "withdrawn": False}
    )
    build_people(people, {"consent": consent}, folder / "people.sqlite")
    contigs = {"chr1": 10_000, "chrX": 10_000}
    with StoreWriter(folder / "variants.sqlite", people, contigs) as writer:
        for number, contig in enumerate(contigs):
            of_contig = [row for row in rows if row[0] == contig]
            writer.write(folder, [_row(number, row, len(families)) for row in of_contig])


def _row(number, row, people):
    _, start, alt, carriers = row
    n = len(carriers)
    counts = (2 * people, n, 0, n, 0, 0, 0, 0, 0, 0)
    return (number, start, "A", alt, 0, 0, 0, *counts, encode(np.array(carriers)), b"")
