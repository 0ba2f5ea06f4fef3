"""One selection in every genotype format, read back by the field's own readers."""

import gzip
import hashlib
import re
import shutil
import subprocess
import sys
from pathlib import Path

import msprime
import numpy as np
import pandas as pd
import pgenlib
import pytest
import tszip
import zarr

from rehearsal.errors import InputError
from rehearsal.export.genotypes import Genotypes
from rehearsal.export.pgen import write_pgen
from rehearsal.export.phenotype_tables import phenotype_columns
from rehearsal.export.settings import check_package
from rehearsal.export.trees import write_grg, write_trees
from rehearsal.export.vcf import write_bcf, write_vcf
from rehearsal.export.vcf_zarr import write_vcf_zarr
from rehearsal.files import content_digest
from rehearsal.formats.vcf_numbers_kernel import NOT_OURS
from rehearsal.genomes.carriers import Haplotypes
from rehearsal.genomes.structural import SITE_SCHEMA
from rehearsal.model import Block, Variant

SYNTHETIC = "SYNTHETIC data: simulated people"
LENGTH = 4000
WOMEN, MEN = 6, 5  # per country
STRUCTURAL = (  # alleles and length; the people of Finland have none of some of them
    (["<DEL>"], 320),
    (["<DUP:TANDEM>"], 75),
    (["<INS:ME:ALU>"], 281),
    (["<INV>"], 640),
    (["<CN0>", "<CN3>"], 500),
    (["<INS:ME:L1>"], 1900),
    (["<DEL>"], 50),
)


def example_people():
    """Two countries, women first in each, and one family."""
    rows = []
    for code in ("FI", "ES"):
        for number, sex in enumerate(["female"] * WOMEN + ["male"] * MEN):
            rows.append({"id": f"{code}-{number:06d}", "country": code, "sex": sex})
    people = pd.DataFrame(rows).assign(birth_year=1980, family=None, father=None, mother=None)
    people.loc[[0, 6, 7], "family"] = "FI-F1"
    people.loc[7, ["father", "mother"]] = ["FI-000006", "FI-000000"]
    return people


def example_trees(contig="chr22", seed=3):
    """Simulate recurrent mutation, and add indels, structural variants and both ends of the contig.

    On chrX men are haploid. Everyone carries the derived allele of the last site.
    """
    ploidy = 1 if contig == "chrX" else 2
    samples = []
    for population in range(2):
        samples.append(msprime.SampleSet(WOMEN, population=population, ploidy=2))
        samples.append(msprime.SampleSet(MEN, population=population, ploidy=ploidy))
    ts = msprime.sim_ancestry(
        samples,
        demography=msprime.Demography.island_model([60, 60], 1e-3),
        sequence_length=LENGTH,
        recombination_rate=1e-5,
        random_seed=seed,
    )
    ts = msprime.sim_mutations(ts, rate=1.5e-3, random_seed=seed)
    taken = set(ts.sites_position.astype(int))
    places = range(300, LENGTH, 450)[: len(STRUCTURAL)]
    free = [x for x in range(100, LENGTH - 100) if x not in taken.union(places)][:2]
    ends = np.isin(ts.sites_position, [0, *places, LENGTH - 1])
    tables = ts.delete_sites(np.flatnonzero(ends)).dump_tables()
    last = ts.num_samples - 1
    add(tables, ts, 0, "A", {0: "G", last: "T"})
    add(tables, ts, free[0], "ACT", {1: "A", 5: "AGCT", last: "A"})
    add(tables, ts, free[1], "C", {2: "CTTG", 3: "T", last - 1: "G"})
    add(tables, ts, LENGTH - 1, "C", dict.fromkeys(range(ts.num_samples), "T"))
    tables.sites.metadata_schema = SITE_SCHEMA
    for number, (place, (alleles, size)) in enumerate(zip(places, STRUCTURAL, strict=True)):
        end = place + 1 + (0 if alleles[0].startswith("<INS") else size)
        carriers = {5 * number + i: allele for i, allele in enumerate(alleles)}
        add(tables, ts, place, "G", carriers, {"end": end, "svlen": size})
    tables.sort()
    tables.build_index()
    tables.compute_mutation_parents()
    return tables.tree_sequence()


def add(tables, ts, position, ancestral, derived, metadata=None):
    site = tables.sites.add_row(position, ancestral, metadata=metadata)
    for node, state in derived.items():
        tables.mutations.add_row(
            site=site, node=node, derived_state=state, time=ts.nodes_time[node]
        )


def structural_fields(genotypes):
    """SVTYPE, END and SVLEN by allele, by 1-based position, from the metadata of sites."""
    found = {}
    for ts in genotypes.trees():
        for variant in ts.variants():
            site = variant.site
            if site.metadata is not None and variant.genotypes.any():
                carried = {variant.alleles[a] for a in set(variant.genotypes.tolist()) - {0}}
                size, factor = site.metadata["svlen"], {"DEL": -1, "CN0": -1, "CN3": 2}
                lengths = {alt: size * factor.get(alt[1:4], 1) for alt in carried}
                kind = min(carried)[1:4].replace("CN0", "CNV")
                found[int(site.position) + 1] = kind, site.metadata["end"], lengths
    assert len(found) >= 3
    return found


def structural_fields_of_text(text):
    """The same from the INFO of VCF or PVAR."""
    found = {}
    for line in text.splitlines():
        columns = line.split("\t")
        if line.startswith("#") or "SVTYPE=" not in line:
            continue
        alts = columns[4].split(",")
        info = dict(x.split("=") for x in columns[-1 if len(columns) == 6 else 7].split(";"))
        lengths = dict(zip(alts, map(int, info["SVLEN"].split(",")), strict=True))
        found[int(columns[1])] = info["SVTYPE"], int(info["END"]), lengths
    return found


def digest(rows):
    """SHA-256 of (contig, 1-based position, alleles, genotypes of all people) in this order.

    A genotype is a tuple of allele numbers, one per copy of the contig. Alleles without a carrier
    are left out; alternate alleles are sorted by their letters.
    """
    total = hashlib.sha256()
    for contig, position, alleles, genotypes in rows:
        seen = {allele for genotype in genotypes for allele in genotype}
        kept = [0, *sorted(seen - {0}, key=lambda allele: alleles[allele])]
        calls = [tuple(kept.index(a) for a in genotype) for genotype in genotypes]
        total.update(repr((contig, position, [alleles[a] for a in kept], calls)).encode())
    return total.hexdigest()


def needs(tool):
    return pytest.mark.skipif(shutil.which(tool) is None, reason=f"{tool} is not installed")


def output(*command):
    return subprocess.run(
        list(map(str, command)), check=True, capture_output=True, text=True
    ).stdout


@pytest.fixture(params=["chr22", "chrX"])
def example(request):
    """The genotypes of Finland, and the digest of the genotypes that tskit decodes."""
    contig = request.param
    ts, people = example_trees(contig), example_people()
    keep = (people["country"] == "FI").to_numpy()
    genotypes = Genotypes.of([ts], contig, people, keep)
    return genotypes, digest(by_tskit(ts, contig, np.flatnonzero(keep)))


def by_tskit(ts, contig, persons):
    """Decode with tskit, without the sites where all of these people have the reference."""
    haplotypes = Haplotypes.of(ts)
    nodes = [haplotypes.node[haplotypes.individual == person] for person in persons]
    index = {node: i for i, node in enumerate(ts.samples())}
    for variant in ts.variants():
        calls = [tuple(int(variant.genotypes[index[node]]) for node in own) for own in nodes]
        if any(any(call) for call in calls):
            yield contig, int(variant.site.position) + 1, list(variant.alleles), calls


def by_vcf_text(text):
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        contig, position, _, ref, alt, *_, kind, calls = line.split("\t", 9)
        assert kind.split(":")[0] == "GT"
        own = [call.split(":")[0] for call in calls.split("\t")]
        genotypes = [tuple(map(int, call.split("|"))) for call in own]
        yield contig, int(position), [ref, *alt.split(",")], genotypes


@needs("bcftools")
@pytest.mark.parametrize(("write", "name"), [(write_bcf, "x.bcf"), (write_vcf, "x.vcf.gz")])
def test_bcftools_reads_the_same_genotypes(example, tmp_path, write, name):
    genotypes, expected = example
    write(genotypes, tmp_path / name)
    text = output("bcftools", "view", tmp_path / name)
    assert digest(by_vcf_text(text)) == expected
    assert structural_fields_of_text(text) == structural_fields(genotypes)
    assert SYNTHETIC in text
    header = [line for line in text.splitlines() if line.startswith("##contig")]
    assert f"##contig=<ID={genotypes.contig},length={LENGTH},assembly=synthetic-GRCh38>" in header
    last = f"{genotypes.contig}:{LENGTH}-{LENGTH}"
    assert len(output("bcftools", "view", "-H", tmp_path / name, "-r", last).splitlines()) == 1
    assert {path.suffix for path in tmp_path.iterdir()} <= {".bcf", ".csi", ".gz", ".tbi"}


@needs("bcftools")
def test_vcf_is_what_bcftools_makes_of_the_bcf(example, tmp_path):
    genotypes, _ = example
    write_bcf(genotypes, tmp_path / "x.bcf")
    write_vcf(genotypes, tmp_path / "x.vcf.gz")
    expected = output("bcftools", "view", "--no-version", tmp_path / "x.bcf")
    assert gzip.decompress((tmp_path / "x.vcf.gz").read_bytes()).decode() == expected


@needs("tabix")
def test_tabix_finds_in_vcf_what_it_finds_with_its_own_index(example, tmp_path):
    genotypes, _ = example
    write_vcf(genotypes, tmp_path / "x.vcf.gz")
    shutil.copy(tmp_path / "x.vcf.gz", tmp_path / "y.vcf.gz")
    output("tabix", "-p", "vcf", tmp_path / "y.vcf.gz")
    size = LENGTH // 7
    for begin in range(1, LENGTH, size):
        region = f"{genotypes.contig}:{begin}-{begin + size}"
        found = output("tabix", tmp_path / "x.vcf.gz", region)
        assert found == output("tabix", tmp_path / "y.vcf.gz", region)
    counts = [output("bcftools", "index", "-n", tmp_path / f"{name}.vcf.gz") for name in "xy"]
    assert counts[0] == counts[1]


def test_a_number_between_two_texts_is_written_by_htslib(example, tmp_path, monkeypatch):
    genotypes, _ = example
    write_vcf(genotypes, tmp_path / "x.vcf.gz")
    usual = gzip.decompress((tmp_path / "x.vcf.gz").read_bytes())
    monkeypatch.setattr("rehearsal.formats.vcf.to_text", lambda *_: (0, 0, NOT_OURS))
    write_vcf(genotypes, tmp_path / "x.vcf.gz")
    assert gzip.decompress((tmp_path / "x.vcf.gz").read_bytes()) == usual


def copies_of(genotypes):
    """Copies of each person at places with several copy numbers, by 1-based position."""
    found = {}
    for records in genotypes.records():
        for site, (_, *alts) in enumerate(records.alleles):
            if not all(re.fullmatch(r"<CN\d+>", alt) for alt in alts):
                continue
            copies = np.array([1, *(int(alt[3:-1]) for alt in alts)])
            calls = np.zeros(records.owner.size, int)
            entries = slice(*records.indptr[site : site + 2])
            calls[records.haplotype[entries]] = records.allele[entries]
            own = np.bincount(records.owner, copies[calls], records.ploidy.size)
            found[int(records.position[site]) + 1] = own.astype(int).tolist()
    assert found
    return found


@needs("vcftools")
def test_vcftools_takes_vcf_4_2_which_differs_by_the_version_only(example, tmp_path):
    genotypes, _ = example
    usual, old = tmp_path / "usual.vcf.gz", tmp_path / "old.vcf.gz"
    write_vcf(genotypes, usual)
    write_vcf(genotypes, old, version="4.2")
    counting = ["vcftools", "--counts", "--out", str(tmp_path / "counts"), "--gzvcf"]
    refused = subprocess.run([*counting, str(usual)], capture_output=True, text=True, check=False)
    assert "must be v4.0, v4.1 or v4.2" in refused.stderr
    subprocess.run([*counting, str(old)], capture_output=True, check=True)
    counts = (tmp_path / "counts.frq.count").read_text().splitlines()
    lines = [gzip.decompress(one.read_bytes()).decode().splitlines() for one in (usual, old)]
    assert len(counts) - 1 == sum(not line.startswith("#") for line in lines[1])
    changed = {pair for pair in zip(*lines, strict=True) if pair[0] != pair[1]}
    assert changed == {("##fileformat=VCFv4.3", "##fileformat=VCFv4.2")}


@needs("bcftools")
@pytest.mark.parametrize("contig", ["chr22", "chrX"])
def test_bcf_has_the_copies_of_each_person_at_copy_numbers_only(contig, tmp_path):
    genotypes = Genotypes.of([example_trees(contig)], contig, example_people())
    write_bcf(genotypes, tmp_path / "x.bcf")
    found = {}
    for line in output("bcftools", "view", "-H", tmp_path / "x.bcf").splitlines():
        _, position, *_, kind, calls = line.split("\t", 9)
        if kind == "GT:CN":
            found[int(position)] = [int(call.split(":")[1]) for call in calls.split("\t")]
        else:
            assert kind == "GT"
    assert found == copies_of(genotypes)


def test_pgenlib_reads_the_same_genotypes(example, tmp_path):
    genotypes, expected = example
    path = tmp_path / "x.pgen"
    write_pgen(genotypes, path)
    pvar = pgenlib.PvarReader(bytes(path.with_suffix(".pvar")))
    rows = []
    ploidies = next(genotypes.records()).ploidy
    with pgenlib.PgenReader(bytes(path), pvar=pvar) as reader:
        codes = np.empty(2 * reader.get_raw_sample_ct(), np.int32)
        for variant in range(reader.get_variant_ct()):
            phased = np.empty(len(genotypes.people), np.uint8)
            reader.read_alleles_and_phasepresent(variant, codes, phased)
            assert phased.all()
            number = pvar.get_allele_ct(variant)
            letters = [pvar.get_allele_code(variant, a).decode() for a in range(number)]
            calls = [
                tuple(codes[2 * person : 2 * person + ploidy].tolist())
                for person, ploidy in enumerate(ploidies)
            ]
            contig = pvar.get_variant_chrom(variant).decode()
            rows.append((contig, pvar.get_variant_pos(variant), letters, calls))
    assert digest(rows) == expected


@needs("plink2")
def test_plink2_reads_the_same_genotypes_and_people(example, tmp_path):
    genotypes, expected = example
    path = tmp_path / "x.pgen"
    table = pd.DataFrame({"LDL": np.arange(11) / 10, "ill": [True] * 3 + [False] * 8})
    write_pgen(genotypes, path, table)
    options = ("--pfile", path.with_suffix(""), "--output-chr", "chrM", "--export", "vcf")
    if genotypes.contig == "chrX":  # men are haploid on all of it
        options += ("--not-chr", "PAR1")
    log = output("plink2", *options, "--out", tmp_path / "read")
    assert "11 samples (6 females, 5 males" in log and "2 phenotypes loaded" in log
    text = (tmp_path / "read.vcf").read_text()
    assert digest(by_vcf_text(text)) == expected
    assert structural_fields_of_text(text) == structural_fields(genotypes)
    assert "rehearsal: " + SYNTHETIC in path.with_suffix(".pvar").read_text()
    psam = path.with_suffix(".psam").read_text().splitlines()
    assert SYNTHETIC in psam[0]
    assert psam[9].split() == ["FI-F1", "FI-000007", "FI-000006", "FI-000000", "1", "0.7", "1"]


@needs("plink2")
def test_plink2_takes_every_phenotype_and_age_by_name(example, tmp_path):
    genotypes, _ = example
    ids = genotypes.people["id"]
    values = {"individual": ids, "code": "LOINC:8302-2", "value": np.arange(11) + 150.5}
    diseases = pd.DataFrame({"individual": ids[:3], "code": "ICD10:I25.1"})
    table = phenotype_columns(genotypes.people, pd.DataFrame(values), diseases, 2026)
    write_pgen(genotypes, tmp_path / "x.pgen", table)
    for name in table:  # a hyphen in a name would be a range of names
        log = output(
            "plink2", "--psam", tmp_path / "x.psam", "--pheno-name", name,
            "--write-covar", "--covar-name", "AGE", "--out", tmp_path / name,
        )  # fmt: skip
        assert re.search("1 (quantitative|binary) phenotype loaded", log), name
        covariates = pd.read_csv(tmp_path / f"{name}.cov", sep="\t")
        assert covariates["AGE"].tolist() == (2026 - genotypes.people["birth_year"]).tolist()


def test_zarr_reads_the_same_genotypes(example, tmp_path):
    genotypes, expected = example
    write_vcf_zarr(genotypes, tmp_path / "x.vcz.zip")
    assert [path.name for path in tmp_path.iterdir()] == ["x.vcz.zip"]
    root = zarr.open_group(zarr.storage.ZipStore(tmp_path / "x.vcz.zip", mode="r"), mode="r")
    names = root["contig_id"][:]
    rows = []
    for contig, position, letters, calls in zip(
        root["variant_contig"][:],
        root["variant_position"][:],
        root["variant_allele"][:],
        root["call_genotype"][:],
        strict=True,
    ):
        persons = [tuple(int(a) for a in call if a >= 0) for call in calls]
        rows.append((str(names[contig]), int(position), [x for x in letters if x], persons))
    assert digest(rows) == expected
    assert SYNTHETIC in root.attrs["description"]


@needs("bcftools")
def test_vcztools_queries_and_selects_as_bcftools_does(example, tmp_path):
    genotypes, _ = example
    write_vcf_zarr(genotypes, tmp_path / "x.vcz.zip")
    write_bcf(genotypes, tmp_path / "x.bcf")
    zarr_file, bcf = tmp_path / "x.vcz.zip", tmp_path / "x.bcf"
    vcztools = Path(sys.executable).with_name("vcztools")
    form = "%CHROM %POS %ID %REF %ALT %QUAL %FILTER %INFO/SVTYPE %INFO/END[ %SAMPLE=%GT]\\n"
    ours = output(vcztools, "query", "-f", form, zarr_file)
    assert ours == output("bcftools", "query", "-f", form, bcf)
    assert len(output(vcztools, "query", "-l", zarr_file).split()) == 11
    for condition in ('FILTER="PASS"', "POS>2000", 'SVTYPE="DEL"', "SVLEN<-100", "QUAL>10"):
        ours = output(vcztools, "view", "-H", "-i", condition, zarr_file).splitlines()
        theirs = output("bcftools", "view", "-H", "-i", condition, bcf).splitlines()
        assert [line.split("\t")[:5] for line in ours] == [
            line.split("\t")[:5] for line in theirs
        ], condition


def test_vcztools_writes_the_same_genotypes(example, tmp_path):
    genotypes, expected = example
    write_vcf_zarr(genotypes, tmp_path / "x.vcz.zip")
    text = output(Path(sys.executable).with_name("vcztools"), "view", tmp_path / "x.vcz.zip")
    assert digest(by_vcf_text(text)) == expected
    assert structural_fields_of_text(text) == structural_fields(genotypes)
    lengths = zarr.open_group(zarr.storage.ZipStore(tmp_path / "x.vcz.zip", mode="r"), mode="r")
    ends = lengths["variant_position"][:] + lengths["variant_length"][:] - 1
    for place, (_, end, _) in structural_fields(genotypes).items():
        assert ends[lengths["variant_position"][:] == place].tolist() == [end]


@needs("bcftools")
def test_pvar_and_zarr_have_the_consequences_of_bcf(example, tmp_path):
    genotypes, _ = example
    rows = [
        (int(place), letters[0], alt, f"missense|G|T{number}|protein_coding")
        for records in genotypes.records()
        for place, letters in zip(records.position[::3], records.alleles[::3], strict=True)
        for number, alt in enumerate(letters[1:])
    ]
    rows += [(*rows[0][:3], "stop_gained|H|T9|protein_coding")]
    table = pd.DataFrame(rows, columns=["position", "ref", "alt", "bcsq"])
    write_bcf(genotypes, tmp_path / "x.bcf", table)
    write_pgen(genotypes, tmp_path / "x.pgen", consequences=table)
    write_vcf_zarr(genotypes, tmp_path / "x.vcz.zip", table)
    vcztools = Path(sys.executable).with_name("vcztools")
    texts = [
        output("bcftools", "view", "-H", tmp_path / "x.bcf"),
        (tmp_path / "x.pvar").read_text(),
        output(vcztools, "view", "-H", tmp_path / "x.vcz.zip"),
    ]
    found = [re.findall(r"^\w+\t(\d+)\t.*BCSQ=([^;\t\n]+)", text, re.M) for text in texts]
    assert len(found[0]) > 20 and "," in found[0][0][1]
    assert found[1] == found[0] == found[2]


def test_tskit_reads_the_same_genotypes_and_names(example, tmp_path):
    genotypes, expected = example
    write_trees(genotypes, tmp_path / "x.tsz")
    ts = tszip.load(tmp_path / "x.tsz")
    everybody = np.arange(ts.num_individuals)
    assert digest(by_tskit(ts, genotypes.contig, everybody)) == expected
    assert [i.metadata["id"] for i in ts.individuals()] == genotypes.people["id"].tolist()
    assert SYNTHETIC in ts.metadata["description"]
    kept = {int(s.position) + 1: s.metadata["end"] for s in ts.sites() if s.metadata}
    fields = structural_fields(genotypes)
    assert kept == {place: end for place, (_, end, _) in fields.items()}


@pytest.mark.parametrize("write", [write_bcf, write_vcf, write_pgen, write_vcf_zarr, write_trees])
def test_the_same_selection_gives_the_same_content(example, tmp_path, write):
    genotypes, _ = example
    suffix = {write_pgen: "pgen", write_vcf_zarr: "vcz.zip", write_vcf: "vcf.gz"}.get(write, "x")
    for folder in ("one", "other"):
        write(genotypes, tmp_path / folder / f"x.{suffix}")
    names = {path.name for path in (tmp_path / "one").iterdir()}
    for name in names - {"x.x.csi", "x.vcf.gz.tbi"}:
        one, other = (content_digest(tmp_path / run / name) for run in ("one", "other"))
        assert one == other, name


def test_a_region_and_planted_places_select_records():
    ts, people = example_trees(), example_people()
    region = Genotypes.of([ts], "chr22", people, regions=[Block("chr22", 1000, 2000)])
    places = np.concatenate([records.position for records in region.records()])
    assert places.size and ((places >= 1000) & (places < 2000)).all()
    ends = [Variant("chr22", 0, "A", "G"), Variant("chr22", LENGTH - 1, "C", "T")]
    planted = Genotypes.of([ts], "chr22", people, variants=ends)
    places = np.concatenate([records.position for records in planted.records()])
    assert places.tolist() == [0, LENGTH - 1]


def test_blocks_of_a_contig_become_one_file(tmp_path):
    ts, people = example_trees(), example_people()
    halves = [ts.keep_intervals([span], simplify=False) for span in ([0, 2000], [2000, LENGTH])]
    write_bcf(Genotypes.of([ts], "chr22", people), tmp_path / "whole.bcf")
    write_bcf(Genotypes.of(halves, "chr22", people), tmp_path / "halves.bcf")
    whole, joined = (tmp_path / f"{name}.bcf" for name in ("whole", "halves"))
    assert content_digest(joined) == content_digest(whole)


@pytest.mark.parametrize("write", [write_bcf, write_vcf, write_pgen, write_vcf_zarr, write_trees])
def test_a_selection_without_variants_gives_whole_files(tmp_path, write):
    genotypes = Genotypes.of([example_trees()], "chr22", example_people(), variants=[])
    suffix = {write_pgen: "pgen", write_vcf_zarr: "vcz.zip", write_vcf: "vcf.gz"}.get(write, "x")
    write(genotypes, tmp_path / f"x.{suffix}")
    assert (tmp_path / f"x.{suffix}").is_file()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"keep": np.zeros(22, bool)},
            "people: selection: expected at least one person, found an empty selection",
        ),
        (
            {"regions": [Block("chr22", 10, 5000)]},
            "regions: chr22-10-5000: expected a region inside chr22 (0 to 4000), found 10 to 5000",
        ),
    ],
)
def test_an_impossible_selection_is_refused(change, message):
    with pytest.raises(InputError, match=re.escape(message)):
        Genotypes.of([example_trees()], "chr22", example_people(), **change)


def test_a_failure_leaves_no_file_behind(tmp_path, monkeypatch):
    genotypes = Genotypes.of([example_trees()], "chr22", example_people())

    def broken(self):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Genotypes, "chunks", broken)
    for write, name in ((write_bcf, "x.bcf"), (write_vcf, "x.vcf.gz"), (write_pgen, "x.pgen")):
        with pytest.raises(OSError, match="No space"):
            write(genotypes, tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_grg_holds_what_each_haplotype_carries(tmp_path):
    """pygrgl finds the same haplotypes with each allele as tskit."""
    pygrgl = pytest.importorskip("pygrgl", reason="pygrgl is not installed")
    ts, people = example_trees(), example_people()
    keep = (people["country"] == "FI").to_numpy()
    write_grg(Genotypes.of([ts], "chr22", people, keep), tmp_path / "chr22.grg")
    graph = pygrgl.load_immutable_grg(str(tmp_path / "chr22.grg"))
    each = np.eye(graph.num_samples, dtype=np.int32)
    carried = pygrgl.matmul(graph, each, pygrgl.TraversalDirection.UP)
    found = {}
    for number in range(graph.num_mutations):
        mutation = graph.get_mutation_by_id(number)
        key = int(mutation.position), mutation.allele
        found[key] = found.get(key, 0) + carried[:, number]
    expected = {}
    for _, position, alleles, calls in by_tskit(ts, "chr22", np.flatnonzero(keep)):
        haplotypes = np.array(calls).ravel()
        for allele in set(haplotypes.tolist()) - {0}:
            expected[position - 1, alleles[allele]] = (haplotypes == allele).tolist()
    assert {key: one.tolist() for key, one in found.items() if one.any()} == expected


def test_grg_without_its_package_is_refused_in_one_line(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    line = "exports: formats: expected the Python package pygrgl .*, found no such package"
    with pytest.raises(InputError, match=line):
        check_package("grg", "exports", "formats")


def test_people_that_do_not_fit_the_trees_are_refused():
    people = example_people()
    line = "people: rows: expected 22 rows, one per individual .*, found 21 rows"
    with pytest.raises(InputError, match=line):
        Genotypes.of([example_trees()], "chr22", people.iloc[1:])
    with pytest.raises(InputError, match="people: sex: expected female or male, found 'x'"):
        Genotypes.of([example_trees()], "chr22", people.assign(sex="x"))


def test_sites_without_a_carrier_are_in_no_format(tmp_path):
    """One mutation reverts another on the same branch: all people have the reference."""
    ts, people = example_trees(), example_people()
    tables = ts.dump_tables()
    taken = set(ts.sites_position.astype(int))
    place = next(x for x in range(500, LENGTH) if x not in taken)
    site = tables.sites.add_row(place, "A")
    for state, age in (("G", 0.2), ("A", 0.1)):
        tables.mutations.add_row(site, node=3, derived_state=state, time=age)
    tables.sort()
    tables.build_index()
    tables.compute_mutation_parents()
    for keep in (None, np.arange(len(people)) < 5):
        genotypes = Genotypes.of([tables.tree_sequence()], "chr22", people, keep)
        positions = np.concatenate([records.position for records in genotypes.records()])
        assert positions.size and place not in positions
        write_trees(genotypes, tmp_path / "x.tsz")
        assert np.array_equal(tszip.load(tmp_path / "x.tsz").sites_position, positions)
        write_pgen(genotypes, tmp_path / "x.pgen")
        pvar = pgenlib.PvarReader(bytes(tmp_path / "x.pvar"))
        with pgenlib.PgenReader(bytes(tmp_path / "x.pgen"), pvar=pvar) as reader:
            assert reader.get_variant_ct() == positions.size
