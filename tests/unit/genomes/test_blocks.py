"""Tiling regions into blocks and opening windows around planted variants."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rehearsal.errors import InputError
from rehearsal.genomes import blocks
from rehearsal.genomes.assembly import CONTIG_LENGTHS, KARYOTYPE_ORDER
from rehearsal.genomes.blocks import (
    automatic_block_size,
    merge,
    parse_region,
    plan_blocks,
    planted_in,
    subtract,
    tile,
)
from rehearsal.model import Block, PlantedVariant, Variant


def snv(contig: str, start: int, ref: str = "A") -> PlantedVariant:
    return PlantedVariant(Variant(contig, start, ref, "G"), "GENE", "name", "dominant", "cancer")


def bases(stretches) -> set[tuple[str, int]]:
    return {(s.contig, x) for s in stretches for x in range(s.start, s.end)}


stretch = st.builds(
    lambda contig, start, length: Block(contig, start, start + length),
    st.sampled_from(["chr1", "chrX"]),
    st.integers(0, 60),
    st.integers(1, 20),
)
stretches = st.lists(stretch, max_size=6)


@given(stretches)
def test_merged_stretches_are_disjoint_and_hold_the_same_bases(some):
    merged = merge(some)
    assert bases(merged) == bases(some)
    assert sum(s.length for s in merged) == len(bases(some))


@given(stretches, stretches)
def test_subtracting_leaves_exactly_the_bases_outside_the_holes(some, holes):
    left = subtract(merge(some), holes)
    assert bases(left) == bases(some) - bases(holes)


@given(stretches, st.integers(1, 25))
def test_tiles_cover_each_base_once_and_are_no_longer_than_asked(some, size):
    tiles = tile(merge(some), size)
    assert sum(t.length for t in tiles) == len(bases(some))
    assert bases(tiles) == bases(some)
    assert all(t.length <= size for t in tiles)


@given(
    starts=st.lists(st.integers(0, 9_999), max_size=5, unique=True),
    masks=st.lists(st.tuples(st.integers(0, 9_900), st.integers(1, 99)), max_size=3),
    window=st.integers(1, 3_000),
    size=st.integers(100, 5_000),
)
def test_blocks_never_overlap_avoid_masks_and_hold_every_planted_variant(
    starts, masks, window, size
):
    masks = [Block("chrM", start, start + length) for start, length in masks]
    planted = [snv("chrM", start) for start in starts]
    planted = [v for v in planted if not any(m.holds("chrM", v.variant.start) for m in masks)]
    regions = ["chrM:2000-4000", "chrM:7000-7500"]
    blocks = plan_blocks(regions, planted, window, size, masks)
    assert sum(b.length for b in blocks) == len(bases(blocks))
    assert not bases(blocks) & bases(masks)
    assert bases(blocks) >= bases(map(parse_region, regions)) - bases(masks)
    for variant in planted:
        assert sum(b.holds("chrM", variant.variant.start) for b in blocks) == 1


def test_a_region_is_read_half_open_and_a_contig_alone_is_the_whole_of_it():
    assert parse_region("chr22:20000000-25000000") == Block("chr22", 20_000_000, 25_000_000)
    assert parse_region("chrM") == Block("chrM", 0, 16_569)
    assert parse_region("chr22:0-50818468").end == CONTIG_LENGTHS["chr22"]


@pytest.mark.parametrize(
    ("region", "message"),
    [
        ("chr22:5-5", "an end greater than the start 5, found 5"),
        ("chr22:9-5", "an end greater than the start 9, found 5"),
        ("chr22:0-50818469", "an end of at most 50818468, the length of chr22, found 50818469"),
        ("chr23:0-5", r"a contig of GRCh38 \(chr1 to chr22, chrX, chrY or chrM\), found 'chr23'"),
        ("22:0-5", "a contig of GRCh38 .*, found '22'"),
        ("chr22:0-5Mb", r"CONTIG or CONTIG:START-END \(0-based half-open\), found 'chr22:0-5Mb'"),
        ("chr22:-5-5", "CONTIG or CONTIG:START-END .*, found 'chr22:-5-5'"),
    ],
)
def test_a_bad_region_is_one_line_with_file_key_and_expectation(region, message):
    where = rf"^my\.yaml: genome\.regions: {region}: expected "
    with pytest.raises(InputError, match=f"{where}{message}$"):
        parse_region(region, "my.yaml")


def test_a_contig_is_tiled_from_end_to_end():
    blocks = plan_blocks(["chr21"], [], 0, 5_000_000)
    assert (blocks[0].start, blocks[-1].end) == (0, CONTIG_LENGTHS["chr21"])
    assert [b.length for b in blocks[:-1]] == [5_000_000] * 9


def test_a_million_genomes_are_about_620_jobs_of_5_megabases(root):
    from rehearsal.genomes.masks import read_masks

    masks = read_masks(root / "config/masks.tsv")
    blocks = plan_blocks(list(CONTIG_LENGTHS), [], 0, 5_000_000, masks)
    assert 590 < len(blocks) < 650
    assert sum(b.length for b in blocks) == sum(CONTIG_LENGTHS.values()) - sum(
        m.length
        for m in merge(masks)  # some overlap
    )


def test_blocks_come_in_karyotype_order():
    blocks = plan_blocks(["chrX:0-10", "chr10:0-10", "chr2:0-10", "chrM:0-10"], [], 0, 10)
    assert [b.contig for b in blocks] == ["chr2", "chr10", "chrX", "chrM"]
    assert list(KARYOTYPE_ORDER)[8:10] == ["chr9", "chr10"]


def test_a_window_is_as_wide_as_asked_and_rounded_outward_to_a_kilobase():
    (block,) = plan_blocks([], [snv("chr17", 43_124_026)], 200_000, 5_000_000)
    assert block == Block("chr17", 43_024_000, 43_225_000)


def test_windows_that_overlap_become_one_block():
    planted = [snv("chr17", 43_124_026), snv("chr17", 43_057_061)]
    assert len(plan_blocks([], planted, 200_000, 5_000_000)) == 1
    assert len(plan_blocks([], planted, 20_000, 5_000_000)) == 2


def test_a_variant_that_a_region_holds_needs_no_window():
    blocks = plan_blocks(["chr17:43000000-43200000"], [snv("chr17", 43_124_026)], 200_000, 10**7)
    assert blocks == [Block("chr17", 43_000_000, 43_200_000)]


def test_a_window_ends_where_a_region_begins_and_at_the_contigs_end():
    blocks = plan_blocks(["chr17:43130000-43200000"], [snv("chr17", 43_124_026)], 200_000, 10**7)
    assert blocks == [
        Block("chr17", 43_024_000, 43_130_000),
        Block("chr17", 43_130_000, 43_200_000),
    ]
    (first,) = plan_blocks([], [snv("chrM", 0)], 5_000, 10**7)
    (last,) = plan_blocks([], [snv("chrM", 16_568)], 5_000, 10**7)
    assert (first, last) == (Block("chrM", 0, 3_000), Block("chrM", 14_000, 16_569))


@pytest.mark.parametrize(
    ("regions", "planted", "window", "message"),
    [
        (["chr1:0-10", "chr1:9-20"], [], 0, "do not overlap, found chr1:0-10 and chr1:9-20"),
        (["chr1:0-10"], [snv("chr1", 10)], 0, "planted_window of .*, found neither for GENE name"),
        (["chr1:0-10"], [snv("chr1", 8, "ACT")], 0, "REF crosses the end of the block chr1:0-10"),
        ([], [snv("chrM", 20_000)], 100, "a position on a contig of GRCh38, found GENE name"),
        ([], [snv("chrM", 105)], 100, "masks that leave .*, found a mask over GENE name"),
    ],
)
def test_impossible_blocks_are_refused(regions, planted, window, message):
    with pytest.raises(InputError, match=message):
        plan_blocks(regions, planted, window, 1_000, [Block("chrM", 100, 200)])


def test_a_region_wholly_inside_masks_is_named():
    masks = [Block("chrM", 90, 150), Block("chrM", 150, 200)]
    regions = ["chrM:1000-2000", "chrM:100-200"]
    with pytest.raises(InputError, match=r"my\.yaml: genome\.regions: .*found chrM:100-200, all"):
        plan_blocks(regions, [], 0, 1_000, masks, "my.yaml")
    left = plan_blocks(["chrM:100-201"], [], 0, 1_000, masks)
    assert left == [Block("chrM", 200, 201)]


def test_windows_alone_are_blocks_without_any_region():
    assert len(plan_blocks([], [snv("chrM", 500)], 100, 1_000)) == 1


def test_adjacent_regions_do_not_overlap():
    assert len(plan_blocks(["chr1:0-10", "chr1:10-20"], [], 0, 100)) == 2


def test_planted_variants_of_a_block_come_in_order_of_position():
    two, one, other = snv("chr1", 9), snv("chr1", 0), snv("chr1", 10)
    assert planted_in(Block("chr1", 0, 10), [two, other, one]) == [one, two]


def test_a_note_says_which_part_of_y_is_left_out_because_it_is_on_x(monkeypatch):
    notes = []
    monkeypatch.setattr(blocks, "note", notes.append)
    masks = [Block("chrY", 10_000, 2_781_479)]
    assert plan_blocks(["chrY:2700000-3000000"], [], 0, 10**6, masks) == [
        Block("chrY", 2_781_479, 3_000_000)
    ]
    plan_blocks(["chrY:2781479-3000000", "chrX:2700000-2800000"], [], 0, 10**6, masks)
    part = "chrY:2700000-2781479"
    assert notes == [f"{part} is left out: it lies in PAR1, whose variants are on chrX"]


def test_blocks_end_at_the_borders_of_pseudo_autosomal_regions():
    regions = ["chrX:2000000-4000000", "chrX:155000000-156040895"]
    blocks = plan_blocks(regions, [snv("chrX", 2_781_470)], 1_000, 1_500_000)
    assert [(block.start, block.end) for block in blocks] == [
        (2_000_000, 2_781_479),
        (2_781_479, 4_000_000),
        (155_000_000, 155_701_382),
        (155_701_382, 156_030_895),
        (156_030_895, 156_040_895),
    ]


def test_the_window_of_a_planted_variant_ends_at_the_border():
    blocks = plan_blocks([], [snv("chrX", 2_781_470)], 1_000, 5_000)
    assert [(block.start, block.end) for block in blocks] == [(2_780_000, 2_781_479)]


@pytest.mark.parametrize(
    ("people", "megabases"), [(0, 28_000), (280, 100), (2_800, 10), (28_000, 5), (10**6, 5)]
)
def test_few_people_get_long_blocks(people, megabases):
    assert automatic_block_size(people) == megabases * 10**6
