"""Variants that everybody carries: the same as counting genotype by genotype."""

import msprime
import numpy as np
import pandas as pd
import pytest
import tskit

from rehearsal.phenotypes.variant_counts import (
    COUNTS,
    add_up,
    quality_figures,
    variant_counts,
)

PURINES, PYRIMIDINES = {"A", "G"}, {"C", "T"}


def by_brute_force(ts):
    counts = np.zeros((ts.num_individuals, len(COUNTS)), int)
    column = {name: i for i, name in enumerate(COUNTS)}
    owner = [ts.node(node).individual for node in ts.samples()]
    for variant in ts.variants(isolated_as_missing=False):
        carried = {}
        for person, allele in zip(owner, variant.genotypes, strict=True):
            carried.setdefault(person, []).append(variant.alleles[allele])
        ref = variant.site.ancestral_state
        for person, alleles in carried.items():
            for alt in set(alleles) - {ref}:
                if len(alt) == len(ref) == 1:
                    whole = all(allele == alt for allele in alleles)
                    one = "homozygous_snvs" if whole else "heterozygous_snvs"
                    pair = {ref, alt}
                    alike = pair in (PURINES, PYRIMIDINES)
                    counts[person, column["transitions" if alike else "transversions"]] += 1
                elif alt.startswith("<"):
                    continue  # a structural variant is neither
                else:
                    one = "insertions" if len(alt) > len(ref) else "deletions"
                counts[person, column[one]] += 1
    return pd.DataFrame(counts, columns=list(COUNTS))


def with_indels(ts):
    """Many sites get an insertion, a deletion or a structural variant for a mutation."""
    tables = ts.dump_tables()
    states = list(tskit.unpack_strings(
        tables.mutations.derived_state, tables.mutations.derived_state_offset
    ))  # fmt: skip
    references = list(tskit.unpack_strings(
        tables.sites.ancestral_state, tables.sites.ancestral_state_offset
    ))  # fmt: skip
    for mutation, site in enumerate(tables.mutations.site):
        if site % 3 == 0:
            states[mutation] = references[site] + "AC"
        elif site % 5 == 0:
            states[mutation] = "<DEL>"
        elif site % 7 == 0:
            references[site] = "GTT"
            states[mutation] = "G"
    tables.mutations.packset_derived_state(states)
    tables.sites.packset_ancestral_state(references)
    return tables.tree_sequence()


@pytest.fixture(scope="module")
def ts():
    """Simulate 40 people with so many mutations that sites have several alleles and revert."""
    ancestry = msprime.sim_ancestry(
        40, population_size=1e4, sequence_length=2000, recombination_rate=1e-8, random_seed=3
    )
    return msprime.sim_mutations(ancestry, rate=1e-6, model=msprime.HKY(4), random_seed=4)


def test_counts_are_those_of_brute_force(ts):
    assert any(len(site.mutations) > 2 for site in ts.sites())
    pd.testing.assert_frame_equal(variant_counts(ts), by_brute_force(ts), check_dtype=False)


def test_insertions_and_deletions_are_told_from_each_other_and_from_snvs(ts):
    changed = with_indels(ts)
    found = variant_counts(changed)
    pd.testing.assert_frame_equal(found, by_brute_force(changed), check_dtype=False)
    assert (found["insertions"].sum() > 0) and (found["deletions"].sum() > 0)


def test_counts_of_blocks_add_up(ts):
    whole = variant_counts(ts)
    parts = [variant_counts(ts.keep_intervals([span])) for span in ((0, 700), (700, 2000))]
    pd.testing.assert_frame_equal(add_up(parts, 40), whole, check_dtype=False)


def test_a_block_without_sites_adds_nothing(ts):
    assert (variant_counts(ts.delete_sites(range(ts.num_sites))) == 0).all(axis=None)
    assert add_up([], 3).shape == (3, len(COUNTS))


def test_quality_figures_follow_from_the_counts_and_a_ratio_to_nothing_is_null():
    counts = pd.DataFrame([(3, 2, 4, 1, 1, 2), (3, 0, 2, 1, 1, 0)], columns=list(COUNTS))
    figures = quality_figures(counts)
    assert figures["count_snvs"].tolist() == [5, 3]
    assert figures["ratio_heterozygous_homzygous_snv"][0] == 1.5
    assert figures["ratio_insertion_deletion"][0] == 0.5
    assert figures["ratio_transitions_transversions_snv"].tolist() == [4, 2]
    null = figures.loc[1, ["ratio_heterozygous_homzygous_snv", "ratio_insertion_deletion"]]
    assert null.isna().all()
