"""The alleles of the pooled cohort."""

from collections import Counter

from rehearsal.truth.pooled_sites import pooled_sites

from .simulated_block import brute_force


def test_pooled_sites_count_the_whole_cohort(trees):
    sites = pooled_sites(trees)
    assert list(sites.itertuples(index=False, name=None)) == [
        ("chr22", 100, "A", "G", 101, 0, 4, 10),
        ("chr22", 110, "ACT", "A", 113, 0, 1, 10),
        ("chr22", 120, "C", "T", 121, 0, 1, 10),
        ("chr22", 120, "C", "G", 121, 0, 1, 10),
        ("chr22", 900, "T", "C", 901, 0, 9, 10),
        ("chrX", 300, "G", "T", 301, 0, 4, 7),
    ]


def test_pooled_sites_agree_with_genotypes_under_nested_and_recurrent_mutations(simulated):
    block, path = simulated
    true = {key: copies.sum() for key, copies in brute_force(path).items()}
    sites = pooled_sites({block: path})
    assert {(row.start, row.alt): row.ac for row in sites.itertuples()} == true
    assert max(Counter(start for start, _ in true).values()) == 3
