"""GRCh38: contigs, ploidy and masks."""

import pytest

from rehearsal.errors import InputError
from rehearsal.genomes.assembly import (
    AUTOSOMES,
    CONTIG_LENGTHS,
    PSEUDO_AUTOSOMAL,
    ploidy,
    pseudo_autosomal,
)
from rehearsal.genomes.blocks import subtract
from rehearsal.genomes.masks import read_gaps, read_masks
from rehearsal.model import Block


def test_the_assembly_has_25_contigs_and_3_1_gigabases():
    assert len(CONTIG_LENGTHS) == 25
    assert sum(CONTIG_LENGTHS.values()) == 3_088_286_401


@pytest.mark.parametrize(
    ("contig", "start", "female", "male"),
    [
        ("chr1", 0, 2, 2),
        ("chr22", 20_000_000, 2, 2),
        ("chrX", 10_000_000, 2, 1),
        ("chrY", 10_000_000, 0, 1),
        ("chrM", 0, 1, 1),
        # borders: X:10,001-2,781,479 and 155,701,383-156,030,895, 1-based
        ("chrX", 9_999, 2, 1),
        ("chrX", 10_000, 2, 2),
        ("chrX", 2_781_478, 2, 2),
        ("chrX", 2_781_479, 2, 1),
        ("chrX", 155_701_381, 2, 1),
        ("chrX", 155_701_382, 2, 2),
        ("chrX", 156_030_894, 2, 2),
        ("chrX", 156_030_895, 2, 1),
        ("chrY", 2_781_478, 0, 0),
        ("chrY", 2_781_479, 0, 1),
        ("chrY", 56_887_901, 0, 1),
        ("chrY", 56_887_902, 0, 0),
    ],
)
def test_ploidy_by_sex_and_place(contig, start, female, male):
    assert (ploidy(contig, "female", start), ploidy(contig, "male", start)) == (female, male)


@pytest.mark.parametrize(("contig", "sex"), [("chr23", "male"), ("chr1", "unknown")])
def test_ploidy_of_something_unknown_is_an_error(contig, sex):
    with pytest.raises(ValueError, match=rf"^ploidy: .*found '{contig}' and '{sex}'$"):
        ploidy(contig, sex, 5_000_000)


def test_the_shipped_masks_hold_a_centromere_and_two_telomeres_a_chromosome(root):
    masks = read_masks(root / "config/masks.tsv")
    for contig in [*sorted(AUTOSOMES), "chrX", "chrY"]:
        own = [mask for mask in masks if mask.contig == contig]
        own = [mask for mask in own if not pseudo_autosomal(contig, mask.start)]
        assert [own[0].start, own[-1].end] == [0, CONTIG_LENGTHS[contig]]
        assert any(100_000 < mask.length < 8_000_000 for mask in own[1:-1])


def test_the_shipped_masks_hold_the_short_arms_of_acrocentric_chromosomes(root):
    masks = read_masks(root / "config/masks.tsv")
    for contig, end in {"13": 16.0, "14": 16.0, "15": 17.0, "21": 5.01, "22": 10.51}.items():
        assert Block(f"chr{contig}", 10_000, round(end * 1e6)) in masks


def test_gaps_inside_of_blocks_are_no_masks(root):
    gaps, masks = (read(root / "config/masks.tsv") for read in (read_gaps, read_masks))
    assert Block("chr22", 18_239_129, 18_339_129) in gaps
    assert not set(gaps) & set(masks)
    assert len(subtract(gaps, masks)) == len(gaps)  # none lies wholly inside of one


def test_the_shipped_masks_cover_the_pseudo_autosomal_regions_of_y(root):
    masks = read_masks(root / "config/masks.tsv")
    for start, end in PSEUDO_AUTOSOMAL["chrY"].values():
        assert not subtract([Block("chrY", start, end)], masks)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("chr99\t0\t10\ttelomere\tx", "line 2, contig: expected a contig of .*, found 'chr99'"),
        ("chr1\t0\t1_000\ttelomere\tx", "expected two whole numbers, found '0' and '1_000'"),
        ("chr1\t0\t10\tfoo\tx", "line 2, kind: expected one of centromere, gap, .*, found 'foo'"),
        ("chr1\t0\tten\ttelomere\tx", "expected two whole numbers, found '0' and 'ten'"),
        ("chr1\t10\t10\ttelomere\tx", "line 2, start and end: expected 0 <= start < end .*10 and"),
        ("chr22\t0\t60000000\ttelomere\tx", "end <= 50818468, .*, found 0 and 60000000"),
    ],
)
def test_an_ill_formed_mask_is_named(tmp_path, row, message):
    path = tmp_path / "masks.tsv"
    path.write_text("contig\tstart\tend\tkind\tsource\n" + row + "\n")
    with pytest.raises(InputError, match=message):
        read_masks(path)


def test_masks_without_the_columns_are_refused(tmp_path):
    path = tmp_path / "masks.tsv"
    path.write_text("chrom\tstart\n")
    with pytest.raises(InputError, match=r"line 1: .* columns contig, .*, found chrom, start$"):
        read_masks(path)


def test_masks_come_in_the_order_of_the_file(tmp_path):
    path = tmp_path / "masks.tsv"
    path.write_text(
        "contig\tstart\tend\tkind\tsource\nchr2\t5\t9\tcentromere\tx\nchr1\t0\t3\ttelomere\tx\n"
    )
    assert read_masks(path) == [Block("chr2", 5, 9), Block("chr1", 0, 3)]


def test_masks_name_contigs_as_ensembl_does_too(tmp_path):
    path = tmp_path / "masks.tsv"
    path.write_text(
        "contig\tstart\tend\tkind\tsource\n2\t5\t9\tcentromere\tx\nMT\t0\t3\ttelomere\tx\n"
    )
    assert read_masks(path) == [Block("chr2", 5, 9), Block("chrM", 0, 3)]
