"""What a client puts together from a ticket is exactly the region, in one valid file."""

from __future__ import annotations

import gzip

import pysam
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rehearsal.formats.bgzf import END_OF_FILE, BgzfWriter

from .conftest import (
    BLOCKS,
    LENGTH,
    SAMPLES,
    app_of,
    fetch,
    overlapping,
    put_together,
    records,
    ticket,
    write_bcf,
)


def test_without_a_place_everything_comes_contig_by_contig(either, oracle, tmp_path, fmt):
    got = records(either, tmp_path, format=fmt)
    assert got == oracle
    assert len({row[0] for row in got}) == 3


@pytest.mark.parametrize("fmt", ["BCF", "VCF"])
def test_a_file_that_is_one_block_comes_whole(tmp_path, fmt):
    """Header and records share the block, and the mark of the end follows."""
    folder = tmp_path / "FI"
    (folder / "genomes").mkdir(parents=True)
    fixed = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *SAMPLES[:3]]
    lines = [
        "##fileformat=VCFv4.3",
        f"##contig=<ID=chr2,length={LENGTH}>",
        '##FORMAT=<ID=GT,Number=1,Type=String,Description="">',
        "\t".join(fixed),
        *(f"chr2\t{place}\t.\tA\tC\t.\t.\t.\tGT\t0|1\t0|0\t1|1" for place in (10, 20, 30)),
    ]
    write_bcf(folder / "genomes", BLOCKS[0], lines)
    path = folder / "genomes" / f"{BLOCKS[0].id}.bcf"
    content = gzip.decompress(path.read_bytes())
    with BgzfWriter(path) as writer:
        writer.write(content)
    pysam.tabix_index(str(path), preset="bcf", csi=True, force=True)
    path = tmp_path / "whole"
    path.write_bytes(put_together(app_of(folder), ticket(app_of(folder), format=fmt)))
    with pysam.VariantFile(str(path)) as reader:
        assert [str(row) for row in reader] == [f"{line}\n" for line in lines[4:]]


def test_a_region_within_a_block(either, oracle, tmp_path, fmt):
    place = ("chr17", 1_050_000, 1_100_000)
    expected = overlapping(oracle, place)
    assert expected
    got = records(
        either, tmp_path, format=fmt, referenceName=place[0], start=place[1], end=place[2]
    )
    assert got == expected


def test_a_region_over_two_files_is_one_file(either, oracle, tmp_path, fmt):
    place = ("chr17", 1_150_000, 1_250_000)
    got = records(
        either, tmp_path, format=fmt, referenceName=place[0], start=place[1], end=place[2]
    )
    assert got == overlapping(oracle, place)
    assert {row[1] < 1_200_000 for row in got} == {True, False}


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_region_is_exactly_its_records(app, oracle, tmp_path, data):
    near = [edge for row in oracle if row[0] == "chr17" for edge in (row[1], row[2])]
    edge = st.one_of(st.sampled_from(near), st.integers(990_000, 1_310_000))
    nudged = st.builds(lambda at, by: at + by, edge, st.integers(-1, 1))
    start, end = sorted((data.draw(nudged), data.draw(nudged)))
    got = records(app, tmp_path, format="BCF", referenceName="chr17", start=start, end=end)
    assert got == (overlapping(oracle, ("chr17", start, end)) if start < end else [])


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["chr2", "chr17", "chrX"]),
            st.sampled_from([0, 500_000, 1_000_000]),
            st.integers(0, 290_000),
            st.integers(1, 40_000),
        ),
        min_size=1,
        max_size=6,
    )
)
def test_regions_of_a_post_come_once_each_in_the_order_of_the_genome(app, oracle, tmp_path, asked):
    places = [(contig, base + at, base + at + size) for contig, base, at, size in asked]
    regions = [{"referenceName": c, "start": start, "end": end} for c, start, end in places]
    got = records(app, tmp_path, regions, format="BCF")
    assert got == overlapping(oracle, *places)


def test_a_deletion_between_two_regions_comes_once(app, oracle, tmp_path, fmt):
    contig, start, end, _ = next(row for row in oracle if row[2] - row[1] > 1000)
    places = [(contig, start - 10, start + 10), (contig, end - 10, end + 10)]
    regions = [{"referenceName": c, "start": first, "end": last} for c, first, last in places]
    got = records(app, tmp_path, regions, format=fmt)
    assert got == overlapping(oracle, *places)


def test_a_region_without_records_is_a_valid_empty_file(app, tmp_path, fmt):
    assert records(app, tmp_path, format=fmt, referenceName="chr2", start=5, end=5) == []
    assert records(app, tmp_path, format=fmt, referenceName="chr2", start=99_999_999) == []


def test_blocks_of_one_contig_are_sent_as_they_are_in_the_file(app, plain_folder):
    told = ticket(app, format="BCF", referenceName="chr17", start=1_000_000, end=1_200_000)
    body = fetch(app, told["urls"][1])
    stored = (plain_folder / "genomes" / f"{BLOCKS[1].id}.bcf").read_bytes()
    assert body[-5000:] == stored[: -len(END_OF_FILE)][-5000:]
