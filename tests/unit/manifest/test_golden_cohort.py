"""The one cohort whose content is written down here: the same seed gives the same people."""

import hashlib
from importlib.metadata import version

import msprime
import pytest

from rehearsal.genomes.drawn_reference import draw_reference
from rehearsal.genomes.known_bases import with_planted
from rehearsal.genomes.people import plan_people
from rehearsal.genomes.recombination import uniform_map
from rehearsal.genomes.simulate import SimulationSettings, simulate_block
from rehearsal.model import Block, Country, PlantedVariant, Variant
from rehearsal.phenotypes.subjects import standard_noise, subjects

GOLDEN_SEED = 20181
# Drawn by these versions. When one of them is upgraded and a test below fails: read its change
# log for what it draws differently, run the test again on the old version to be sure that nothing
# else has changed, then write the new versions and digests here and say so in the release notes:
# users' cohorts of the same seed change too.
GOLDEN_VERSIONS = {"msprime": "1.4.4", "numpy": "2.4.6", "tskit": "1.0.3"}
GOLDEN_PEOPLE = "f7e0ee45a14c8c30254be86e5a6ea027348090af7f429afee48d206afab424a8"
GOLDEN_GENOMES = "2a1ebfbab33856dc26a4006f2fa3d63fbe179650feef200fd9fa13abda20fb99"
GOLDEN_NOISE = "159a8cfcbd94052b244d56ea5cdc7c324ee4382a8891c692ce187cc0e024fa69"


def changed_versions():
    """The packages that draw, where they are not those that the golden cohort was drawn by."""
    now = {name: version(name) for name in GOLDEN_VERSIONS}
    return {name: now[name] for name in now if now[name] != GOLDEN_VERSIONS[name]} or "no package"


@pytest.fixture(scope="module")
def golden():
    """People and genomes: 3 countries of 24 people with families, 50 kb, one planted variant."""
    codes = ("ES", "FI", "IE")
    countries = [Country(c, c, 50.0, 10.0, 5.0, c, 50.0, 10.0, "no") for c in codes]
    demography = msprime.Demography.island_model([5_000] * 3, 1e-3)
    for population, code in zip(demography.populations, codes, strict=True):
        population.name = code
    planted = [
        PlantedVariant(
            Variant("chr22", 20_025_000, "ACT", "A"), "GENE", "v", "dominant", "", {"*": 0.1}
        )
    ]
    people, plan = plan_people(countries, dict.fromkeys(codes, 24), 0.5, planted, GOLDEN_SEED)
    block = Block("chr22", 20_000_000, 20_050_000)
    ts = simulate_block(
        *(block, people, plan, planted),
        SimulationSettings(demography, mutation_rate=1.29e-8, kappa=4.0, seed=GOLDEN_SEED),
        uniform_map("chr22", 1.1e-8),
        draw_reference(block, GOLDEN_SEED, with_planted([], planted)),
    )
    return people, ts


def sha256(*parts):
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()


def test_the_golden_people_are_those_of_the_first_release(golden):
    found = sha256(golden[0].to_csv(index=False))
    assert found == GOLDEN_PEOPLE, f"other people; upgraded: {changed_versions()}"


def test_the_golden_genomes_are_those_of_the_first_release(golden):
    sites = ((v.site.position, v.alleles, v.genotypes.tolist()) for v in golden[1].variants())
    assert sha256(*sites) == GOLDEN_GENOMES, f"other genomes; upgraded: {changed_versions()}"


def test_the_golden_noise_is_that_of_the_first_release(golden):
    noise = standard_noise(subjects(golden[0], 2026), GOLDEN_SEED, "height")
    found = sha256(*(f"{value:.12f}" for value in noise))
    assert found == GOLDEN_NOISE, f"other noise; upgraded: {changed_versions()}"
