"""The truth's own reading of genes finds the same damaged copies as the simulation."""

from collections import Counter
from functools import partial

import numpy as np
import pandas as pd
import tskit

from rehearsal.genomes.annotation import annotate_block
from rehearsal.genomes.damaged_genes import count_damaged_copies, find_damaged_haplotypes
from rehearsal.genomes.structural import SITE_SCHEMA
from rehearsal.model import PlantedVariant, Variant
from rehearsal.truth.gene_consequences import GeneTruth

from ..genomes.gene_model import CONTIG, LENGTH, bases_of_genes, two_genes
from ..genomes.test_annotation import Allele, random_alleles
from .test_gene_consequences import fetch, row_of

PEOPLE = pd.DataFrame({"id": [f"P{k}" for k in range(40)]})
LOSSES = {
    *("splice_acceptor_variant", "splice_donor_variant", "stop_gained", "frameshift_variant"),
    *("start_lost", "transcript_ablation", "feature_truncation"),
}


def cohort_with(alleles: list[Allele], rng: np.random.Generator) -> tskit.TreeSequence:
    """Make 40 people in whom each allele is on up to three haplotypes."""
    tables = tskit.TableCollection(LENGTH)
    tables.sites.metadata_schema = SITE_SCHEMA
    for person in range(len(PEOPLE)):
        tables.individuals.add_row()
        for _ in range(2):
            tables.nodes.add_row(flags=tskit.NODE_IS_SAMPLE, individual=person)
    for position, ref, alt in alleles:
        site = tables.sites.add_row(position, ref)
        for node in rng.choice(80, int(rng.integers(1, 4)), replace=False):
            tables.mutations.add_row(site, int(node), alt)
    tables.metadata_schema = tskit.MetadataSchema.permissive_json()
    tables.metadata = {"contig": CONTIG, "start": 0, "end": LENGTH}
    tables.sort()
    return tables.tree_sequence()


def test_damaged_copies_are_haplotypes_with_a_planted_or_a_loss_of_function_allele() -> None:
    bases, rng = bases_of_genes(3), np.random.default_rng(3)
    alleles = random_alleles(bases, rng)[::9]
    ts = cohort_with(alleles, rng)
    one = alleles[len(alleles) // 3]
    planted = PlantedVariant(Variant(CONTIG, *one), "A", "c.?", "dominant", "cancer")
    table = annotate_block(ts, lambda block: bases[block.start : block.end], two_genes())
    whole = find_damaged_haplotypes(ts, PEOPLE, [planted], table, {"A"})
    found = count_damaged_copies([whole[::2], whole[1::2], whole[:5]])

    truth = GeneTruth([row_of(one) for one in two_genes()], partial(fetch, bases))
    genotypes, damaged = ts.genotype_matrix(), set()
    for number, allele in enumerate(alleles):
        labels = {one.label for one in truth.consequences(CONTIG, *allele) if one.gene == "A"}
        if labels & LOSSES or allele == one:
            damaged |= set(np.flatnonzero(genotypes[number] > 0).tolist())
    expected = Counter(f"P{node // 2}" for node in damaged)
    assert dict(zip(found["individual"], found["copies"], strict=True)) == expected
    assert set(expected.values()) == {1, 2}
    assert set(found["gene"]) == {"A"}
