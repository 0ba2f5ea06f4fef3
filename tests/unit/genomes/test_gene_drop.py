"""Gene drop: relatives share what they should, on every contig and across blocks."""

import numpy as np
import pandas as pd
import pytest

from rehearsal.errors import InputError
from rehearsal.genomes.gene_drop import draw_gametes, force_transmissions
from rehearsal.genomes.pedigree import Pedigree
from rehearsal.genomes.people import plan_people
from rehearsal.genomes.recombination import uniform_map
from rehearsal.model import Block

RATE = 1.2e-8


@pytest.fixture(scope="module")
def people(countries):
    """600 people, nearly all in families."""
    return plan_people(countries, {"ES": 600}, 1.0, [], seed=11)[0]


@pytest.fixture(scope="module")
def pedigree(people):
    return Pedigree.of(people)


def origins(pedigree, contig, positions, seed=1) -> np.ndarray:
    """For each position and sample node, the founder's node that it descends from."""
    gametes = draw_gametes(pedigree, contig, uniform_map(contig, RATE), seed)
    order = np.argsort(pedigree.generation[gametes.child], kind="stable")
    nodes = int(pedigree.copies(contig, 0).sum())
    first = pedigree.first_node(contig, 0)
    result = np.tile(np.arange(nodes), (len(positions), 1))
    for row, position in enumerate(positions):
        given = first[gametes.parent] + gametes.strand_at(position)
        for gamete in order:
            result[row, first[gametes.child[gamete]] + gametes.slot[gamete]] = result[
                row, given[gamete]
            ]
    return result


@pytest.fixture(scope="module")
def shared(pedigree):
    """Kinship of two people measured over two autosomes by identity with founders' haplotypes."""
    first = pedigree.first_node("chr1", 0)
    origin = np.vstack(
        [
            origins(pedigree, contig, np.linspace(10**5, 4.5e7, 60).astype(int))
            for contig in ("chr20", "chr21")
        ]
    )

    def kinship(one: int, two: int) -> float:
        a, b = origin[:, first[one] : first[one] + 2], origin[:, first[two] : first[two] + 2]
        return float((a[:, :, None] == b[:, None, :]).mean())

    return kinship


def relatives(people: pd.DataFrame, pedigree: Pedigree) -> dict[str, list[tuple[int, int]]]:
    """Pairs of rows by relation."""
    father, mother = pedigree.father, pedigree.mother
    children = np.flatnonzero(~pedigree.founder)
    pairs = {"parent-child": [(c, mother[c]) for c in children]}
    pairs["siblings"], pairs["half-siblings"], pairs["cousins"] = [], [], []
    family = people["family"].to_numpy()
    for i, one in enumerate(children):
        for two in children[i + 1 :]:
            if family[one] != family[two]:
                continue
            shared = int(father[one] == father[two]) + int(mother[one] == mother[two])
            both_grandchildren = pedigree.generation[[one, two]].tolist() == [2, 2]
            if shared:
                pairs["siblings" if shared == 2 else "half-siblings"].append((one, two))
            elif both_grandchildren:
                pairs["cousins"].append((one, two))
    return pairs


@pytest.mark.parametrize(
    ("relation", "expected", "tolerance"),
    [
        ("parent-child", 1 / 4, 1e-9),
        ("siblings", 1 / 4, 0.02),
        ("half-siblings", 1 / 8, 0.02),
        ("cousins", 1 / 16, 0.02),
    ],
)
def test_relatives_share_as_their_pedigree_says(
    people, pedigree, shared, relation, expected, tolerance
):
    pairs = relatives(people, pedigree)[relation]
    assert len(pairs) > 15
    assert np.mean([shared(*pair) for pair in pairs]) == pytest.approx(expected, abs=tolerance)


def test_people_of_different_families_share_nothing(people, pedigree, shared):
    one, two = np.flatnonzero(pedigree.generation == 1)[[0, -1]]
    assert people["family"].iloc[one] != people["family"].iloc[two]
    assert shared(one, two) == 0


def test_the_number_of_crossovers_follows_the_map(pedigree):
    gametes = draw_gametes(pedigree, "chr1", uniform_map("chr1", RATE), seed=3)
    expected = 248_956_422 * RATE
    number = np.diff(gametes.offset)
    assert number.mean() == pytest.approx(expected, rel=0.1)
    assert number.var() == pytest.approx(expected, rel=0.25)
    assert gametes.start.mean() == pytest.approx(0.5, abs=0.1)


def test_gametes_agree_across_the_border_of_adjacent_blocks(pedigree):
    gametes = draw_gametes(pedigree, "chr22", uniform_map("chr22", 1e-6), seed=3)
    border = 20_000_000
    left, right, parent, child = gametes.edges(Block("chr22", border - 1_000_000, border), pedigree)
    before = dict(zip(child[right == border], parent[right == border], strict=True))
    left, right, parent, child = gametes.edges(Block("chr22", border, border + 1_000_000), pedigree)
    after = dict(zip(child[left == border], parent[left == border], strict=True))
    assert before == after
    assert len(before) == len(gametes.child)


def test_edges_of_a_gamete_tile_the_block_and_change_strand_at_each_crossover(pedigree):
    block = Block("chr22", 20_000_000, 21_000_000)
    gametes = draw_gametes(pedigree, "chr22", uniform_map("chr22", 1e-6), seed=3)
    left, right, parent, child = gametes.edges(block, pedigree)
    edges = pd.DataFrame({"left": left, "right": right, "parent": parent, "child": child})
    crossovers = 0
    for _, own in edges.sort_values("left").groupby("child"):
        assert own["left"].iloc[0] == block.start and own["right"].iloc[-1] == block.end
        assert own["right"].iloc[:-1].tolist() == own["left"].iloc[1:].tolist()
        assert (own["parent"].diff().iloc[1:].abs() == 1).all()
        crossovers += len(own) - 1
    assert crossovers / len(gametes.child) == pytest.approx(1.0, rel=0.2)


def test_strands_read_from_edges_and_from_positions_are_the_same(pedigree):
    block = Block("chr22", 20_000_000, 22_000_000)
    gametes = draw_gametes(pedigree, "chr22", uniform_map("chr22", 1e-6), seed=4)
    left, right, parent, child = gametes.edges(block, pedigree)
    for position in (block.start, 20_500_499, 20_500_500, 21_234_567, block.end - 1):
        here = (left <= position) & (position < right)
        first = pedigree.first_node("chr22", block.start)
        found = pd.Series(parent[here], index=child[here])
        given = found[first[gametes.child] + gametes.slot].to_numpy()
        assert (given == first[gametes.parent] + gametes.strand_at(position)).all()


def owners(pedigree, block):
    """The person of each sample node of a block."""
    return np.repeat(np.arange(len(pedigree.male)), pedigree.copies(block.contig, block.start))


def test_on_x_sons_have_only_a_recombined_gamete_of_the_mother(pedigree):
    block = Block("chrX", 20_000_000, 120_000_000)
    gametes = draw_gametes(pedigree, "chrX", uniform_map("chrX", RATE), seed=1)
    *_, parent, child = gametes.edges(block, pedigree)
    owner = owners(pedigree, block)
    male = pedigree.male
    sons = male[owner[child]]
    assert (owner[parent][sons] == pedigree.mother[owner[child][sons]]).all()
    assert set(owner[child][sons]) == set(np.flatnonzero(male & ~pedigree.founder))
    from_father = male[owner[parent]]
    assert from_father.sum() == (~male & ~pedigree.founder).sum()  # whole, to daughters
    assert (~from_father).sum() > 1.5 * (~pedigree.founder).sum()
    assert pedigree.copies("chrX", block.start).tolist() == np.where(male, 1, 2).tolist()


PAR1, PAR2 = Block("chrX", 10_000, 2_781_479), Block("chrX", 155_701_382, 156_030_895)


def test_at_the_border_of_par_sons_have_their_fathers_y_and_daughters_his_x(pedigree):
    gametes = draw_gametes(pedigree, "chrX", uniform_map("chrX", RATE), seed=1)
    for block, edge in ((PAR1, PAR1.end - 1), (PAR2, PAR2.start)):
        left, right, parent, child = gametes.edges(block, pedigree)
        owner, first = owners(pedigree, block), pedigree.first_node(block.contig, block.start)
        here = (left <= edge) & (edge < right) & pedigree.male[owner[parent]]
        strand = (parent - first[owner[parent]])[here]
        assert strand.tolist() == pedigree.male[owner[child[here]]].astype(int).tolist()
        # the child's second haplotype is the father's
        assert ((child - first[owner[child]])[here] == 1).all()


@pytest.mark.parametrize(("block", "morgans"), [(PAR1, 0.5), (PAR2, 0.02)])
def test_half_of_the_fathers_gametes_cross_over_in_par1_and_few_in_par2(pedigree, block, morgans):
    crossed = gametes = 0
    for seed in range(6):
        drawn = draw_gametes(pedigree, "chrX", uniform_map("chrX", RATE), seed)
        *_, parent, child = drawn.edges(block, pedigree)
        of_father = pedigree.male[owners(pedigree, block)[parent]]
        gametes += len(np.unique(child[of_father]))
        crossed += of_father.sum() - len(np.unique(child[of_father]))
    assert gametes == 6 * (~pedigree.founder).sum()
    sd = (morgans * (1 - morgans) / gametes) ** 0.5
    assert abs(crossed / gametes - morgans) < 4 * sd


@pytest.mark.parametrize("position", [500_000, 2_700_000, 155_702_000, 156_000_000])
@pytest.mark.parametrize("haplotype", [0, 1])
def test_a_forced_transmission_in_par_does_not_change_the_sex_of_a_child(
    people, pedigree, position, haplotype
):
    gametes = draw_gametes(pedigree, "chrX", uniform_map("chrX", RATE), seed=1)
    for child in np.flatnonzero(~pedigree.founder)[:6]:
        father = int(pedigree.father[child])
        wanted = plan(people, child, father, haplotype, position)
        forced = force_transmissions(gametes, people, wanted)
        this = (gametes.child == child) & (gametes.parent == father)
        assert forced.strand_at(position)[this].tolist() == [haplotype]
        assert forced.strand_at(80_000_000)[this].tolist() == [int(pedigree.male[child])]
        assert (forced.strand_at(position)[~this] == gametes.strand_at(position)[~this]).all()


def test_y_goes_from_father_to_son_and_mt_from_mother_to_all(pedigree):
    y = draw_gametes(pedigree, "chrY", uniform_map("chrY", RATE), seed=1)
    assert pedigree.male[y.child].all() and pedigree.male[y.parent].all()
    assert len(y.child) == (pedigree.male & ~pedigree.founder).sum()
    mt = draw_gametes(pedigree, "chrM", uniform_map("chrM", RATE), seed=1)
    assert (mt.parent == pedigree.mother[mt.child]).all()
    assert len(mt.child) == (~pedigree.founder).sum()
    assert len(y.crossover) == len(mt.crossover) == 0


def plan(people, child, parent, haplotype, position) -> pd.DataFrame:
    ids = people["id"].to_numpy()
    row = ("v", "transmits", ids[parent], haplotype, ids[child], position)
    names = ["variant", "kind", "person", "haplotype", "child", "start"]
    return pd.DataFrame([row], columns=names)


@pytest.mark.parametrize("haplotype", [0, 1])
@pytest.mark.parametrize("position", [0, 10_500_499, 10_500_500, 40_000_000])
def test_a_forced_transmission_hands_on_the_wanted_haplotype(people, pedigree, haplotype, position):
    gametes = draw_gametes(pedigree, "chr22", uniform_map("chr22", 1e-7), seed=1)
    child = int(np.flatnonzero(~pedigree.founder)[3])
    mother = int(pedigree.mother[child])
    forced = force_transmissions(gametes, people, plan(people, child, mother, haplotype, position))
    this = (gametes.child == child) & (gametes.parent == mother)
    assert forced.strand_at(position)[this].tolist() == [haplotype]
    assert (forced.start[~this] == gametes.start[~this]).all()
    assert forced.crossover is gametes.crossover


def test_an_impossible_transmission_is_refused(people, pedigree):
    gametes = draw_gametes(pedigree, "chrX", uniform_map("chrX", RATE), seed=1)
    son = int(np.flatnonzero(pedigree.male & ~pedigree.founder)[0])
    with pytest.raises(InputError, match="a child who inherits a haplotype of this contig from"):
        force_transmissions(gametes, people, plan(people, son, pedigree.father[son], 0, 5))


def test_two_transmissions_that_exclude_each_other_are_refused(people, pedigree):
    gametes = draw_gametes(pedigree, "chr22", uniform_map("chr22", 0.0), seed=1)
    child = int(np.flatnonzero(~pedigree.founder)[0])
    mother = int(pedigree.mother[child])
    both = pd.concat([plan(people, child, mother, h, 5 + h) for h in (0, 1)])
    with pytest.raises(InputError, match=r"one haplotype for ES-.*, found .* need both"):
        force_transmissions(gametes, people, both)


def test_crossovers_depend_on_the_contig_and_the_seed_only(pedigree):
    one, again, contig, seed = (
        draw_gametes(pedigree, contig, uniform_map(contig, RATE), seed)
        for contig, seed in (("chr1", 1), ("chr1", 1), ("chr2", 1), ("chr1", 2))
    )
    assert one.crossover.tolist() == again.crossover.tolist()
    assert len({tuple(g.start) for g in (one, contig, seed)}) == 3
