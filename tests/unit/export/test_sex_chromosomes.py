"""Whole chrX in one file: men are diploid in the pseudo-autosomal regions, haploid between them."""

import shutil
import zipfile

import msprime
import numpy as np
import pandas as pd
import pytest
import zarr

from rehearsal.export.genotypes import Genotypes
from rehearsal.export.pgen import write_pgen
from rehearsal.export.vcf import write_bcf
from rehearsal.export.vcf_zarr import write_vcf_zarr
from rehearsal.genomes.drawn_reference import draw_reference
from rehearsal.genomes.people import plan_people
from rehearsal.genomes.recombination import uniform_map
from rehearsal.genomes.simulate import SimulationSettings, simulate_block
from rehearsal.model import Block, Country
from tests.unit.export.test_genotypes import needs, output

BLOCKS = [
    Block("chrX", 2_771_479, 2_781_479),
    Block("chrX", 2_781_479, 3_581_479),
    Block("chrX", 155_701_382, 155_706_382),
]
MEN_DIPLOID = (True, False, True)


@pytest.fixture(scope="module")
def cohort():
    """People of one country, nearly all in families, and the blocks' tree sequences."""
    country = Country("ES", "ES", 50.0, 10.0, 5.0, "Capital", 50.0, 10.0, "no")
    people, plan = plan_people([country], {"ES": 60}, 0.9, [], seed=4)
    demography = msprime.Demography()
    demography.add_population(name="ES", initial_size=10_000)
    settings = SimulationSettings(demography, mutation_rate=3e-8, kappa=4.0, seed=2)
    recombination = uniform_map("chrX", 1e-8)
    trees = [
        simulate_block(block, people, plan, [], settings, recombination, draw_reference(block, 1))
        for block in BLOCKS
    ]
    return people, trees


@pytest.fixture(scope="module")
def genotypes(cohort):
    people, trees = cohort
    return Genotypes.of(trees, "chrX", people)


def test_men_have_as_many_copies_as_their_place_says(cohort):
    people, trees = cohort
    male = (people["sex"] == "male").to_numpy()
    for ts, diploid in zip(trees, MEN_DIPLOID, strict=True):
        copies = np.bincount(ts.nodes_individual[ts.samples()])
        assert copies.tolist() == np.where(male & (not diploid), 1, 2).tolist()


@needs("bcftools")
def test_one_bcf_has_diploid_and_haploid_men(genotypes, cohort, tmp_path):
    people, trees = cohort
    path = tmp_path / "x.bcf"
    write_bcf(genotypes, path)
    text = output("bcftools", "query", "-f", "%POS\t%AN\t%AC\t%AC_Hemi[\t%GT]\n", path)
    rows = [line.split("\t") for line in text.splitlines()]
    assert len(rows) == sum(ts.num_sites for ts in trees)
    men = np.flatnonzero(people["sex"] == "male")
    heterozygous_men = 0
    for position, an, ac, hemizygous, *calls in rows:
        diploid = not 2_781_479 < int(position) <= 155_701_382
        assert {len(calls[i].split("|")) for i in men} == {2 if diploid else 1}
        alleles = [a for call in calls for a in call.split("|")]
        assert int(an) == len(alleles)
        assert sum(map(int, ac.split(","))) == sum(a != "0" for a in alleles)
        assert diploid <= (set(hemizygous.split(",")) == {"0"})
        heterozygous_men += diploid * sum(len(set(calls[i].split("|"))) == 2 for i in men)
    assert heterozygous_men > 0


@needs("bcftools")
def test_bcftools_guesses_the_sexes_from_the_genotypes(genotypes, cohort, tmp_path):
    path = tmp_path / "x.bcf"
    write_bcf(genotypes, path)
    guessed = output("bcftools", "+guess-ploidy", path, "-g", "hg38", "-t", "GT")
    sexes = dict(line.split()[:2] for line in guessed.splitlines() if not line.startswith("#"))
    right = cohort[0]["id"].map(sexes) == cohort[0]["sex"].str[0].str.upper()
    male = cohort[0]["sex"] == "male"
    # a woman whose haplotypes are alike in 800 kb looks like a man
    assert right[male].all() and right[~male].mean() > 0.9


@needs("plink2")
def test_plink2_counts_the_same_alleles_with_men_diploid_in_par(genotypes, cohort, tmp_path):
    people, trees = cohort
    write_pgen(genotypes, tmp_path / "x.pgen")
    output("plink2", "--pfile", tmp_path / "x", "--freq", "counts", "--nonfounders", "--hardy",
           "--max-alleles", "2", "--out", tmp_path / "own")  # fmt: skip
    counts = pd.read_csv(tmp_path / "own.acount", sep="\t", dtype=str).set_index("ID")
    seen = {"PAR1": 0, "X": 0, "chrX": 0, "PAR2": 0}
    for ts in trees:
        for variant in ts.variants():
            if len(variant.alleles) > 2:
                continue
            start, (ref, alt) = int(variant.position) + 1, variant.alleles
            row = counts.loc[f"chrX-{start}-{ref}-{alt}"]
            assert int(row["OBS_CT"]) == ts.num_samples
            assert int(row["ALT_CTS"]) == (variant.genotypes == 1).sum()
            seen[row["#CHROM"]] += 1
    assert seen["PAR1"] > 10 and seen["PAR2"] > 5 and seen["X"] + seen["chrX"] > 10
    hardy = pd.read_csv(tmp_path / "own.hardy", sep="\t")  # autosomal: everybody counts
    assert set(hardy["#CHROM"]) == {"PAR1", "PAR2"}
    assert (hardy[["HOM_A1_CT", "HET_A1_CT", "TWO_AX_CT"]].sum(axis=1) == len(people)).all()
    assert (hardy["P"] > 1e-6).all()


@needs("plink2")
def test_split_par_of_plink2_gives_the_same_contigs(genotypes, tmp_path):
    write_pgen(genotypes, tmp_path / "x.pgen")
    merged = tmp_path / "merged"
    for suffix in ("pgen", "psam", "pvar"):
        shutil.copy(tmp_path / f"x.{suffix}", f"{merged}.{suffix}")
    pvar = (tmp_path / "x.pvar").read_text()
    plain = pvar.replace("\nPAR1\t", "\nchrX\t").replace("\nPAR2\t", "\nchrX\t")
    assert plain != pvar
    (tmp_path / "merged.pvar").write_text(plain)
    for name, more in (("x", ()), ("merged", ("--split-par", "hg38"))):
        output("plink2", "--pfile", tmp_path / name, *more, "--freq", "counts", "--make-just-pvar",
               "--out", tmp_path / f"{name}-out")  # fmt: skip
    for suffix in ("acount", "pvar"):
        own, split = ((tmp_path / f"{n}-out.{suffix}").read_text() for n in ("x", "merged"))
        assert own.splitlines()[-200:] == split.splitlines()[-200:]


def test_vcf_zarr_holds_both_ploidies(genotypes, cohort, tmp_path):
    people, trees = cohort
    write_vcf_zarr(genotypes, tmp_path / "x.vcz.zip")
    with zipfile.ZipFile(tmp_path / "x.vcz.zip") as archive:
        archive.extractall(tmp_path / "x.vcz")
    group = zarr.open(tmp_path / "x.vcz", mode="r")
    calls, place = group["call_genotype"][:], group["variant_position"][:]
    men = (people["sex"] == "male").to_numpy()
    haploid = (place > 2_781_479) & (place <= 155_701_382)
    assert (calls[haploid][:, men, 1] == -2).all()
    assert (calls[~haploid] >= 0).all() and (calls[haploid][:, ~men] >= 0).all()
    assert len(place) == sum(ts.num_sites for ts in trees)


def fathers_and_children(people):
    index = {name: row for row, name in enumerate(people["id"])}
    for row, father in enumerate(people["father"]):
        if father is not None and father == father:
            yield index[father], row


def test_near_the_border_sons_have_their_fathers_y(cohort):
    """10 kb from the border a crossover is rare: sons share their father's second haplotype."""
    people, trees = cohort
    matrix = trees[0].genotype_matrix()
    nodes = [trees[0].individual(row).nodes for row in range(len(people))]
    agree = []
    for father, child in fathers_and_children(people):
        own = int(people["sex"].iloc[child] == "male")
        agree.append((matrix[:, nodes[child][1]] == matrix[:, nodes[father][own]]).all())
    assert len(agree) > 15 and np.mean(agree) > 0.9


def test_a_child_has_an_allele_of_its_father_at_every_site(cohort):

    people, trees = cohort
    for ts in trees:
        matrix = ts.genotype_matrix()
        nodes = [ts.individual(row).nodes for row in range(len(people))]
        for father, child in fathers_and_children(people):
            if len(nodes[child]) == 2:
                given, options = matrix[:, nodes[child][1]], matrix[:, nodes[father]]
                assert (options == given[:, None]).any(axis=1).all()
