"""The sparse pass against tskit's own genotypes."""

import msprime
import numpy as np
import pytest
import tskit
from hypothesis import given, settings
from hypothesis import strategies as st

from rehearsal.errors import InputError
from rehearsal.genomes.carriers import Haplotypes, carrier_chunks, count_groups


def simulate(seed=1, women=4, men=3, ploidy_of_men=2, rate=2e-3, length=2000):
    """Dense recurrent mutation, so that multi-allelic sites and back mutations occur."""
    samples = []
    for _ in range(2):  # women and men alternate, so node order is not people order by sex
        samples += [
            msprime.SampleSet(women, ploidy=2),
            msprime.SampleSet(men, ploidy=ploidy_of_men),
        ]
    ts = msprime.sim_ancestry(
        samples,
        population_size=100,
        ploidy=2,
        sequence_length=length,
        recombination_rate=1e-5,
        random_seed=seed,
    )
    return msprime.sim_mutations(ts, rate=rate, random_seed=seed)


def with_shuffled_nodes(ts, seed=1):
    """The same genomes with nodes in another order, individuals as before."""
    order = np.random.default_rng(seed).permutation(ts.num_nodes)
    tables = ts.dump_tables()
    tables.subset(order, reorder_populations=False, remove_unreferenced=False)
    # subset renumbers individuals by first use: put them back in their old order
    old_of_new = []
    for node in order:
        owner = ts.node(node).individual
        if owner >= 0 and owner not in old_of_new:
            old_of_new.append(owner)
    owners = tables.nodes.individual
    tables.nodes.individual = np.array(
        [old_of_new[i] if i >= 0 else -1 for i in owners], dtype=np.int32
    )
    tables.sort()
    tables.build_index()
    return tables.tree_sequence()


def dense_from_carriers(ts, **limits):
    haplotypes = Haplotypes.of(ts)
    dense = np.zeros((ts.num_sites, haplotypes.count), int)
    for chunk in carrier_chunks(ts, haplotypes, **limits):
        for s in range(chunk.positions.size):
            entries = slice(chunk.indptr[s], chunk.indptr[s + 1])
            dense[chunk.first_site + s, chunk.haplotype[entries]] = chunk.allele[entries]
    return dense


def dense_from_tskit(ts):
    genotypes = ts.genotype_matrix(samples=Haplotypes.of(ts).node, isolated_as_missing=False)
    return genotypes.astype(int)


@pytest.mark.parametrize("ploidy_of_men", [1, 2])
def test_carriers_equal_the_genotypes_of_tskit(ploidy_of_men):
    ts = simulate(ploidy_of_men=ploidy_of_men)
    assert any(len(v.alleles) > 2 for v in ts.variants())
    np.testing.assert_array_equal(dense_from_carriers(ts), dense_from_tskit(ts))


def test_alleles_are_in_the_order_of_tskit():
    ts = simulate()
    chunks = list(carrier_chunks(ts))
    ours = [alleles for chunk in chunks for alleles in chunk.alleles]
    assert ours == [variant.alleles for variant in ts.variants()]
    assert np.concatenate([c.positions for c in chunks]).tolist() == ts.sites_position.tolist()


def test_haplotypes_follow_people_not_nodes():
    ts = with_shuffled_nodes(simulate())
    haplotypes = Haplotypes.of(ts)
    assert np.all(np.diff(haplotypes.individual) >= 0)
    assert np.any(np.diff(haplotypes.node) < 0)
    for person in range(ts.num_individuals):
        mine = haplotypes.node[haplotypes.individual == person]
        assert mine.tolist() == sorted(ts.individual(person).nodes)
    np.testing.assert_array_equal(dense_from_carriers(ts), dense_from_tskit(ts))


def test_a_site_lists_each_haplotype_once_in_ascending_order():
    for chunk in carrier_chunks(simulate(women=40)):
        for s in range(chunk.positions.size):
            assert np.all(np.diff(chunk.haplotype[chunk.indptr[s] : chunk.indptr[s + 1]]) > 0)


def test_small_chunks_give_the_same_carriers():
    ts = simulate()
    np.testing.assert_array_equal(
        dense_from_carriers(ts, max_sites=3), dense_from_carriers(ts, max_entries=1)
    )


def test_planted_insertions_and_deletions_keep_their_letters():
    tables = simulate(rate=0).dump_tables()
    site = tables.sites.add_row(position=100, ancestral_state="ACT")
    tables.mutations.add_row(site=site, node=0, derived_state="A", time=tskit.UNKNOWN_TIME)
    tables.mutations.add_row(site=site, node=5, derived_state="AGCT", time=tskit.UNKNOWN_TIME)
    (chunk,) = carrier_chunks(tables.tree_sequence())
    assert chunk.alleles == [("ACT", "A", "AGCT")]
    assert dict(zip(chunk.haplotype.tolist(), chunk.allele.tolist(), strict=True)) == {0: 1, 5: 2}


def test_parents_that_are_samples_carry_what_their_children_inherit():
    tables = tskit.TableCollection(1000)
    for _ in range(2):
        tables.individuals.add_row()
    parent = tables.nodes.add_row(flags=tskit.NODE_IS_SAMPLE, time=1, individual=0)
    child = tables.nodes.add_row(flags=tskit.NODE_IS_SAMPLE, time=0, individual=1)
    tables.edges.add_row(left=0, right=1000, parent=parent, child=child)
    site = tables.sites.add_row(position=5, ancestral_state="A")
    tables.mutations.add_row(site=site, node=parent, derived_state="C")
    tables.sort()
    (chunk,) = carrier_chunks(tables.tree_sequence())
    assert chunk.haplotype.tolist() == [0, 1]


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(1, 2**31 - 1),
    women=st.integers(0, 40),
    men=st.integers(1, 40),
    ploidy_of_men=st.integers(1, 2),
)
def test_carriers_are_right_for_any_sample(seed, women, men, ploidy_of_men):
    ts = simulate(seed, women, men, ploidy_of_men, rate=5e-4)
    np.testing.assert_array_equal(dense_from_carriers(ts), dense_from_tskit(ts))


def counts_from_dense(ts, group, groups):
    """Count people one by one, the slow way."""
    rows = []
    haplotypes, dense = Haplotypes.of(ts), dense_from_tskit(ts)
    for variant, genotypes in zip(ts.variants(), dense, strict=True):
        for allele in range(1, len(variant.alleles)):
            row = np.zeros((3, groups), int)
            for person in range(ts.num_individuals):
                own = genotypes[haplotypes.individual == person]
                copies = np.sum(own == allele)
                if copies:
                    kind = 2 if own.size == 1 else (0 if copies == 2 else 1)
                    row[kind, group[person]] += 1
            rows.append(row)
    return np.array(rows)


def test_counts_by_group_are_exact_also_at_multi_allelic_sites():
    ts = simulate(ploidy_of_men=1)
    group = np.random.default_rng(3).integers(0, 4, ts.num_individuals)
    haplotypes = Haplotypes.of(ts)
    (chunk,) = carrier_chunks(ts, haplotypes)
    counts = count_groups(chunk, haplotypes, group, 4)
    expected = counts_from_dense(ts, group, 4)
    np.testing.assert_array_equal(np.stack([counts.hom, counts.het, counts.hemi], axis=1), expected)
    np.testing.assert_array_equal(counts.ac, 2 * counts.hom + counts.het + counts.hemi)
    assert counts.an.sum() == ts.num_samples
    assert expected.any(axis=(0, 2)).all()


def test_women_are_absent_from_a_block_of_y():
    tables = simulate(women=2, men=2, ploidy_of_men=1).dump_tables()
    owners = tables.nodes.individual
    flags = tables.nodes.flags
    diploid = np.bincount(owners[owners >= 0]) == 2
    flags[(owners >= 0) & diploid[owners]] = 0
    tables.nodes.flags = flags
    ts = tables.tree_sequence()
    haplotypes = Haplotypes.of(ts)
    assert haplotypes.ploidy.tolist() == [0, 0, 1, 1, 0, 0, 1, 1]
    np.testing.assert_array_equal(dense_from_carriers(ts), dense_from_tskit(ts))


def test_a_block_without_sites_yields_nothing():
    assert list(carrier_chunks(simulate(rate=0))) == []


def test_a_sample_without_individual_is_named():
    tables = simulate().dump_tables()
    owners = tables.nodes.individual
    owners[3] = -1
    tables.nodes.individual = owners
    with pytest.raises(InputError, match=r"node 3: expected an individual .*, found none"):
        next(carrier_chunks(tables.tree_sequence()))
