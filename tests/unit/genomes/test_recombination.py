"""Recombination maps."""

import gzip

import pytest

from rehearsal.errors import InputError
from rehearsal.genomes.recombination import (
    covers,
    mapped_stretch,
    read_hapmap,
    uniform_map,
)
from rehearsal.model import Block

HEADER = "Chromosome\tPosition(bp)\tRate(cM/Mb)\tMap(cM)\n"


@pytest.fixture
def hapmap(tmp_path):
    def write(*rows: str, header: str = HEADER):
        path = tmp_path / "map.txt"
        path.write_text(header + "".join(row.replace(" ", "\t") + "\n" for row in rows))
        return path

    return write


def test_a_uniform_map_has_the_contigs_length_in_centimorgans():
    assert 100 * uniform_map("chr22", 1e-8).total_mass == pytest.approx(50.818468)


@pytest.mark.parametrize("contig", ["chrY", "chrM"])
def test_nothing_recombines_on_y_and_mt(contig):
    assert 100 * uniform_map(contig, 1e-8).total_mass == 0


def test_a_hapmap_file_gives_rates_from_each_position_to_the_next(hapmap):
    path = hapmap("chr22 1000 2.0 0", "chr22 3000 0.5 0.004", "chr22 5000 0 0.005")
    contig_map = read_hapmap(path, "chr22")
    assert contig_map.get_rate([1_000, 2_999, 3_000]).tolist() == [2e-8, 2e-8, 0.5e-8]
    assert 100 * contig_map.total_mass == pytest.approx(0.005)


def test_a_hapmap_file_may_hold_other_contigs_and_names_without_chr(hapmap, tmp_path):
    path = hapmap("21 5 1 0", "21 9 1 0", "22 1000 2.0 0", "22 3000 0 0.004")
    packed = tmp_path / "map.txt.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert 100 * read_hapmap(packed, "chr22").total_mass == pytest.approx(0.004)


def test_a_map_that_does_not_cover_a_block_is_refused_when_it_is_read(hapmap):
    path = hapmap("chr22 1000 2.0 0", "chr22 3000 0 0.004")
    read_hapmap(path, "chr22", [Block("chr22", 1_000, 3_000), Block("chr1", 0, 9_000)])
    with pytest.raises(InputError, match=r"map\.txt: chr22: .* covers the block chr22:500-2000"):
        read_hapmap(path, "chr22", [Block("chr22", 1_500, 2_000), Block("chr22", 500, 2_000)])


def test_a_map_covers_only_what_lies_between_its_first_and_last_row(hapmap):
    contig_map = read_hapmap(hapmap("chr22 1000 2.0 0", "chr22 3000 0 0.004"), "chr22")
    assert covers(contig_map, Block("chr22", 1_000, 3_000))
    for start, end in ((999, 2_000), (2_000, 3_001), (0, 1_000), (4_000, 5_000)):
        assert not covers(contig_map, Block("chr22", start, end))


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (("chr22 3000 1 0", "chr22 1000 1 0"), "in ascending order, found 1000 after 3000"),
        (("chr22 3000 1 0", "chr22 3000 1 0"), "in ascending order, found 3000 after 3000"),
        (("chr22 1000 -1 0", "chr22 3000 1 0"), "numbers of at least 0 as position and rate"),
        (("chr22 1000 inf 0", "chr22 3000 1 0"), "rates of at most 100,000 cM/Mb, found inf"),
        (("chr22 1000 x 0", "chr22 3000 1 0"), "at least 0 as position and rate, found 'x'"),
        (("chr22 1,000 1 0", "chr22 3000 1 0"), "at least 0 as position and rate, found '1,000'"),
        (("CHR22 1000 1 0", "CHR22 3000 1 0"), "at least two rows of this contig.*'CHR22'"),
        (("chr22 1000 1 0", "chr22 60000000 1 0"), "at most 50818468.*, found 60000000"),
        (
            ("chr21 1000 1 0", "chr21 3000 1 0"),
            r"at least two rows of this contig \(chr22, 22, NC_.*, found 'chr21'",
        ),
        (("chr22 1000 1", "chr22 3000 1"), "four columns: .*, found 3 columns"),
    ],
)
def test_a_map_that_cannot_be_used_is_refused(hapmap, rows, message):
    header = HEADER if len(rows[0].split()) == 4 else "a\tb\tc\n"
    with pytest.raises(InputError, match=message):
        read_hapmap(hapmap(*rows, header=header), "chr22")


def test_a_missing_map_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"none\.txt: chr22: .*HapMap format, found an unreadable"):
        read_hapmap(tmp_path / "none.txt", "chr22")


def test_a_packed_map_that_ends_too_early_is_refused(hapmap, tmp_path):
    packed = tmp_path / "map.txt.gz"
    packed.write_bytes(
        gzip.compress(hapmap("chr22 1000 2.0 0", "chr22 3000 0 0").read_bytes())[:40]
    )
    with pytest.raises(InputError, match=r"map\.txt\.gz: chr22: .*, found an unreadable file"):
        read_hapmap(packed, "chr22")


def test_a_map_may_name_contigs_as_ncbi_does(hapmap):
    path = hapmap("NC_000022.11 1000 2.0 0", "NC_000022.11 3000 0 0.004")
    assert 100 * read_hapmap(path, "chr22").total_mass == pytest.approx(0.004)


def test_a_map_without_a_header_is_refused(hapmap):
    path = hapmap("chr22 1000 2.0 0", "chr22 3000 1 0.004", "chr22 5000 0 0.006", header="")
    message = r"line 1: expected a header .*, found a row of the map \('chr22 1000 2.0 0'\)"
    for read in (read_hapmap, mapped_stretch):
        with pytest.raises(InputError, match=message):
            read(path, "chr22")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (("chr22 1000 1e-8 0", "chr22 3000 0 0"), "rates in cM/Mb .*, found 1e-08 on average"),
        (("chr22 1000 0.012 0", "chr22 50000000 0 0"), "at least 0.1, found 0.012 on average"),
        (
            ("chr22 1000 0.02 0", "chr22 1001000 0 2"),
            r"add up to the map in cM \(fourth column\), found 0.02 cM and 2 cM",
        ),
    ],
)
def test_rates_per_base_or_in_morgans_are_refused(hapmap, rows, message):
    with pytest.raises(InputError, match=rf"map\.txt: chr22: expected .*{message}"):
        read_hapmap(hapmap(*rows), "chr22")
    assert read_hapmap(hapmap("chr22 1000 0 0", "chr22 50000000 0 0"), "chr22").total_mass == 0
