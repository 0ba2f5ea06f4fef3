"""Alleles are counted by class, and rows compare the shares with published ones."""

from dataclasses import replace

import numpy as np
import pytest
import tskit

from rehearsal.genomes.structural import SITE_SCHEMA
from rehearsal.model import Block
from rehearsal.realism.table import realism_table
from rehearsal.realism.variant_classes import (
    SMALL,
    STRUCTURAL,
    count_small,
    count_structural,
    structural_types,
)

BLOCK = Block("chr21", 100, 160)
#            0         1         2         3         4         5
#            012345678901234567890123456789012345678901234567890123456789
REFERENCE = "TACGTTGACAAAAAAAGCTTACACACACACGGTCCAGTCATGCATTGCAAGTCTAGGATC"
SITES = {  # by 0-based position in the block: reference and alternate alleles
    2: ("C", ["T"]),  # CpG transition
    3: ("G", ["A", "C"]),  # CpG transition and a second allele
    5: ("T", ["C"]),
    8: ("C", ["CA"]),  # one A more in a run of seven
    20: ("A", ["ACA", "ACACA"]),  # units of CA
    33: ("C", ["A", "A"]),  # the same mutation twice
    35: ("AGTC", ["A"]),  # a deletion outside of repeats
    45: ("T", ["G"]),  # planted
    50: ("G", ["<DEL>"]),
    52: ("C", ["<CN0>", "<CN3>"]),
    55: ("G", ["<INS:ME:L1>"]),
    57: ("A", ["A"]),  # back to the reference
}


@pytest.fixture(scope="module")
def ts():
    """Four haplotypes; each mutation is above its own sample."""
    tables = tskit.TableCollection(1000)
    tables.sites.metadata_schema = SITE_SCHEMA
    for node in range(4):
        if node % 2 == 0:
            tables.individuals.add_row()
        tables.nodes.add_row(flags=tskit.NODE_IS_SAMPLE, time=0, individual=node // 2)
    tables.nodes.add_row(time=1)
    for child in range(4):
        tables.edges.add_row(0, 1000, 4, child)
    for place, (ref, alts) in SITES.items():
        symbolic = alts[0].startswith("<")
        metadata = {"end": BLOCK.start + place + 60, "svlen": 59} if symbolic else None
        site = tables.sites.add_row(BLOCK.start + place, ref, metadata=metadata)
        for node, alt in enumerate(alts):
            tables.mutations.add_row(site, node, alt)
    tables.sort()
    return tables.tree_sequence()


def test_small_variants_are_counted_by_class(ts):
    assert REFERENCE[2] == "C" and REFERENCE[35:39] == "AGTC"
    found = dict(zip(SMALL, count_small(ts, BLOCK, REFERENCE, {BLOCK.start + 45}), strict=True))
    assert found == {
        "snv_sites": 4,
        "multiallelic_snv_sites": 1,
        "snvs": 5,
        "cpg_transitions": 2,
        "insertions": 3,
        "deletions": 1,
        "indels_of_one_base": 1,
        "indels_in_repeats": 3,
    }
    planted = count_small(ts, BLOCK, REFERENCE, ())[SMALL.index("snvs")]
    assert planted == 6


def test_structural_variants_of_a_person_differ_from_the_haplotype_of_the_next(ts):
    types = structural_types(ts)
    assert [STRUCTURAL[kind] for kind in types if kind >= 0] == ["DEL", "CNV", "INS"]
    counts = count_structural(ts, np.array([0, 1]))
    # the first person has DEL, CNV (both haplotypes) and INS; the second has none
    assert counts.tolist() == [[1, 1], [0, 0], [1, 1], [0, 0], [1, 1]]


def counts_like_published(joined):
    """Sums of 400 Mb whose shares lie in the middle of the published ranges."""
    shares = {"snvs": 85e4, "indels": 15e4}
    small = {
        "snv_sites": shares["snvs"],
        "multiallelic_snv_sites": 0.0032 * shares["snvs"],
        "snvs": shares["snvs"],
        "cpg_transitions": 0.17 * shares["snvs"],
        "insertions": 0.45 * shares["indels"],
        "deletions": 0.55 * shares["indels"],
        "indels_of_one_base": 0.5 * shares["indels"],
        "indels_in_repeats": 0.5 * shares["indels"],
    }
    structural = np.zeros_like(joined.structural)
    structural[0] = 25_500 / 2.9e9 * 400e6
    values = np.array([small[name] for name in SMALL])
    return replace(joined, bases=np.array(400e6), small=values, structural=structural)


NAMES = (
    "indels among small variants",
    "insertions per deletion, up to 49 bases",
    "indels of one base",
    "indels in repeats",
    "CpG transitions among SNVs",
    "structural variants per genome",
)


@pytest.mark.parametrize("name", NAMES)
def test_published_shares_pass_and_others_fail(joined, cohort, known, name):
    good = counts_like_published(joined)
    row = realism_table(good, cohort.panel, known).set_index("name").loc[name]
    assert row["passed"] is True, row["note"]
    none = replace(good, structural=good.structural / 2)
    none.small[SMALL.index("insertions")] *= 0.2
    for share in ("cpg_transitions", "indels_in_repeats", "indels_of_one_base"):
        none.small[SMALL.index(share)] *= 0.2
    row = realism_table(none, cohort.panel, known).set_index("name").loc[name]
    assert row["passed"] is False


def test_small_runs_and_few_people_are_not_judged(joined, cohort, known):
    table = realism_table(joined, cohort.panel, known).set_index("name")
    assert table.loc["structural variants per genome", "note"] == "needs 200 Mb of autosomes"
    good = realism_table(counts_like_published(joined), cohort.panel, known).set_index("name")
    row = good.loc["SNV sites with several alternate alleles"]
    assert row["note"].endswith("needs 1,000 to 10,000")
