"""Variants of a run stand on its reference, as bcftools sees it."""

import re
import subprocess

import msprime
import pytest

from rehearsal.export.genotypes import Genotypes
from rehearsal.export.vcf import write_bcf
from rehearsal.genomes.drawn_reference import DrawnReference, stretches_with_bases
from rehearsal.genomes.known_bases import with_planted
from rehearsal.genomes.people import plan_people
from rehearsal.genomes.recombination import uniform_map
from rehearsal.genomes.reference import read_reference
from rehearsal.genomes.reference_files import write_reference
from rehearsal.genomes.simulate import SimulationSettings, simulate_block
from rehearsal.model import Block, Country, PlantedVariant, Variant

BLOCK = Block("chr22", 20_000_000, 20_400_000)
PLANTED = [
    PlantedVariant(
        Variant("chr22", 20_200_000, "ACT", "A"), "GENE", "v", "dominant", "", {"*": 0.2}
    )
]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    source = DrawnReference(4, real=with_planted([], PLANTED))
    fasta = folder / "reference.fa.gz"
    write_reference(fasta, folder / "contigs.json", stretches_with_bases([BLOCK], []), source)
    codes = ("ES", "FI")
    countries = [Country(c, c, 50.0, 10.0, 5.0, c, 50.0, 10.0, "no") for c in codes]
    people, plan = plan_people(countries, dict.fromkeys(codes, 30), 0.3, PLANTED, 4)
    demography = msprime.Demography.island_model([10_000] * 2, 1e-3)
    for population, code in zip(demography.populations, codes, strict=True):
        population.name = code
    ts = simulate_block(
        *(BLOCK, people, plan, PLANTED),
        SimulationSettings(demography, mutation_rate=1.29e-8, kappa=4.0, seed=4),
        uniform_map("chr22", 1.1e-8),
        read_reference(fasta, BLOCK),
    )
    write_bcf(Genotypes.of([ts], "chr22", people), folder / "all.bcf")
    return fasta, folder / "all.bcf"


def test_bcftools_norm_finds_every_ref_in_the_reference_and_every_indel_left_aligned(files):
    fasta, bcf = map(str, files)
    done = subprocess.run(
        [
            "bcftools",
            "norm",
            "--check-ref",
            "e",
            "--fasta-ref",
            fasta,
            "-Ob",
            "-o",
            "/dev/null",
            bcf,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    total, *changed = map(int, re.search(r"Lines.*:\s+([\d/]+)", done.stderr)[1].split("/"))
    assert total > 1_000
    assert not any(changed)  # split, joined, realigned, skipped


def test_bcftools_norm_finds_a_wrong_ref(files, tmp_path):
    """The check above can fail."""
    fasta, bcf = files
    lines = subprocess.run(
        ["bcftools", "view", str(bcf)], capture_output=True, text=True, check=True
    ).stdout.replace("\t20200001\t", "\t20200003\t")
    wrong = tmp_path / "wrong.vcf"
    wrong.write_text(lines)
    command = ["bcftools", "norm", "--check-ref", "e", "--fasta-ref", str(fasta), str(wrong)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode
