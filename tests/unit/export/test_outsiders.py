"""Programs of others judge the genomes of a small cohort that has every class of variant."""

import re
import subprocess
from pathlib import Path

import msprime
import numpy as np
import pandas as pd
import pysam
import pytest
import yaml

from rehearsal.export.genotypes import Genotypes
from rehearsal.export.pgen import write_pgen
from rehearsal.export.vcf import write_bcf
from rehearsal.genomes.drawn_reference import draw_reference
from rehearsal.genomes.hotspots import Hotspots, hotspot_map
from rehearsal.genomes.indel_shifts import row_shifts
from rehearsal.genomes.people import plan_people
from rehearsal.genomes.simulate import SimulationSettings, simulate_block
from rehearsal.model import Block, Country
from rehearsal.node.beacon.vrs import GAIN, LOSS, copy_number_identifiers, identifiers
from tests.unit.export.test_genotypes import needs, output

BLOCK = Block("chr20", 1_000_000, 1_400_000)
PEOPLE, SEED = 300, 6
GENOME = yaml.safe_load(Path("config/config.yaml").read_text())["genome"]


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    """People of one country, many in families, as BCF and PGEN, with the reference."""
    country = Country("ES", "ES", 40.0, -4.0, 5.0, "Capital", 40.0, -4.0, "no")
    people, plan = plan_people([country], {"ES": PEOPLE}, 0.3, [], SEED)
    demography = msprime.Demography()
    demography.add_population(name="ES", initial_size=10_000)
    settings = SimulationSettings(demography, mutation_rate=1.29e-8, kappa=4.0, seed=SEED)
    bases = draw_reference(BLOCK, SEED)
    recombination = hotspot_map(BLOCK.contig, 1.1e-8, Hotspots.of_genome(GENOME), SEED)
    ts = simulate_block(BLOCK, people, plan, [], settings, recombination, bases)
    folder = tmp_path_factory.mktemp("cohort")
    fasta = folder / "reference.fa"
    fasta.write_text(f">{BLOCK.contig}\n{'N' * BLOCK.start}{bases}\n")
    pysam.faidx(str(fasta))
    genotypes = Genotypes.of([ts], BLOCK.contig, people)
    write_bcf(genotypes, folder / "x.bcf")
    write_pgen(genotypes, folder / "x.pgen")
    return folder, genotypes


def alleles(genotypes):
    """Position, alleles and copies of each alternate allele of all records."""
    for records in genotypes.records():
        for site, letters in enumerate(records.alleles):
            own = records.allele[slice(*records.indptr[site : site + 2])]
            copies = np.bincount(own, minlength=len(letters))[1:]
            yield int(records.position[site]), letters, copies


@needs("bcftools")
def test_bcftools_counts_the_classes(cohort):
    folder, genotypes = cohort
    rows = list(alleles(genotypes))
    text = output("bcftools", "stats", "-F", folder / "reference.fa", folder / "x.bcf")
    found = {
        line.split("\t")[2].rstrip(":"): int(line.split("\t")[3])
        for line in text.splitlines()
        if line.startswith("SN\t")
    }

    def kinds(letters):
        for alt in letters[1:]:
            yield "other" if alt[0] == "<" else "SNP" if len(alt) == len(letters[0]) else "indel"

    assert found["number of records"] == len(rows)
    assert found["number of SNPs"] == sum("SNP" in kinds(row[1]) for row in rows)
    assert found["number of indels"] == sum("indel" in kinds(row[1]) for row in rows)
    assert found["number of others"] == sum("other" in kinds(row[1]) for row in rows) > 0
    assert found["number of multiallelic sites"] == sum(len(row[1]) > 2 for row in rows) > 0


@needs("bcftools")
def test_bcftools_norm_changes_nothing(cohort):
    folder, genotypes = cohort
    command = ["bcftools", "norm", "-c", "e", "-f", folder / "reference.fa", folder / "x.bcf"]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=True)
    (summary,) = re.findall(r"total/split/(?:joined/)?realigned/skipped:\s*(\S+)", done.stderr)
    total, *others = map(int, summary.split("/"))
    assert total == sum(1 for _ in alleles(genotypes)) and not any(others[:-1])
    before = output("bcftools", "view", "-H", folder / "x.bcf")
    after = "".join(f"{line}\n" for line in done.stdout.splitlines() if line[0] != "#")
    assert after == before


@needs("bcftools")
def test_families_have_no_mendelian_error(cohort, tmp_path):
    folder, genotypes = cohort
    if "mendelian" not in output("bcftools", "plugin", "-l"):
        pytest.skip("bcftools has no plugin mendelian")
    children = genotypes.people.dropna(subset=["father", "mother"])
    known = set(genotypes.people["id"])
    trios = [
        f"{row.mother},{row.father},{row.id}\n"
        for row in children.itertuples()
        if {row.mother, row.father} <= known
    ]
    (tmp_path / "trios.txt").write_text("".join(trios))
    options = ("-T", tmp_path / "trios.txt", "-m", "c")
    done = subprocess.run(
        ["bcftools", "+mendelian", str(folder / "x.bcf"), *map(str, options)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    rows = [x.split() for x in (done.stdout + done.stderr).splitlines() if x and x[0] != "#"]
    counts = np.array([row[:3] for row in rows if row[0].isdigit()], int)
    records = sum(1 for _ in alleles(genotypes))
    assert len(counts) == len(trios) > 20
    good, bad, skipped = counts.T
    assert not bad.any() and not skipped.any() and (good == records).all()


@needs("plink2")
def test_plink2_counts_the_same_alleles_and_genotypes(cohort, tmp_path):
    folder, genotypes = cohort
    command = ("plink2", "--pfile", folder / "x", "--freq", "counts", "--hardy", "midp")
    output(*command, "--nonfounders", "--out", tmp_path / "x")
    counts = pd.read_csv(tmp_path / "x.acount", sep="\t", dtype=str)
    expected = {f"{BLOCK.contig}-{row[0] + 1}-{row[1][0]}-{'/'.join(row[1][1:])}": row[2].tolist()
                for row in alleles(genotypes)}  # fmt: skip
    found = {
        row["ID"]: list(map(int, row["ALT_CTS"].split(","))) for row in counts.to_dict("records")
    }
    assert found == expected
    assert (counts["OBS_CT"].astype(int) == 2 * PEOPLE).all()
    hardy = pd.read_csv(tmp_path / "x.hardy", sep="\t", dtype={"A1": str})
    assert (hardy["MIDP"] < 1e-6).mean() < 0.001  # mating is random within the country


def test_ga4gh_vrs_computes_the_same_identifiers(cohort):
    """Of substitutions, insertions, deletions and copy numbers, on the run's own sequence."""
    models = pytest.importorskip("ga4gh.vrs.models", reason="ga4gh.vrs is not installed")
    from ga4gh.core import ga4gh_identify
    from ga4gh.vrs import normalize
    from ga4gh.vrs.dataproxy import _DataProxy

    folder, genotypes = cohort
    accession = "SQ.7B7SHsmchAR0dFcDCuSFjJAo7tX87krQ"
    with pysam.FastaFile(str(folder / "reference.fa")) as fasta:
        bases = fasta.fetch(BLOCK.contig)

    class Sequences(_DataProxy):
        def get_sequence(self, identifier, start=None, end=None):
            return bases[start:end]

        def get_metadata(self, identifier):
            return {"length": len(bases), "aliases": [f"ga4gh:{accession}"]}

    def name(start, end, state):
        place = models.SequenceLocation(
            sequenceReference=models.SequenceReference(refgetAccession=accession),
            start=start,
            end=end,
        )
        if state in ("loss", "gain"):
            return ga4gh_identify(models.CopyNumberChange(location=place, copyChange=state))
        letters = models.LiteralSequenceExpression(sequence=state)
        return ga4gh_identify(normalize(models.Allele(location=place, state=letters), Sequences()))

    found = {}  # ours and theirs by kind and allele
    for chunk, _ in genotypes.chunks():
        shifts = row_shifts(chunk, bases[BLOCK.start :], BLOCK.start).tolist()
        rows = (
            (place, end, ref, alt)
            for place, end, (ref, *alts) in zip(
                chunk.positions.tolist(), chunk.affected_end.tolist(), chunk.alleles, strict=True
            )
            for alt in alts
        )
        for (start, end, ref, alt), shift in zip(rows, shifts, strict=True):
            if alt.startswith("<CN"):
                word, term = ("loss", LOSS) if alt == "<CN0>" else ("gain", GAIN)
                ours = copy_number_identifiers(start + 1, end, term, accession)
                theirs = name(start + 1, end, word)
            elif alt.startswith("<"):
                continue
            else:
                ours = identifiers(BLOCK.contig, start, ref, alt, shift, accession)
                theirs = name(start, start + len(ref), alt)
            found[len(alt) - len(ref), start, alt] = dict(ours)["2.0"], theirs
    assert sum(key[0] < 0 for key in found) > 50 and sum(key[0] > 0 for key in found) > 50
    assert [key for key, (ours, theirs) in found.items() if ours != theirs] == []


@needs("beagle")
@needs("bcftools")
def test_beagle_finds_the_phase_again(cohort, tmp_path):
    """Without linkage disequilibrium half of all heterozygous sites would be switched."""
    folder, genotypes = cohort
    people = genotypes.people
    founders = people.loc[people["father"].isna(), "id"].tolist()
    assert len(founders) >= 200
    masked = tmp_path / "masked.vcf.gz"
    chain = f"bcftools view -s {','.join(founders)} -m2 -M2 -v snps -q 0.01:minor {folder}/x.bcf"
    subprocess.run(f"{chain} -Ob -o {tmp_path}/true.bcf", shell=True, check=True)
    text = output("bcftools", "view", tmp_path / "true.bcf")
    unphased = re.sub(r"\t([01])\|([01])(?=[\t\n])", unphase, text)
    with pysam.BGZFile(str(masked), "w") as file:
        file.write(unphased.encode())
    output("beagle", f"gt={masked}", f"out={tmp_path / 'phased'}", "nthreads=1", f"seed={SEED}")
    true, phased = (haplotypes(tmp_path / name) for name in ("true.bcf", "phased.vcf.gz"))
    switches = places = 0
    for person in range(len(founders)):
        own = true[:, person, 0] != true[:, person, 1]
        same = true[own, person, 0] == phased[own, person, 0]
        switches += int((same[1:] != same[:-1]).sum())
        places += max(0, len(same) - 1)
    assert places > 10_000
    assert switches / places < 0.05, switches / places  # 0.0001 were found


def unphase(call):
    """Write a genotype without its phase: the reference allele comes first."""
    return "\t" + "/".join(sorted(call.groups()))


def haplotypes(path):
    with pysam.VariantFile(str(path)) as file:
        return np.array(
            [[sample["GT"] for sample in record.samples.values()] for record in file], np.int8
        )
