"""Heteroplasmy: levels from mothers to children, the major allele as genotype, HF in BCF."""

import numpy as np
import pandas as pd
import pytest
import tszip

from rehearsal.export.genotypes import Genotypes
from rehearsal.export.trees import write_trees as write_selected
from rehearsal.export.vcf import write_bcf
from rehearsal.genomes.drawn_reference import draw_reference
from rehearsal.genomes.heteroplasmy import BOTTLENECK, LEAST_LEVEL, heteroplasmy_of
from rehearsal.genomes.pedigree import Pedigree
from rehearsal.genomes.people import plan_people
from rehearsal.genomes.recombination import uniform_map
from rehearsal.genomes.simulate import SimulationSettings, simulate_block, write_trees
from rehearsal.model import Block, PlantedVariant, Variant
from rehearsal.stores.country_shards import write_shards
from rehearsal.truth.heteroplasmy import list_mixtures
from tests.unit.export.test_genotypes import needs, output

BLOCK = Block("chrM", 0, 16_569)
SHARE = 0.5


@pytest.fixture(scope="module")
def people(countries):
    return plan_people(countries, {"ES": 400, "FI": 200}, 0.9, [], seed=3)[0]


@pytest.fixture(scope="module")
def simulate(people, demography):
    plan = plan_people([], {}, 0.0, [], seed=1)[1]

    def run(share, planted=()):
        settings = SimulationSettings(demography, 1.29e-8, 4.0, seed=2, heteroplasmy=share)
        reference = draw_reference(BLOCK, 1)
        return simulate_block(
            BLOCK, people, plan, planted, settings, uniform_map("chrM", 0.0), reference
        )

    return run


@pytest.fixture(scope="module")
def ts(simulate):
    return simulate(SHARE)


def calls(ts):
    """The called allele of everybody at every site, by position."""
    owner = ts.nodes_individual[ts.samples()]
    found = {}
    for variant in ts.variants():
        letters = np.array(variant.alleles, dtype=object)[variant.genotypes]
        found[int(variant.position)] = dict(zip(owner.tolist(), letters, strict=True))
    return found


def test_the_share_of_founders_is_the_configured_one(ts, people):
    founder = Pedigree.of(people).founder
    table = heteroplasmy_of(ts)
    mixed = np.isin(np.flatnonzero(founder), table["individual"])
    assert mixed.mean() == pytest.approx(SHARE, abs=4 * (0.25 / founder.sum()) ** 0.5)
    assert not table["individual"].duplicated().any()
    minor = np.minimum(table["level"], 1 - table["level"])
    assert minor.min() >= LEAST_LEVEL - 1e-4 and minor.max() <= 0.5


def test_the_genotype_is_the_major_allele(ts):
    called = calls(ts)
    for row in heteroplasmy_of(ts).itertuples():
        is_alternate = called[row.position][row.individual] == row.alt
        assert is_alternate == (row.level > 0.5)


def test_children_have_their_mothers_mixture_changed_by_the_bottleneck(ts, people):
    pedigree, table = Pedigree.of(people), heteroplasmy_of(ts)
    own = {(r.individual, r.position): r.level for r in table.itertuples()}
    called, seen, pulls = calls(ts), [], []
    alternate = {r.position: r.alt for r in table.itertuples()}
    mixed_children = 0
    for child in np.flatnonzero(~pedigree.founder).tolist():
        mother = int(pedigree.mother[child])
        for position in {p for who, p in own if who in (mother, child)}:
            assert (mother, position) in own, "a mixture that the mother does not have"
            x = own[mother, position]
            lost = float(called[position][child] == alternate[position])
            y = own.get((child, position), lost)
            seen.append((child, position) in own)
            mixed_children += seen[-1]
            pulls.append((y - x) / (x * (1 - x) / BOTTLENECK) ** 0.5)
    assert len(seen) > 60
    # 59 % of mothers' mixtures were seen in children of the Genome of the Netherlands
    assert 0.4 < np.mean(seen) < 0.8
    assert abs(np.mean(pulls)) < 4 / len(pulls) ** 0.5
    assert 0.6 < np.var(pulls) < 1.5
    moved = heteroplasmy_of(ts)
    assert mixed_children == (~pedigree.founder[moved["individual"]]).sum()


def test_without_heteroplasmy_children_have_their_mothers_genotypes(simulate, people):
    ts = simulate(0.0)
    assert heteroplasmy_of(ts).empty
    assert "heteroplasmy" not in ts.metadata


def test_the_same_seed_gives_the_same_bytes(simulate, ts, tmp_path):
    for name, one in (("a", ts), ("b", simulate(SHARE))):
        write_trees(one, tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_planted_variants_are_not_mixed(simulate):
    reference = draw_reference(BLOCK, 1)
    other = {"A": "G", "C": "T", "G": "A", "T": "C"}
    planted = [
        PlantedVariant(
            Variant("chrM", start, reference[start], other[reference[start]]),
            *("MT", f"m.{start}", "dominant", "rare"),
            frequency={"*": 0.3},
        )
        for start in range(1000, 1400)
    ]
    table = heteroplasmy_of(simulate(1.0, planted))
    assert len(table) > 100
    assert not table["position"].between(1000, 1399).any()


def test_the_truth_lists_the_mixtures(ts, people, tmp_path):
    write_trees(ts, tmp_path / "m.trees")
    table, own = list_mixtures([tmp_path / "m.trees"], people), heteroplasmy_of(ts)
    assert table["individual"].tolist() == people["id"].iloc[own["individual"]].tolist()
    assert table["level"].tolist() == own["level"].tolist()


@needs("bcftools")
@pytest.mark.parametrize(("code", "is_node"), [("ES", False), ("FI", True), (None, False)])
def test_bcf_has_the_level_of_each_alternate_allele(ts, people, tmp_path, code, is_node):
    keep = None if code is None else (people["country"] == code).to_numpy()
    if is_node:
        write_shards(ts, BLOCK, people, {code: tmp_path / "m.bcf"}, {})
    else:
        write_bcf(Genotypes.of([ts], "chrM", people, keep), tmp_path / "m.bcf")
    text = output(
        "bcftools", "query", "-f", "[%POS\t%ALT\t%SAMPLE\t%GT\t%HF\n]", tmp_path / "m.bcf"
    )
    levels = {
        (people["id"].iloc[r.individual], r.position): (r.alt, r.level)
        for r in heteroplasmy_of(ts).itertuples()
    }
    shown = 0
    for line in text.splitlines():
        position, alts, sample, call, fractions = line.split("\t")
        alts, fractions = alts.split(","), [float(f) for f in fractions.split(",")]
        expected = [float(int(call) == number) for number in range(1, len(alts) + 1)]
        mixed = levels.get((sample, int(position) - 1))
        if mixed:
            expected[alts.index(mixed[0])] = mixed[1]
            shown += 1
        assert fractions == pytest.approx(expected, abs=1e-4)
    inside = pd.Series([who[:2] for who, _ in levels])
    assert shown == ((inside == code).sum() if code else len(levels))


def test_exported_trees_list_the_levels_of_their_own_people(ts, people, tmp_path):
    keep = (people["country"] == "FI").to_numpy()
    write_selected(Genotypes.of([ts], "chrM", people, keep), tmp_path / "m.tsz")
    exported = tszip.decompress(tmp_path / "m.tsz")
    names = [one.metadata["id"] for one in exported.individuals()]
    found = {
        (names[r.individual], r.position): r.level for r in heteroplasmy_of(exported).itertuples()
    }
    expected = {
        (people["id"].iloc[r.individual], r.position): r.level
        for r in heteroplasmy_of(ts).itertuples()
        if keep[r.individual]
    }
    assert found == expected and len(found) > 20
