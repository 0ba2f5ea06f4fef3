"""Stores from VCF equal stores from tree sequences; errors name bad files."""

import msprime
import numpy as np
import pandas as pd
import pytest
from pyroaring import BitMap

from rehearsal.errors import InputError
from rehearsal.files import content_digest
from rehearsal.genomes.assembly import CONTIG_LENGTHS
from rehearsal.model import Block
from rehearsal.node.vcf_import import build_from_vcf
from rehearsal.stores.country_shards import write_shards
from rehearsal.stores.variant_store import VariantStore
from rehearsal.stores.variant_store_writer import build_store

CODES = ("FI", "ES")
HEADER = """##fileformat=VCFv4.3
##contig=<ID=chr22,length=50818468>
##contig=<ID=chrX,length=156040895>
##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">
##FORMAT=<ID=DP,Number=1,Type=Integer,Description="Depth">
#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t"""
PAR = 2_700_000  # a base of PAR1
PEOPLE = pd.DataFrame({"id": ["A", "B", "C"], "sex": ["female", "male", "male"]})


def make_block(seed, ploidy_of_men, contig="chr22", start=0):
    samples = []
    for _ in CODES:
        samples += [msprime.SampleSet(5, ploidy=2), msprime.SampleSet(4, ploidy=ploidy_of_men)]
    ts = msprime.sim_ancestry(
        samples, population_size=100, ploidy=2, sequence_length=2000, random_seed=seed
    )
    tables = msprime.sim_mutations(ts, rate=1e-3, random_seed=seed).dump_tables()
    tables.sequence_length = CONTIG_LENGTHS[contig]
    tables.sites.position += start
    tables.edges.left += start
    tables.edges.right += start
    tables.build_index()
    return tables.tree_sequence()


def make_people():
    return pd.DataFrame(
        {
            "id": [f"{code}-{n}" for code in CODES for n in range(9)],
            "country": np.repeat(CODES, 9),
            "sex": (["female"] * 5 + ["male"] * 4) * 2,
        }
    )


@pytest.fixture
def both_routes(tmp_path):
    """For each country, a store from the parts of its blocks, and one from their BCF files.

    Men are diploid on chr22 and in PAR1 of chrX.
    """
    people = make_people()
    parts, bcfs = {code: [] for code in CODES}, {code: [] for code in CODES}
    for contig, start, seed, men in (("chrX", 0, 1, 1), ("chr22", 0, 2, 2), ("chrX", PAR, 3, 2)):
        block = Block(contig, start, start + 2000)
        part = {code: tmp_path / f"{code}-{block.id}.parquet" for code in CODES}
        bcf = {code: tmp_path / f"{code}-{block.id}.bcf" for code in CODES}
        write_shards(make_block(seed, men, contig, start), block, people, bcf, part)
        for code in CODES:
            parts[code].append(part[code])
            bcfs[code].append(bcf[code])
    stores = {}
    for code in CODES:
        own = people[people["country"] == code]
        from_trees, from_vcf = tmp_path / f"{code}-trees.sqlite", tmp_path / f"{code}-vcf.sqlite"
        counts = (
            build_store(parts[code], own, from_trees),
            build_from_vcf(bcfs[code], own, from_vcf).variants,
        )
        assert counts[0] == counts[1] > 100
        stores[code] = from_trees, from_vcf
    return stores


def test_the_store_from_trees_equals_the_store_from_their_bcfs(both_routes):
    for from_trees, from_vcf in both_routes.values():
        with VariantStore.open(from_trees) as trees, VariantStore.open(from_vcf) as vcf:
            assert trees.contigs == vcf.contigs == CONTIG_LENGTHS
            assert trees.individuals == vcf.individuals
            assert trees.sexes == vcf.sexes
            for a, b in zip(trees, vcf, strict=True):
                assert a == b
                assert a.carriers() == b.carriers()
                assert a.homozygotes() == b.homozygotes()
            trees.check()
            vcf.check()
        assert from_trees.read_bytes() == from_vcf.read_bytes()
        assert content_digest(from_trees) == content_digest(from_vcf)


def test_counts_agree_with_the_lists(both_routes):
    with VariantStore.open(both_routes["ES"][0]) as store:
        men = BitMap(n for n, sex in enumerate(store.sexes) if sex == "male")
        rows = list(store)
    assert any(row.male.hemi for row in rows)
    for row in rows:
        for counts, some in ((row.male, men), (row.female, BitMap(range(9)) - men)):
            assert counts.hom == len(row.homozygotes() & some)
            assert counts.hom + counts.het + counts.hemi == len(row.carriers() & some)
            assert counts.ac == 2 * counts.hom + counts.het + counts.hemi
        assert row.total.an == (14 if row.contig == "chrX" and row.start < PAR else 18)
    assert any(row.male.het for row in rows if row.contig == "chrX")


def test_the_order_of_parts_does_not_matter(tmp_path):
    people = make_people()
    own = people[people["country"] == "FI"]
    ts = make_block(3, 2)
    halves = []
    for start, end in ((0, 1000), (1000, 2000)):
        part = tmp_path / f"{start}.parquet"
        half = ts.keep_intervals([(start, end)], simplify=False)
        write_shards(half, Block("chr22", start, end), people, {}, {"FI": part})
        halves.append(part)
    build_store(halves, own, tmp_path / "a.sqlite")
    build_store(halves[::-1], own, tmp_path / "b.sqlite")
    assert (tmp_path / "a.sqlite").read_bytes() == (tmp_path / "b.sqlite").read_bytes()
    with pytest.raises(InputError, match="variants in ascending order, each once"):
        build_store([halves[0], halves[0]], own, tmp_path / "c.sqlite")
    with pytest.raises(InputError, match="the node's people in the same order, found other people"):
        build_store(halves, own.iloc[::-1], tmp_path / "c.sqlite")


def write_vcf(path, *lines, samples="A B C"):
    body = "".join("\t".join(line.split()) + "\n" for line in lines)
    path.write_text(HEADER + "\t".join(samples.split()) + "\n" + body)
    return path


def a_record(place="chr22 10", alleles="A C", genotypes="0|1 0|0 1|1"):
    form = "GT:DP" if ":" in genotypes else "GT"
    return f"{place} . {alleles} . PASS . {form} {genotypes}"


def rows_of(tmp_path, *lines, **more):
    out = tmp_path / "v.sqlite"
    build_from_vcf([write_vcf(tmp_path / "in.vcf", *lines, **more)], PEOPLE, out)
    with VariantStore.open(out) as store:
        return list(store)


def test_a_foreign_vcf_is_read(tmp_path):
    (row,) = rows_of(tmp_path, a_record())
    assert (row.contig, row.start, row.ref, row.alt) == ("chr22", 9, "A", "C")
    assert (row.total.an, row.total.ac, row.total.hom, row.total.het) == (6, 3, 1, 1)
    assert row.carriers() == BitMap([0, 2])


def test_samples_are_found_by_name_in_any_order(tmp_path):
    (row,) = rows_of(tmp_path, a_record(genotypes="0|1 0|0"), samples="C A")
    assert row.carriers() == BitMap([2])
    assert (row.male.an, row.female.an) == (2, 2)  # B was not genotyped


@pytest.mark.parametrize("genotypes", ["0/1 0/0 1/1", "0/1:7 0/0:12 1/1:3", "0|1:. 0|0 1|1:5"])
def test_phase_and_further_fields_do_not_matter(tmp_path, genotypes):
    (row,) = rows_of(tmp_path, a_record(genotypes=genotypes))
    assert row.carriers() == BitMap([0, 2])
    assert row.homozygotes() == BitMap([2])


@pytest.mark.parametrize(
    ("genotypes", "an", "ac", "hom", "het", "hemi"),
    [
        ("0/1 ./. 0/0", 4, 1, 0, 1, 0),
        ("0/1 . 0/0", 4, 1, 0, 1, 0),
        ("./1 0/0 0/0", 5, 1, 0, 0, 1),
        ("./. 1 0", 2, 1, 0, 0, 1),
        ("1/1 1 1", 4, 4, 1, 0, 2),
    ],
)
def test_missing_and_haploid_genotypes_count_as_in_fill_tags(
    tmp_path, genotypes, an, ac, hom, het, hemi
):
    (row,) = rows_of(tmp_path, a_record("chrX 10", genotypes=genotypes))
    total = row.total
    assert (total.an, total.ac, total.hom, total.het, total.hemi) == (an, ac, hom, het, hemi)


def test_multi_allelic_records_are_decomposed_and_symbols_left_out(tmp_path):
    rows = rows_of(
        tmp_path,
        a_record(alleles="A T,C,<DEL>,*", genotypes="1/2 3/4 2/2"),
        a_record("chr22 10", "ACT A", "0/1 0/0 0/0"),
    )
    assert [(row.start, row.ref, row.alt) for row in rows] == [
        (9, "A", "C"),
        (9, "A", "T"),
        (9, "ACT", "A"),
    ]
    assert [row.total.ac for row in rows] == [3, 1, 1]
    assert rows[0].total.het == 1
    assert rows[0].total.an == 6


def test_variants_without_carriers_are_left_out(tmp_path):
    assert rows_of(tmp_path, a_record(genotypes="0/0 0/0 ./.")) == []


def test_contigs_may_be_in_any_order(tmp_path):
    rows = rows_of(tmp_path, a_record("chrX 10"), a_record("chr22 10"))
    assert [row.contig for row in rows] == ["chr22", "chrX"]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (
            [a_record("chr22 10"), a_record("chr22 9")],
            "chr22:9: expected a position from 10 on, as records are sorted, found 9",
        ),
        (
            [a_record("chr9 10")],
            "chr9:10: expected a contig with a ##contig line that states its length, found 'chr9'",
        ),
        (
            [a_record("chr22 50818470")],
            "expected a record inside the contig's 50818468 bases, found one at 50818470",
        ),
    ],
)
def test_bad_records_are_named_and_nothing_is_left(tmp_path, lines, message):
    with pytest.raises(InputError, match=message):
        rows_of(tmp_path, *lines)
    assert not (tmp_path / "v.sqlite").exists()


def test_a_file_of_another_assembly_is_refused(tmp_path):
    path = write_vcf(tmp_path / "in.vcf", a_record())
    path.write_text(path.read_text().replace("length=50818468", "length=51304566"))
    expected = "contig chr22: expected 50818468 bases, the length in GRCh38, found 51304566 bases"
    with pytest.raises(InputError, match=expected):
        build_from_vcf([path], PEOPLE, tmp_path / "v.sqlite")


def test_an_unknown_sample_is_named(tmp_path):
    with pytest.raises(
        InputError,
        match=r"header: expected samples that are ids of .*, found the unknown sample 'Z'",
    ):
        rows_of(tmp_path, a_record(), samples="A B Z")


def test_files_that_cannot_be_read_are_named(tmp_path):
    path = tmp_path / "in.vcf"
    path.write_text("this is no VCF\n")
    with pytest.raises(
        InputError, match=r"in\.vcf: file: expected a readable VCF or BCF file, found an"
    ):
        build_from_vcf([path], PEOPLE, tmp_path / "v.sqlite")
    with pytest.raises(
        InputError, match=r"none\.vcf: file: expected a readable VCF or BCF file, found an"
    ):
        build_from_vcf([tmp_path / "none.vcf"], PEOPLE, tmp_path / "v.sqlite")


@pytest.mark.parametrize("lost", [28, 2000])
def test_a_truncated_bcf_is_named(tmp_path, lost):
    """28 bytes are only the end marker: the rest is readable and complete."""
    people = make_people().assign(country="FI")
    path = tmp_path / "cut.bcf"
    write_shards(make_block(1, 2), Block("chr22", 0, 2000), people, {"FI": path}, {})
    path.write_bytes(path.read_bytes()[:-lost])
    with pytest.raises(InputError, match=r"cut\.bcf: file: expected a complete VCF or BCF, found"):
        build_from_vcf([path], people, tmp_path / "v.sqlite")
    assert not (tmp_path / "v.sqlite").exists()


def test_a_damaged_bcf_is_named(tmp_path):
    people = make_people().assign(country="FI")
    path = tmp_path / "flipped.bcf"
    write_shards(make_block(1, 2), Block("chr22", 0, 2000), people, {"FI": path}, {})
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 255
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"flipped\.bcf"):
        build_from_vcf([path], people, tmp_path / "v.sqlite")
    assert not (tmp_path / "v.sqlite").exists()
