"""Stores of X with its pseudo-autosomal regions, of Y and of M count as the truth does."""

from types import SimpleNamespace

import msprime
import pytest
from pyroaring import BitMap

from rehearsal.genomes.drawn_reference import draw_reference
from rehearsal.genomes.people import plan_people
from rehearsal.genomes.recombination import uniform_map
from rehearsal.genomes.simulate import SimulationSettings, simulate_block, write_trees
from rehearsal.model import SEXES, Block, Country
from rehearsal.node.beacon.node_data import NodeData
from rehearsal.stores.country_shards import write_shards
from rehearsal.stores.variant_store import VariantStore
from rehearsal.stores.variant_store_writer import build_store
from rehearsal.truth.allele_counts import COUNTS, count_alleles
from rehearsal.truth.subcohort import Subcohort

BLOCKS = [
    Block("chrX", 2_771_479, 2_781_479),
    Block("chrX", 2_781_479, 2_791_479),
    Block("chrX", 155_701_382, 155_706_382),
    Block("chrY", 12_000_000, 12_010_000),
    Block("chrM", 0, 16_569),
]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """People of two countries, the truth's trees, and each country's store."""
    folder = tmp_path_factory.mktemp("sexes")
    codes = ("ES", "FI")
    countries = [Country(c, c, 50.0, 10.0, 5.0, "Capital", 50.0, 10.0, "no") for c in codes]
    people, plan = plan_people(countries, {"ES": 40, "FI": 30}, 0.8, [], seed=2)
    demography = msprime.Demography.island_model([5_000, 5_000], 1e-3)
    for population, code in zip(demography.populations, codes, strict=True):
        population.name = code
    settings = SimulationSettings(demography, 3e-8, 4.0, seed=5, heteroplasmy=0.5)
    trees, parts = {}, {code: [] for code in codes}
    for block in BLOCKS:
        along, bases = uniform_map(block.contig, 1e-8), draw_reference(block, 5)
        ts = simulate_block(block, people, plan, [], settings, along, bases)
        trees[block] = folder / f"{block.id}.trees"
        write_trees(ts, trees[block])
        part = {code: folder / f"{block.id}-{code}.parquet" for code in codes}
        bcf = {code: folder / f"{block.id}-{code}.bcf" for code in codes}
        write_shards(ts, block, people, bcf, part)
        for code in codes:
            parts[code].append(part[code])
    stores = {code: folder / f"{code}.sqlite" for code in codes}
    for code in codes:
        build_store(parts[code], people[people["country"] == code], stores[code])
    return people, trees, stores


def test_counts_by_sex_are_those_of_the_truth(run):
    people, trees, stores = run
    table = count_alleles(trees, people, Subcohort.whole(len(people))).by_country()
    expected = {tuple(row[:6]): tuple(row[6:]) for row in table.itertuples(index=False)}
    found = {}
    for code, path in stores.items():
        with VariantStore.open(path) as store:
            for row in store:
                for sex, counts in (("female", row.female), ("male", row.male)):
                    key = (row.contig, row.start, row.ref, row.alt, code, sex)
                    found[key] = tuple(getattr(counts, name) for name in COUNTS)
    assert found == expected
    men = [(key, counts) for key, counts in found.items() if key[5] == "male"]
    by_place = {}
    for (contig, start, *_), (an, _, _, het, hemi) in men:
        inside = contig == "chrX" and not 2_781_479 <= start < 155_701_382
        kind = by_place.setdefault((contig, inside), [set(), 0, 0])
        kind[0].add(an)
        kind[1] += het
        kind[2] += hemi
    assert set(by_place) == {("chrX", True), ("chrX", False), ("chrY", False), ("chrM", False)}
    for (_, inside), (_, het, hemi) in by_place.items():
        assert (het > 0) == inside and (hemi > 0) != inside


@pytest.mark.parametrize("code", ["ES", "FI"])
def test_a_node_counts_everybody_by_lists_as_by_counts(run, code):
    people, _, stores = run
    own = people[people["country"] == code]["sex"].tolist()
    of_sex = {sex: BitMap(n for n, one in enumerate(own) if one == sex) for sex in SEXES}
    everyone = BitMap(range(len(own)))
    with VariantStore.open(stores[code]) as store:
        for row in store:
            by_lists = NodeData.counts(SimpleNamespace(of_sex=of_sex), row, everyone)
            assert by_lists == {"female": row.female, "male": row.male}
