"""The drawn recombination map: hotspots, share, total, file."""

import dataclasses

import msprime
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rehearsal.genomes.hotspots import Hotspots, hotspot_map, write_hapmap
from rehearsal.genomes.recombination import contig_map, uniform_map

HOTSPOTS = Hotspots(0.7, 60_000, 1_500, 1.6, 250_000, 0.5)


@settings(deadline=None, max_examples=30)
@given(
    seed=st.integers(1, 10**6),
    share=st.floats(0, 1),
    spacing=st.integers(1_000, 10**6),
    width=st.integers(1, 20_000),
    sigma=st.floats(0, 2),
)
def test_any_map_has_the_mean_rate_and_no_negative_rates(seed, share, spacing, width, sigma):
    hotspots = Hotspots(share, spacing, width, sigma, 250_000, 0.5)
    drawn = hotspot_map("chr22", 1.1e-8, hotspots, seed)
    assert drawn.total_mass == pytest.approx(50_818_468 * 1.1e-8, rel=1e-3)
    assert drawn.sequence_length == 50_818_468
    assert (drawn.rate >= 0).all()


@pytest.mark.parametrize(
    ("contig", "centimorgans", "begin"), [("chr1", 286.3, 0), ("chr22", 74.1, 10_510_000)]
)
def test_a_contig_has_its_published_genetic_length(contig, centimorgans, begin):
    even = dataclasses.replace(HOTSPOTS, share=0.0, broad_sigma=0.0)
    drawn = hotspot_map(contig, None, even, 1)
    length = drawn.total_mass - drawn.get_cumulative_mass(begin)
    assert 100 * length == pytest.approx(centimorgans, rel=0.01)


def test_hotspots_have_their_share_width_and_distance():
    plain = dataclasses.replace(HOTSPOTS, sigma=0.0, broad_sigma=0.0)
    drawn = hotspot_map("chr1", 1.1e-8, plain, 1)
    hot = drawn.rate > 2 * 1.1e-8
    share = (drawn.rate * drawn.span)[hot].sum() / drawn.total_mass
    background = 0.3 * 1_500 / 60_000  # also inside of hotspots
    assert share == pytest.approx(0.7 + background, abs=0.005)
    starts = drawn.left[hot & ~np.append(False, hot[:-1])]
    assert np.diff(starts).mean() == pytest.approx(60_000, rel=0.05)
    assert drawn.span[hot].sum() / len(starts) == pytest.approx(1_500, rel=0.01)


def test_intensities_differ_between_hotspots_and_broad_stretches():
    drawn = hotspot_map("chr1", 1.1e-8, HOTSPOTS, 1)
    hot = drawn.rate > 10 * 1.1e-8
    assert 0.8 < np.std(np.log(drawn.rate[hot])) < 1.7
    broad = dataclasses.replace(HOTSPOTS, share=0.0)
    only = hotspot_map("chr1", 1.1e-8, broad, 1)
    assert np.std(np.log(only.get_rate(np.arange(1_000, 248_000_000, 250_000)))) == pytest.approx(
        0.5, rel=0.1
    )


@pytest.mark.parametrize("contig", ["chrY", "chrM"])
def test_nothing_recombines_on_y_and_mt(contig):
    assert hotspot_map(contig, 1.1e-8, HOTSPOTS, 1).total_mass == 0


def test_a_map_depends_on_the_seed_and_the_contig_only():
    one, again, seed, contig = (
        hotspot_map(contig, 1.1e-8, HOTSPOTS, seed)
        for contig, seed in (("chr21", 1), ("chr21", 1), ("chr21", 2), ("chr22", 1))
    )
    assert one == again
    assert len({tuple(m.left[:50]) for m in (one, seed, contig)}) == 3


def test_the_written_map_is_the_drawn_one_for_us_and_for_msprime(tmp_path):
    drawn = hotspot_map("chr21", 1.1e-8, HOTSPOTS, 7)
    paths = [tmp_path / "a.map.gz", tmp_path / "b.map.gz"]
    for path in paths:
        write_hapmap(drawn, "chr21", path)
    assert contig_map("chr21", paths[0]) == drawn
    by_map = msprime.RateMap.read_hapmap(paths[0], sequence_length=drawn.sequence_length)
    np.testing.assert_allclose(by_map.rate, drawn.rate, rtol=1e-2, atol=1e-12)
    assert by_map.total_mass == pytest.approx(drawn.total_mass)
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_a_rate_of_zero_gives_a_map_without_recombination():
    assert hotspot_map("chr21", 0, HOTSPOTS, 7) == uniform_map("chr21", 0)
