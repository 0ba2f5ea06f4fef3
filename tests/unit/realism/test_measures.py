"""The sums of a block agree with tskit's own statistics, and add up."""

from dataclasses import fields, replace

import msprime
import numpy as np
import pytest

from rehearsal.model import Block
from rehearsal.realism.measures import (
    BlockMeasures,
    block_measures,
    differences,
    join,
    no_measures,
    read_measures,
    weigh_relationship,
    write_measures,
)

from .conftest import recombination


def nodes_of(ts, people):
    return [int(u) for i in people for u in ts.individual(i).nodes]


def country_nodes(ts, panel):
    return [
        nodes_of(ts, panel.members[panel.country == number]) for number in range(len(panel.codes))
    ]


def test_pairwise_differences_are_those_of_tskit(cohort, autosome, measured):
    block, ts = autosome
    sets = country_nodes(ts, cohort.panel)
    found = measured[block.id].differences
    within = ts.diversity(sets, span_normalise=False)
    between = ts.divergence([sets[0], sets[1]], span_normalise=False)
    # tskit distinguishes third alleles.
    assert np.diag(found) == pytest.approx(within, rel=0.01)
    assert found[0, 1] == pytest.approx(between, rel=0.01)


def test_differences_on_x_count_a_man_once(cohort, measured):
    block = cohort.blocks[2]
    ts = cohort.trees[block.id]
    sets = country_nodes(ts, cohort.panel)
    assert len(sets[0]) < 2 * (cohort.panel.country == 0).sum()
    expected = ts.diversity(sets, span_normalise=False)
    assert measured[block.id].differences_x == pytest.approx(expected, rel=0.01)
    assert measured[block.id].bases == 0


def test_genotypes_of_a_person_are_counted(cohort, autosome, measured):
    block, ts = autosome
    person = cohort.panel.members[3]
    one, other = (ts.genotype_matrix(samples=nodes_of(ts, [person])) > 0).T
    assert measured[block.id].heterozygous[3] == (one != other).sum()
    # Sites that do not vary among the measured people may have been removed.
    assert measured[block.id].homozygous[3] <= (one & other).sum()


def test_homozygous_for_another_base_than_the_next_person_has(cohort, autosome, measured):
    block, ts = autosome
    person, following = cohort.panel.members[3:5]
    nodes = [*nodes_of(ts, [person]), nodes_of(ts, [following])[0]]
    one, other, reference = (ts.genotype_matrix(samples=nodes) > 0).T
    expected = ((one == other) & (one != reference)).sum()
    assert measured[block.id].homozygous_other[3] == expected


def test_the_spectrum_is_that_of_tskit(cohort, autosome, measured):
    block, ts = autosome
    nodes = nodes_of(ts, cohort.panel.members)
    expected = ts.allele_frequency_spectrum([nodes], polarised=True, span_normalise=False)
    found = measured[block.id].spectrum
    assert len(found) == len(expected)
    assert found[1:-1].sum() == pytest.approx(expected[1:-1].sum(), rel=0.01)
    assert found[1] == pytest.approx(expected[1], rel=0.02)
    assert found[1:-1].sum() == measured[block.id].sites


def test_transitions_are_twice_as_many_as_transversions_with_kappa_four(measured, cohort):
    sums = join(measured.values())
    assert 1.7 < sums.transitions / sums.transversions < 2.4


def test_indels_and_structural_variants_do_not_count(cohort, autosome, measured):
    block, ts = autosome
    tables = ts.dump_tables()
    for position, (ref, alt) in enumerate((("AC", "A"), ("A", "AC"), ("A", "<DEL>")), block.start):
        if position not in ts.sites_position:
            site = tables.sites.add_row(position, ref)
            tables.mutations.add_row(site, 0, alt, time=ts.nodes_time[0])
    tables.sort()
    more = tables.tree_sequence()
    assert more.num_sites > ts.num_sites
    again = block_measures(more, block, cohort.panel, "N" * block.length, recombination(block))
    assert again.sites == measured[block.id].sites
    assert again.sites_of_all == measured[block.id].sites_of_all


def test_relationship_is_that_of_standardised_genotypes(cohort, autosome, measured):
    block, ts = autosome
    haplotypes = ts.genotype_matrix(samples=nodes_of(ts, cohort.panel.members)) > 0
    p = haplotypes.mean(axis=1)
    common = np.minimum(p, 1 - p) >= 0.05
    genotypes, p = haplotypes[common][:, 0::2] + 1.0 * haplotypes[common][:, 1::2], p[common]
    z = (genotypes.T - 2 * p) / np.sqrt(2 * p * (1 - p))
    assert measured[block.id].common_sites == common.sum()
    expected = weigh_relationship(z @ z.T)
    unit = np.diag(expected).mean()
    assert measured[block.id].relationship == pytest.approx(expected, abs=0.03 * unit)


def test_measures_of_two_blocks_add_up(measured, cohort):
    parts = list(measured.values())
    total = join(parts)
    for field in fields(BlockMeasures):
        expected = sum(getattr(part, field.name) for part in parts)
        assert getattr(total, field.name) == pytest.approx(expected), field.name
    assert float(total.bases) == 400_000


def test_measures_of_different_panels_do_not_add_up(measured, cohort):
    part = next(iter(measured.values()))
    line = "measures: expected the same shapes in all measures, found measures of different panels"
    with pytest.raises(ValueError, match=line):
        part + replace(part, spectrum=np.zeros(3))


def test_a_file_holds_the_measures_and_has_the_same_bytes_again(cohort, autosome, tmp_path):
    block, ts = autosome
    paths = [tmp_path / name for name in ("one.npz", "two.npz")]
    for path in paths:
        write_measures(
            block_measures(ts, block, cohort.panel, "N" * block.length, recombination(block)), path
        )
    one, two = (path.read_bytes() for path in paths)
    assert one == two
    read = read_measures(paths[0])
    assert read.spectrum == pytest.approx(
        block_measures(ts, block, cohort.panel, "N" * block.length, recombination(block)).spectrum
    )


def test_other_contigs_give_nothing(cohort, autosome):
    block = Block("chrY", 0, 1000)
    found = block_measures(autosome[1], block, cohort.panel, "N" * 1000, recombination(block))
    zeros = no_measures(cohort.panel)
    for field in fields(BlockMeasures):
        assert (getattr(found, field.name) == getattr(zeros, field.name)).all()


def test_differences_of_two_groups_by_hand():
    copies, haplotypes = np.array([[1.0, 4.0], [2.0, 0.0]]), np.array([4.0, 4.0])
    within = (2 * 1 * 3 + 2 * 2 * 2) / (4 * 3)
    assert differences(copies, haplotypes) == pytest.approx(np.array([[within, 1.25], [1.25, 0]]))


def test_a_person_without_two_haplotypes_is_refused(cohort):
    block = cohort.blocks[0]
    ts = msprime.sim_ancestry(
        [msprime.SampleSet(len(cohort.people), ploidy=1)], ploidy=2, population_size=10,
        random_seed=1,
    )  # fmt: skip
    with pytest.raises(ValueError, match="people: expected 2 haplotypes each, found another"):
        block_measures(ts, block, cohort.panel, "", recombination(block))
