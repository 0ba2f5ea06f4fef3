"""Pseudo-autosomal regions, Y and M: factors, forced transmissions, and what children inherit."""

from pathlib import Path

import msprime
import numpy as np
import pandas as pd
import pytest

from rehearsal.demography.model import build_model, to_msprime
from rehearsal.demography.parameters import read_parameters
from rehearsal.genomes.assembly import PSEUDO_AUTOSOMAL
from rehearsal.genomes.drawn_reference import draw_reference
from rehearsal.genomes.pedigree import Pedigree
from rehearsal.genomes.people import plan_people
from rehearsal.genomes.recombination import uniform_map
from rehearsal.genomes.sex_chromosomes import (
    move_crossover,
    mutation_factor,
    recombination_factor,
    size_factor,
)
from rehearsal.genomes.simulate import SimulationSettings, scale_sizes, simulate_block
from rehearsal.model import Block, Country, PlantedVariant, Variant

PAR1, PAR2 = (Block("chrX", *place) for place in PSEUDO_AUTOSOMAL["chrX"].values())


@pytest.mark.parametrize(
    ("block", "size", "mutations"),
    [
        (Block("chr1", 0, 100), 1.0, 1.0),
        (PAR1, 1.0, 1.0),
        (Block("chrX", 5_000_000, 6_000_000), 0.75, 1.0),
        (Block("chrY", 5_000_000, 6_000_000), 0.07, 2.0),
        (Block("chrM", 0, 16_569), 0.25, 8.1),
    ],
)
def test_sizes_and_mutations_of_a_contig_relative_to_autosomes(block, size, mutations):
    assert (size_factor(block), mutation_factor(block.contig)) == (size, mutations)


def test_y_varies_as_much_in_europe_as_published():
    """5,996 SNVs in 3.7 Mb of 334 men of 17 populations: doi:10.1038/ncomms8152."""
    table = pd.read_csv("config/countries.tsv", sep="\t", na_filter=False)
    countries = [Country(**row) for row in table.to_dict("records")]
    model = to_msprime(build_model(countries, read_parameters(Path("config/demography.yaml"))))
    block = Block("chrY", 5_000_000, 6_000_000)
    samples = [msprime.SampleSet(20, one.code, ploidy=1) for one in countries[:17]]
    trees = msprime.sim_ancestry(
        samples, demography=scale_sizes(model, size_factor(block)), ploidy=2,
        num_replicates=16, random_seed=1,
    )  # fmt: skip
    rate = 1.29e-8 * mutation_factor("chrY")
    found = [(ts.first().total_branch_length, ts.diversity(mode="branch")) for ts in trees]
    sites, differences = np.mean(found, axis=0) * rate
    assert sites == pytest.approx(5_996 / 3.7e6, rel=0.15)
    assert 0.00002 < differences < 0.00025


@pytest.mark.parametrize(("region", "men"), [(PAR1, 0.5), (PAR2, 0.02)])
def test_the_population_recombines_at_the_mean_of_both_sexes(region, men):
    women = 1e-8 * region.length
    middle = (region.start + region.end) // 2
    halves = [Block("chrX", region.start, middle), Block("chrX", middle, region.end)]
    total = 0.0
    for block in halves:
        block_map = uniform_map("chrX", 1e-8).slice(block.start, block.end, trim=True)
        total += recombination_factor(block, block_map) * block_map.total_mass
    assert total == pytest.approx((women + men) / 2, rel=1e-3)


@pytest.mark.parametrize(
    ("crossovers", "position", "expected"),
    [
        # PAR1: the border is at 2,781,479, the outer end at 10,000
        ([], 1_000_001, [10_000, 1_890_740]),
        ([10_000, 2_000_000], 1_000_001, []),
        ([10_000, 500_000], 1_000_001, [500_000, 1_890_740]),
        # PAR2: the border is at 155,701,382, the outer end at 156,030,895
        ([10_000, 500_000], 155_801_382, [10_000, 500_000, 155_751_382, 156_030_895]),
        ([155_750_000, 156_030_895], 155_801_382, []),
    ],
)
def test_a_moved_crossover_lies_between_the_position_and_the_border(crossovers, position, expected):
    assert move_crossover(np.array(crossovers, np.int64), position).tolist() == expected


def test_there_is_no_crossover_to_move_outside_of_the_regions():
    with pytest.raises(ValueError, match="expected one in PAR1 or PAR2, found 50000000"):
        move_crossover(np.empty(0, np.int64), 50_000_000)


@pytest.fixture(scope="module")
def simulate(countries, demography):
    def run(block, planted=()):
        people, plan = plan_people(countries, {"ES": 120, "FI": 60}, 0.9, planted, seed=6)
        settings = SimulationSettings(demography, mutation_rate=5e-8, kappa=4.0, seed=3)
        along = uniform_map(block.contig, 1e-8)
        reference = list(draw_reference(block, 3))
        for one in planted:
            reference[one.variant.start - block.start] = one.variant.ref
        ts = simulate_block(block, people, plan, planted, settings, along, "".join(reference))
        return people, ts

    return run


def copies(ts, position, alt):
    """Copies of an allele of each individual."""
    variant = next(v for v in ts.variants(left=position, right=position + 1))
    carries = variant.genotypes == variant.alleles.index(alt)
    return np.bincount(
        ts.nodes_individual[ts.samples()], weights=carries, minlength=ts.num_individuals
    ).astype(int)


@pytest.mark.parametrize("start", [2_700_000, 155_990_000])
def test_children_of_two_carriers_are_homozygous_in_a_pseudo_autosomal_region(simulate, start):
    planted = PlantedVariant(
        Variant("chrX", start + 50, "A", "G"),
        *("SHOX", "v", "recessive", "rare"),
        carriers=(("ES", "homozygous", 6), ("FI", "heterozygous", 3)),
    )
    people, ts = simulate(Block("chrX", start, start + 5_000), [planted])
    count = copies(ts, start + 50, "G")
    pedigree = Pedigree.of(people)
    twice = count == 2
    assert twice.sum() >= 6 and (~pedigree.founder[twice]).all()
    assert len(set(people["sex"][twice])) == 2  # sons and daughters
    assert (count[pedigree.father[twice]] == 1).all() and (count[pedigree.mother[twice]] == 1).all()


def haplotypes(ts):
    """The sites of each individual's first haplotype, as bytes."""
    matrix = ts.genotype_matrix().T
    owner = ts.nodes_individual[ts.samples()]
    return {int(who): row.tobytes() for who, row in zip(owner, matrix, strict=True)}


def test_sons_have_their_fathers_y_and_women_none(simulate):
    people, ts = simulate(Block("chrY", 12_000_000, 12_050_000))
    pedigree, own = Pedigree.of(people), haplotypes(ts)
    assert set(own) == set(np.flatnonzero(pedigree.male))
    sons = np.flatnonzero(pedigree.male & ~pedigree.founder)
    same = [own[son] == own[pedigree.father[son]] for son in sons.tolist()]
    assert np.mean(same) > 0.9 and len(set(own.values())) > 10  # the rest: new mutations


def test_the_whole_of_m_comes_from_the_mother_as_one_tree(simulate):
    people, ts = simulate(Block("chrM", 0, 16_569))
    pedigree, own = Pedigree.of(people), haplotypes(ts)
    assert len(own) == len(people) and ts.num_trees == 1
    children = np.flatnonzero(~pedigree.founder)
    same = [own[child] == own[pedigree.mother[child]] for child in children.tolist()]
    assert np.mean(same) > 0.9 and len(set(own.values())) > 10
