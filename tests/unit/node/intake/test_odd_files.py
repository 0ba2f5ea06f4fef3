"""Files that are cut off, contradict themselves or were joined wrongly."""

import pytest

from rehearsal.errors import InputError
from rehearsal.node.intake.people_table import read_individuals
from rehearsal.node.vcf_import import build_from_vcf

from .foreign_files import (
    PEOPLE,
    SAMPLES,
    alleles_of,
    bcftools,
    build,
    needs_bcftools,
    write_vcf,
)

CALLS = "0/1 0/0 1/1 0/0"
USUAL = f"chr22 100 A G {CALLS}"
LAST = f"chr22 200 A G {CALLS}"


def cut(path, lost):
    path.write_bytes(path.read_bytes()[:-lost])
    return path


@pytest.fixture
def notes(monkeypatch):
    """What is noted."""
    found = []
    for module in ("source", "header"):
        monkeypatch.setattr(f"rehearsal.node.intake.{module}.note", found.append)
    monkeypatch.setattr("rehearsal.node.vcf_import.note", found.append)
    monkeypatch.setattr("rehearsal.node.intake.people_table.note", found.append)
    return found


@pytest.mark.parametrize("rest", ["GT", "G", "", "GT\t0/1", "GT\t0/1\t0/0\t1/1", "DP\t3\t4"])
def test_a_file_that_is_cut_off_in_its_last_line_is_refused(tmp_path, rest):
    vcf = write_vcf(tmp_path / "in.vcf", USUAL, LAST)
    whole = "GT\t0/1\t0/0\t1/1\t0/0\n"
    vcf.write_text(vcf.read_text().removesuffix(whole) + rest)
    with pytest.raises(InputError, match=r"line 16: .* cut off|one genotype per sample"):
        build(vcf)


def test_every_other_cut_is_refused_or_noted(tmp_path, notes):
    """All but the last line is whole; the line may end anywhere."""
    whole = write_vcf(tmp_path / "in.vcf", USUAL, LAST).read_bytes()
    begin = whole.rindex(b"chr22")
    for size in range(begin + 1, len(whole)):
        (tmp_path / "cut.vcf").write_bytes(whole[:size])
        notes.clear()
        try:
            build(tmp_path / "cut.vcf")
        except InputError:
            continue
        assert any("may be cut off" in text for text in notes), whole[begin:size]


@pytest.mark.parametrize("genotype", ["0|", "/", "0/", "|1", "0.", ".1", "..", "0/1/"])
def test_a_genotype_that_lacks_an_allele_is_refused(tmp_path, genotype):
    """But VCF 4.4 has a phase before the first allele."""
    vcf = write_vcf(tmp_path / "in.vcf", f"chr22 100 A G 0/1 0/0 0/0 {genotype}")
    if genotype == "|1":
        assert build(vcf)[0][0].total.ac == 2
        return
    with pytest.raises(InputError, match=r"chr22:100: expected genotypes such as 0/1"):
        build(vcf)


@needs_bcftools
def test_records_without_genotypes_are_left_out_of_bcf_too(tmp_path):
    vcf = write_vcf(tmp_path / "in.vcf", USUAL, "chr22 200 A G 7 8 9 7 FORMAT=DP")
    bcftools("view", "-Ob", "-o", tmp_path / "in.bcf", vcf)
    assert build(tmp_path / "in.bcf")[1].records_left_out == {"no_genotypes": 1}


@pytest.mark.parametrize(
    ("alts", "info", "lengths"),
    [
        ("<DEL>,<DUP>", "SVLEN=100,200;END=100200", [100, 200]),
        ("<DEL>,<INS>", "SVLEN=100,900;END=100100", [100, 900]),
        ("<DEL>,<DUP>", "END=100200", [200, 200]),
        ("<DEL>,<DUP>", "SVLEN=100,.;END=100200", [100, 200]),
        ("<DEL>", "SVLEN=-200;END=100201", [200]),  # some callers are one base off
        ("<INV>", "SVLEN=0;END=100200", [200]),  # the difference to REF, before VCF 4.4
        ("<CN3>", "SVLEN=400;END=100200", [200]),
    ],
)
def test_each_allele_has_its_own_length(tmp_path, alts, info, lengths):
    calls = "0/1 0/2 1/1 0/0" if "," in alts else CALLS
    record = f"chr22 100000 A {alts} {calls} INFO={info}"
    rows, _ = build(write_vcf(tmp_path / "in.vcf", record, version="4.5"))
    assert sorted(row.svlen for row in rows) == sorted(lengths)


@pytest.mark.parametrize(
    ("alts", "info"),
    [
        ("<DEL>", "SVLEN=-200;END=100010"),
        ("<DEL>", "SVLEN=-200;END=100000"),
        ("<DEL>", "SVLEN=-200,300;END=100200"),
        ("<DEL>", "SVLEN=long;END=100200"),
        ("<DEL>,<DUP>", "SVLEN=200"),
        ("<DEL>,<DUP>", "SVLEN=100,200;END=100100"),
    ],
)
def test_lengths_that_contradict_are_left_out(tmp_path, alts, info):
    calls = "0/1 0/2 1/1 0/0" if "," in alts else CALLS
    record = f"chr22 100000 A {alts} {calls} INFO={info}"
    rows, report = build(write_vcf(tmp_path / "in.vcf", USUAL, record))
    assert alleles_of(rows) == ["chr22 100 A G"]
    assert report.records_left_out == {"contradicting_lengths": 1}


@needs_bcftools
def test_carriers_of_a_repeated_allele_count_together(tmp_path):
    """As the sum of the two alleles in ``bcftools norm -m -any``."""
    record = "chr22 100 G T,t,C 0/1 0/2 1/2 3/2"
    vcf = write_vcf(tmp_path / "in.vcf", record)
    rows, report = build(vcf)
    found = {row.alt: (row.total.ac, row.total.hom, len(row.carriers())) for row in rows}
    assert found == {"T": (5, 1, 4), "C": (1, 0, 1)}
    assert report.alleles_left_out == {"repeated": 1}
    split = bcftools("norm", "-m", "-any", vcf)
    form = "%ALT[ %GT]\n"
    lines = [line.split() for line in bcftools("query", "-f", form, "-", text=split).splitlines()]
    copies = {"T": 0, "C": 0}
    for alt, *calls in lines:
        copies[alt.upper()] += "".join(calls).count("1")
    assert copies == {alt: counts[0] for alt, counts in found.items()}


def test_files_of_different_people_are_refused(tmp_path):
    one = write_vcf(tmp_path / "1.vcf", "chr22 100 A G 0/1 0/0", samples=SAMPLES[:2])
    two = write_vcf(tmp_path / "2.vcf", "chr22 200 A G 0/1 0/0", samples=SAMPLES[2:])
    with pytest.raises(InputError, match=r"1\.vcf: header: expected the same people .*merge"):
        build_from_vcf([one, two], PEOPLE, tmp_path / "v.sqlite")


def test_a_file_of_chr_y_may_be_without_women(tmp_path):
    one = write_vcf(tmp_path / "1.vcf", USUAL)
    two = write_vcf(tmp_path / "2.vcf", "chrY 5000000 A G 0 1", samples=SAMPLES[1:3])
    report = build_from_vcf([two, one], PEOPLE, tmp_path / "v.sqlite")
    assert report.variants == 2


def test_a_variant_in_two_files_names_both(tmp_path):
    one = write_vcf(tmp_path / "1.vcf", USUAL, LAST)
    two = write_vcf(tmp_path / "2.vcf", LAST)
    with pytest.raises(InputError, match=r"2\.vcf: chr22:200 A>G: .* that 1\.vcf has too.* -a -D"):
        build_from_vcf([one, two], PEOPLE, tmp_path / "v.sqlite")


def test_a_variant_again_after_another_contig_says_what_to_do(tmp_path):
    vcf = write_vcf(tmp_path / "in.vcf", USUAL, f"chrX 5 A G {CALLS}", USUAL)
    with pytest.raises(InputError, match=r"chr22:100 A>G: .* of the same file \(bcftools sort"):
        build(vcf)


def test_a_ref_that_ends_behind_its_contig_is_said(tmp_path):
    vcf = write_vcf(tmp_path / "in.vcf", f"chr22 50818467 ACGTA A {CALLS}")
    with pytest.raises(InputError, match=r"at 50818467 whose REF ends behind them, at 50818471"):
        build(vcf)


@pytest.mark.parametrize(
    ("name", "length", "contig"),
    [
        ("CM000684.2", 50818468, "chr22"),
        ("J01415.2", 16569, "chrM"),
        ("CHR22", 50818468, "chr22"),
        ("Chr22", 50818468, "chr22"),
        ("chrx", 156040895, "chrX"),
        ("23", 156040895, "chrX"),
        ("24", 57227415, "chrY"),
        ("26", 16569, "chrM"),
    ],
)
def test_contigs_have_more_names(tmp_path, name, length, contig):
    vcf = write_vcf(tmp_path / "in.vcf", f"{name} 100 A G 0 1 0 0", contigs=f"{name}={length}")
    rows, report = build(vcf)
    assert alleles_of(rows) == [f"{contig} 100 A G"]
    assert report.renamed == {name: contig}


@pytest.mark.parametrize("contigs", ["chr022=50818468 chr22=50818468", "23=155270560"])
def test_a_file_of_unknown_contigs_is_refused(tmp_path, contigs):
    name = contigs.partition("=")[0]
    vcf = write_vcf(tmp_path / "in.vcf", f"{name} 100 A G {CALLS}", contigs=contigs)
    with pytest.raises(InputError, match=r"expected contigs of GRCh38 .* none in 1 records .*1 re"):
        build(vcf)


def test_genbank_accessions_of_grch37_are_refused(tmp_path):
    vcf = write_vcf(tmp_path / "in.vcf", USUAL, contigs="CM000684.1=51304566")
    with pytest.raises(InputError, match=r"contig CM000684\.1: expected an accession of GRCh38"):
        build(vcf)


def test_a_file_of_which_nothing_is_taken_is_noted(tmp_path, notes):
    build(write_vcf(tmp_path / "in.vcf", f"chr22 100 A * {CALLS}"))
    assert any("none of 1 records is served: 1 records: bases that" in text for text in notes)


@pytest.mark.parametrize("alleles", ["R A", "GN G", "A N", "A R", "A AN", "U A"])
def test_alleles_of_other_letters_are_left_out(tmp_path, alleles):
    rows, report = build(write_vcf(tmp_path / "in.vcf", USUAL, f"chr22 200 {alleles} {CALLS}"))
    assert alleles_of(rows) == ["chr22 100 A G"]
    assert report.records_left_out == {"other_bases": 1}


def test_letters_that_ref_and_alt_share_do_not_matter(tmp_path):
    rows, _ = build(write_vcf(tmp_path / "in.vcf", f"chr22 200 NA NG {CALLS}"))
    assert alleles_of(rows) == ["chr22 201 A G"]


@pytest.mark.parametrize("version", ["3.3", "4", "x"])
def test_old_versions_are_refused(tmp_path, version):
    vcf = write_vcf(tmp_path / "in.vcf", USUAL, version=version)
    with pytest.raises(InputError, match=rf"##fileformat: expected VCFv4\.0 .* 'VCFv{version}'"):
        build(vcf)


@pytest.mark.parametrize("version", ["4.6", "5.0"])
def test_newer_versions_are_noted(tmp_path, notes, version):
    build(write_vcf(tmp_path / "in.vcf", USUAL, version=version))
    (text,) = notes
    assert f"VCFv{version} is newer than VCFv4.5" in text


@pytest.mark.parametrize("name", ["S\x0b4", "S\x1b[31m4", "S\x7f4", ""])
def test_names_with_control_characters_are_refused(tmp_path, name):
    vcf = write_vcf(tmp_path / "in.vcf", USUAL, samples=[*SAMPLES[:3], name])
    with pytest.raises(InputError, match="expected names of samples without control characters"):
        build(vcf)


HEADER = "id\tsex\tbirth_year\tfather\tmother\n"
PARENTS = "p\tmale\t1950\t\t\nm\tfemale\t1952\t\t\n"


def people(tmp_path, rows, header=HEADER):
    (tmp_path / "people.tsv").write_text(header + rows)
    return read_individuals(tmp_path / "people.tsv")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("c\tmale\t1980\tp\tp", "row 3: mother: expected a female person, found 'p', who is male"),
        ("c\tmale\t1980\tm\t", "row 3: father: expected a male person, found 'm', who is female"),
        ("c\tmale\t1980\tc\tm", "row 3: father: expected a person born before 1980, found 'c'"),
        ("c\tmale\t1940\tp\tm", "expected a person born before 1940, found 'p', born in 1950"),
        ("c\tmale\t2099\t\t", "row 3: birth_year: expected a year from 1850 to 2026, found '2099'"),
        ("c\tmale\t1500\t\t", "row 3: birth_year: expected a year from 1850 to 2026, found '1500'"),
        ("c\tmale\t1980\t\t\t", "row 3: expected 5 columns, as in the header, found 6"),
    ],
)
def test_people_who_contradict_each_other_are_refused(tmp_path, row, message):
    with pytest.raises(InputError, match=message):
        people(tmp_path, f"{PARENTS}{row}\n")


def test_parents_who_are_not_in_the_table_are_noted(tmp_path, notes):
    table = people(tmp_path, f"{PARENTS}c\tmale\t1980\tp\tx\nd\tmale\t1980\tp\ty\n")
    assert table["mother"].tolist()[2:] == ["x", "y"]
    assert any("the parent 'x' and 1 more is no person of the table" in text for text in notes)


def test_ids_may_hold_quotes_and_rows_may_end_early(tmp_path):
    table = people(tmp_path, '"a\tmale\t1950\r\nb"c"\tfemale\t1960\t\t\n\n', HEADER)
    assert table["id"].tolist() == ['"a', 'b"c"']
    assert table["father"].isna().all()
