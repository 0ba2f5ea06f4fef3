"""One pass deals a block out to countries; the field's tools read what comes out."""

import gzip
import hashlib
import shutil
import subprocess

import msprime
import numpy as np
import pandas as pd
import pysam
import pytest
import tskit

from rehearsal.errors import InputError
from rehearsal.files import content_digest
from rehearsal.genomes.carriers import Haplotypes
from rehearsal.model import Block
from rehearsal.stores.country_shards import write_shards

CODES = ("FI", "ES")
LENGTH = 3000
BLOCK = Block("chrX", 0, LENGTH)

needs_bcftools = pytest.mark.skipif(
    shutil.which("bcftools") is None, reason="bcftools is not installed"
)


def make_block(seed=1, ploidy_of_men=1, rate=2e-3, per_sex=5):
    """Two countries; women first, then men. Dense recurrent mutation, a deletion, an insertion.

    The insertion is in both countries, the deletion in Finland only.
    """
    demography = msprime.Demography.island_model([50, 50], 1e-3)
    samples = []
    for country in range(2):
        for ploidy in (2, ploidy_of_men):
            samples.append(msprime.SampleSet(per_sex, population=country, ploidy=ploidy))
    ts = msprime.sim_ancestry(
        samples,
        demography=demography,
        ploidy=2,
        sequence_length=LENGTH,
        recombination_rate=1e-5,
        random_seed=seed,
    )
    ts = msprime.sim_mutations(ts, rate=rate, random_seed=seed)
    tables = ts.dump_tables()
    free = next(x for x in range(1, LENGTH) if x not in set(ts.sites_position))
    site = tables.sites.add_row(position=free, ancestral_state="ACT")
    for node, state in ((0, "A"), (5, "AGCT"), (ts.num_samples - 1, "AGCT")):
        tables.mutations.add_row(
            site=site, node=node, derived_state=state, time=ts.nodes_time[node]
        )
    tables.sort()
    tables.build_index()
    tables.compute_mutation_parents()
    people = pd.DataFrame(
        {
            "id": [f"{code}-{n:03d}" for code in CODES for n in range(2 * per_sex)],
            "country": np.repeat(CODES, 2 * per_sex),
            "sex": (["female"] * per_sex + ["male"] * per_sex) * 2,
        }
    )
    return tables.tree_sequence(), people


@pytest.fixture
def shards(tmp_path):
    """A block of X written for both countries."""
    ts, people = make_block()
    bcf = {code: tmp_path / f"{code}.bcf" for code in CODES}
    part = {code: tmp_path / f"{code}.parquet" for code in CODES}
    write_shards(ts, BLOCK, people, bcf, part)
    return ts, people, bcf, part


def fewest_bases(alleles):
    """Take away the last base while all alleles share it and keep one."""
    while min(map(len, alleles)) > 1 and len({allele[-1] for allele in alleles}) == 1:
        alleles = [allele[:-1] for allele in alleles]
    return alleles


def expected_genotypes(ts, people, code):
    """Return {(start, ref, alts): genotypes as text} of the sites with carriers in the file."""
    haplotypes = Haplotypes.of(ts)
    dense = ts.genotype_matrix(samples=haplotypes.node, isolated_as_missing=False)
    rows = {}
    for variant, genotypes in zip(ts.variants(), dense, strict=True):
        texts, seen = [], set()
        for person in np.flatnonzero(people["country"] == code):
            own = genotypes[haplotypes.individual == person].tolist()
            seen.update(own)
            texts.append(own)
        kept = [a for a in range(len(variant.alleles)) if a == 0 or a in seen]
        if len(kept) > 1:
            ref, *alts = fewest_bases([variant.alleles[a] for a in kept])
            rows[int(variant.site.position), ref, tuple(alts)] = [
                "|".join(str(kept.index(a)) for a in own) for own in texts
            ]
    return rows


def genotypes_of(path):
    rows = {}
    with pysam.VariantFile(str(path)) as file:
        for record in file:
            calls = [
                "|".join(map(str, sample.allele_indices)) for sample in record.samples.values()
            ]
            rows[record.start, record.ref, record.alts] = calls
    return rows


def test_a_country_gets_its_own_people_and_the_sites_they_carry(shards):
    ts, people, bcf, _ = shards
    for code in CODES:
        expected = expected_genotypes(ts, people, code)
        assert genotypes_of(bcf[code]) == expected
        assert any(len(alts) > 1 for _, _, alts in expected)
        assert 0 < len(expected) < ts.num_sites
        with pysam.VariantFile(str(bcf[code])) as file:
            assert list(file.header.samples) == people["id"][people["country"] == code].tolist()


def test_planted_deletions_are_written_with_their_letters(shards):
    _, _, bcf, _ = shards
    (alts,) = [alts for _, ref, alts in genotypes_of(bcf["FI"]) if ref == "ACT"]
    assert alts == ("A", "AGCT")
    with pysam.VariantFile(str(bcf["FI"])) as file:
        (record,) = [record for record in file if record.ref == "ACT"]
        assert record.stop - record.start == 3


def test_a_country_without_the_deletion_needs_one_base_for_the_insertion(shards):
    with pysam.VariantFile(str(shards[2]["ES"])) as file:
        (record,) = [record for record in file if len(record.alts[0]) > 1]
    assert (record.alleles, record.rlen) == (("A", "AG"), 1)


def test_an_allele_has_one_name_in_the_stores_of_all_countries(shards):
    """Each alone: the insertion needs none of the bases of the deletion at its site."""
    part = shards[3]
    names = {}
    for code in CODES:
        rows = pd.read_parquet(part[code], columns=["start", "ref", "alt", "reach"])
        assert rows["reach"].eq(0).all()
        assert rows.sort_values(["start", "ref", "alt"]).equals(rows)
        long = rows[rows["ref"].str.len() + rows["alt"].str.len() > 2]
        names[code] = list(zip(long["ref"], long["alt"], strict=True))
    assert names == {"FI": [("A", "AG"), ("ACT", "A")], "ES": [("A", "AG")]}


def test_men_are_haploid_on_x_and_everybody_phased(shards):
    bcf = shards[2]
    with pysam.VariantFile(str(bcf["ES"])) as file:
        record = next(iter(file))
        lengths = [len(sample.allele_indices) for sample in record.samples.values()]
        assert lengths == [2] * 5 + [1] * 5
        assert all(sample.phased for sample in list(record.samples.values())[:5])


def test_the_header_says_that_the_data_are_synthetic(shards):
    with pysam.VariantFile(str(shards[2]["FI"])) as file:
        text = str(file.header)
    assert text.startswith("##fileformat=VCFv4.3\n")
    assert "SYNTHETIC data" in text
    assert f"##contig=<ID=chrX,length={LENGTH},assembly=synthetic-GRCh38>" in text
    assert "assembly=GRCh38" not in text
    assert "date" not in text.lower()


@needs_bcftools
@pytest.mark.parametrize("sex", [None, "female", "male"])
def test_counts_equal_those_of_bcftools_fill_tags(shards, tmp_path, sex):
    _, people, bcf, _ = shards
    suffix = {None: "", "female": "_F", "male": "_M"}[sex]
    ours = [f"{name}{suffix}" for name in ("AN", "AC", "AC_Hom", "AC_Het", "AC_Hemi", "AF")]
    here = people[people["country"] == "FI"]
    some = here if sex is None else here[here["sex"] == sex]
    command = (
        f"bcftools view -I -s {','.join(some['id'])} {bcf['FI']} -Ou | "
        "bcftools annotate -x INFO/AN,INFO/AC,INFO/AC_Hom,INFO/AC_Het,INFO/AC_Hemi,INFO/AF -Ou | "
        "bcftools +fill-tags -Ou -- -t AN,AC,AC_Hom,AC_Het,AC_Hemi,AF | "
        "bcftools query -f '%POS %AN %AC %AC_Hom %AC_Het %AC_Hemi %AF\\n'"
    )
    theirs = subprocess.run(command, shell=True, check=True, capture_output=True, text=True).stdout
    pattern = "%POS " + " ".join(f"%{name}" for name in ours) + "\\n"
    written = subprocess.run(
        ["bcftools", "query", "-f", pattern, bcf["FI"]], check=True, capture_output=True, text=True
    ).stdout
    assert written == theirs
    assert written.count("\n") > 20


@needs_bcftools
def test_bcftools_finds_regions_through_the_index(shards):
    _, _, bcf, _ = shards
    run = ["bcftools", "query", "-r", "chrX:1001-2000", "-f", "%POS\\n", str(bcf["FI"])]
    found = subprocess.run(run, check=True, capture_output=True, text=True).stdout.split()
    starts = [start for start, ref, _ in genotypes_of(bcf["FI"]) if 998 <= start < 2000]
    inside = [start for start in starts if start >= 1000]
    assert inside
    assert [int(pos) - 1 for pos in found if int(pos) > 1000] == inside


@needs_bcftools
def test_content_equals_the_vcf_that_tskit_writes(tmp_path):
    ts, people = make_block(ploidy_of_men=2)
    people["country"] = "EU"
    out = tmp_path / "all.bcf"
    write_shards(ts, Block("chr22", 0, LENGTH), people, {"EU": out}, {})
    vcf = tmp_path / "tskit.vcf"
    with vcf.open("w") as file:
        ts.write_vcf(
            file,
            contig_id="chr22",
            individual_names=people["id"].tolist(),
            position_transform=lambda x: np.asarray(x, int) + 1,
        )
    # tskit also writes alleles without carriers, which were lost by a second mutation
    pattern = "%CHROM %POS %REF %ALT %FILTER[ %SAMPLE=%GT]\\n"
    theirs = f"bcftools view --trim-alt-alleles --min-ac 1 {vcf} | bcftools query -f '{pattern}'"
    ours = f"bcftools query -f '{pattern}' {out}"
    read = [
        subprocess.run(command, shell=True, check=True, capture_output=True, text=True).stdout
        for command in (ours, theirs)
    ]
    assert read[0] == read[1]
    assert read[0].count("\n") > 100


@needs_bcftools
def test_large_counts_take_wider_integers(tmp_path):
    """BCF changes the width of integers at 127 / 128 and at 32,767 / 32,768."""
    tables = tskit.TableCollection(LENGTH)
    people = 16_500
    tables.individuals.set_columns(flags=np.zeros(people, np.uint32))
    root = 2 * people
    tables.nodes.set_columns(
        flags=np.concatenate((np.ones(root), [0])).astype(np.uint32),
        time=np.concatenate((np.zeros(root), [1])),
        individual=np.concatenate((np.repeat(np.arange(people), 2), [-1])).astype(np.int32),
    )
    tables.edges.set_columns(
        left=np.zeros(root),
        right=np.full(root, LENGTH),
        parent=np.full(root, root, np.int32),
        child=np.arange(root, dtype=np.int32),
    )
    wanted = [1, 127, 128, 32_767, 32_768, root]
    for position, copies in enumerate(wanted, start=1):
        site = tables.sites.add_row(position=position, ancestral_state="A")
        for node in range(copies):
            tables.mutations.add_row(site=site, node=node, derived_state="C")
    tables.sort()
    table = pd.DataFrame({"id": [f"P{n}" for n in range(people)], "country": "FI", "sex": "female"})
    out = tmp_path / "wide.bcf"
    ts = tables.tree_sequence()
    write_shards(ts, Block("chr22", 0, LENGTH), table, {"FI": out}, {})
    run = ["bcftools", "query", "-f", "%AN %AC %AC_Hom %AC_Het\\n", str(out)]
    text = subprocess.run(run, check=True, capture_output=True, text=True).stdout
    assert [line.split() for line in text.splitlines()] == [
        [str(n) for n in (root, copies, copies - copies % 2, copies % 2)] for copies in wanted
    ]


def test_the_same_block_gives_the_same_content(tmp_path):
    ts, people = make_block()
    for run in ("a", "b"):
        bcf = {code: tmp_path / run / f"{code}.bcf" for code in CODES}
        part = {code: tmp_path / run / f"{code}.parquet" for code in CODES}
        write_shards(ts, BLOCK, people, bcf, part)
    names = [file.name for file in (tmp_path / "a").iterdir() if file.suffix != ".csi"]
    assert len(names) == 2 * len(CODES)
    for name in names:
        assert content_digest(tmp_path / "a" / name) == content_digest(tmp_path / "b" / name)


def test_the_digests_told_are_those_of_the_decompressed_files(tmp_path):
    ts, people = make_block()
    bcf = {code: tmp_path / f"{code}.bcf" for code in CODES}
    told = write_shards(ts, BLOCK, people, bcf, {})
    content = {code: gzip.decompress(path.read_bytes()) for code, path in bcf.items()}
    assert told == {code: hashlib.sha256(data).hexdigest() for code, data in content.items()}


def test_a_block_without_sites_gives_whole_empty_files(tmp_path):
    ts, people = make_block(rate=0)
    ts = ts.delete_sites(range(ts.num_sites))
    write_shards(ts, BLOCK, people, {"FI": tmp_path / "FI.bcf"}, {"FI": tmp_path / "FI.parquet"})
    assert genotypes_of(tmp_path / "FI.bcf") == {}
    assert pd.read_parquet(tmp_path / "FI.parquet").empty
    assert (tmp_path / "FI.bcf.csi").exists()


def test_only_what_was_asked_for_is_written(tmp_path):
    ts, people = make_block()
    write_shards(ts, BLOCK, people, {}, {"ES": tmp_path / "ES.parquet"})
    assert [file.name for file in tmp_path.iterdir()] == ["ES.parquet"]


def test_a_failure_leaves_no_file_behind(tmp_path, monkeypatch):
    ts, people = make_block()

    def fail(*_):
        raise RuntimeError("disk full")

    monkeypatch.setattr("rehearsal.formats.bcf.BcfWriter.write_index", fail)
    with pytest.raises(RuntimeError, match="disk full"):
        write_shards(ts, BLOCK, people, {"FI": tmp_path / "FI.bcf"}, {})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda people: people.iloc[:-1], "people: number of rows: expected 20, .*, found 19"),
        (lambda people: people.sort_values("sex"), "contiguous rows per country, found rows apart"),
        (lambda people: people.assign(sex="f"), "people: sex: expected female or male, found 'f'"),
        (lambda people: people.assign(country="PT"), "at least one person of FI, found none"),
    ],
)
def test_people_that_do_not_fit_are_refused(tmp_path, change, message):
    ts, people = make_block()
    with pytest.raises(InputError, match=message):
        write_shards(ts, BLOCK, change(people), {"FI": tmp_path / "FI.bcf"}, {})
    assert list(tmp_path.iterdir()) == []
