"""A block of chr22 with variants of all classes, for a few people of two countries."""

from __future__ import annotations

import msprime
import numpy as np
import pandas as pd
import tskit

from rehearsal.genomes.structural import SITE_SCHEMA

LENGTH = 50_818_468  # of chr22
# 0-based start, REF, ALTs with the haplotypes that carry each, end and length of structural ones
VARIANTS = (
    (1_000, "A", {"G": (0, 3), "T": (1,)}, None),
    (2_000, "CA", {"C": (2, 9)}, None),
    (3_000, "G", {"GTT": (4,), "GT": (12, 13)}, None),
    (5_000, "T", {"<DEL>": (0, 1, 8)}, (45_000, 39_999)),
    (10_000, "C", {"<DUP:TANDEM>": (3,)}, (10_301, 300)),
    (12_000, "A", {"<INS:ME:ALU>": (5, 14)}, (12_001, 281)),
    (20_000, "G", {"<INV>": (6,)}, (22_001, 2_000)),
    (30_000, "T", {"<CN0>": (2,), "<CN3>": (3, 15)}, (34_001, 4_000)),
    (40_000, "A", {"C": (7, 11)}, None),
    (50_000, "C", {"A": (0,)}, None),
)


def make_structural_block() -> tuple[tskit.TreeSequence, pd.DataFrame]:
    """Make a tree sequence with the variants above.

    Returns:
        The tree sequence of 8 people with 16 haplotypes, and the people: four of FI, four of ES.
    """
    ts = msprime.sim_ancestry(
        [msprime.SampleSet(8, ploidy=2)], sequence_length=LENGTH, random_seed=1
    )
    tables = ts.dump_tables()
    tables.sites.metadata_schema = SITE_SCHEMA
    for start, ref, alts, span in VARIANTS:
        about = None if span is None else {"end": span[0], "svlen": span[1]}
        site = tables.sites.add_row(start, ref, metadata=about)
        for alt, haplotypes in alts.items():
            for node in haplotypes:
                tables.mutations.add_row(site, node, alt)
    tables.sort()
    tables.build_index()
    tables.compute_mutation_parents()
    codes = np.repeat(["FI", "ES"], 4)
    people = pd.DataFrame(
        {
            "id": [f"{code}-{number}" for number, code in enumerate(codes)],
            "country": codes,
            "sex": ["female", "male"] * 4,
        }
    )
    return tables.tree_sequence(), people


def add_all_classes(
    ts: tskit.TreeSequence, start: int, end: int, reference: str
) -> tskit.TreeSequence:
    """Add indels and structural variants at free positions of a block.

    Args:
        ts: The tree sequence of the block.
        start: First base of the block, 0-based.
        end: One past its last base.
        reference: Bases of the block.

    Returns:
        The tree sequence with 60 indels and 24 structural variants more.
    """
    random = np.random.default_rng(start)
    tables = ts.dump_tables()
    tables.sites.metadata_schema = SITE_SCHEMA
    free = np.setdiff1d(np.arange(start + 1, end - 3_000), ts.sites_position)
    for number, position in enumerate(random.choice(free, 84, replace=False).tolist()):
        ahead = reference[position - start :]
        base, about = ahead[0], None
        alts, ref = [base + "ACGT"[: number % 3 + 1]], base
        if number % 2:
            ref, alts = ahead[: number % 5 // 2 + 2], [base]
        if number >= 60:
            length = int(random.integers(50, 3_000))
            ref, about = base, {"end": position + 1 + length, "svlen": length}
            alts = [["<DEL>"], ["<DUP:TANDEM>"], ["<INV>"], ["<CN0>", "<CN2>"]][number % 4]
            if number % 8 == 0:
                alts, about["end"] = ["<INS:ME:L1>"], position + 1
        site = tables.sites.add_row(position, ref, metadata=about)
        tree = ts.at(position)
        nodes = [node for node in tree.nodes() if tree.parent(node) != tskit.NULL]
        for alt in alts:
            node = int(random.choice(nodes))
            tables.mutations.add_row(site, node, alt, time=tskit.UNKNOWN_TIME)
    tables.mutations.time = np.full(tables.mutations.num_rows, tskit.UNKNOWN_TIME)
    tables.sort()
    tables.build_index()
    tables.compute_mutation_parents()
    return tables.tree_sequence()
