"""Drawn bases have the composition and the tandem repeats of a human genome."""

import re

import numpy as np
import pytest

from rehearsal.genomes.reference_model import PAIRS, drawn_bases, transition_table
from rehearsal.genomes.reference_model_kernel import TILE
from rehearsal.model import Block

MEGABASES = 24


@pytest.fixture(scope="module")
def bases() -> np.ndarray:
    parts = [
        drawn_bases(Block(contig, 30_000_000, 30_000_000 + MEGABASES * 250_000), 1)
        for contig in ("chr1", "chr5", "chr9", "chr19")
    ]
    return np.concatenate(parts)


@pytest.fixture(scope="module")
def text(bases) -> str:
    return bases.tobytes().decode()


def test_gc_content_is_about_41_percent_and_varies_by_region(bases):
    is_gc = (bases == ord("G")) | (bases == ord("C"))
    assert is_gc.mean() == pytest.approx(0.41, abs=0.015)
    windows = is_gc.reshape(-1, 20_000).mean(axis=1)
    assert 0.03 < windows.std() < 0.06  # independent bases would give 0.0035
    assert np.median(windows) < windows.mean()  # skewed to the right, as in people
    assert windows.min() > 0.32 and windows.max() < 0.72


def test_cpg_is_depleted_and_the_other_pairs_are_as_counted(text):
    share = {base: text.count(base) / len(text) for base in "ACGT"}
    pairs = np.array([[len(re.findall(f"(?={a}{b})", text)) for b in "ACGT"] for a in "ACGT"])
    odds = pairs / len(text) / np.outer(*[[share[base] for base in "ACGT"]] * 2)
    assert 0.2 <= odds[1, 2] <= 0.25
    whole = PAIRS / PAIRS.sum()
    counted = whole / np.outer(whole.sum(axis=1), whole.sum(axis=0))
    assert np.abs(odds - counted).max() < 0.06


def test_tracts_of_one_and_two_bases_are_as_frequent_as_in_grch38(text):
    def per_megabase(pattern: str) -> float:
        return sum(1 for _ in re.finditer(pattern, text)) / MEGABASES

    # tracts of hg38 (see the module) over 2,937 Mb of sequence
    assert per_megabase("A{6,}|T{6,}") == pytest.approx(7_119_220 / 2937, rel=0.12)
    assert per_megabase("(?:TA){3,}T?|(?:AT){3,}A?") == pytest.approx(2_764_278 / 2937, rel=0.12)
    ca = "(?:CA){3,}C?|(?:AC){3,}A?|(?:TG){3,}T?|(?:GT){3,}G?"
    assert per_megabase(ca) == pytest.approx(3_371_036 / 2937, rel=0.12)
    assert per_megabase("A{15,}|T{15,}") > 50
    assert per_megabase("(?:AAAT){4,}|(?:ATTT){4,}") > 3


def test_cpg_islands_stand_out(bases):
    pair = (bases[:-1] == ord("C")) & (bases[1:] == ord("G"))
    windows = pair[: len(pair) // 500 * 500].reshape(-1, 500).sum(axis=1)
    islands = (windows >= 30).sum()  # 6 % of the bases; about 0.9 % outside of islands
    assert 0.3 < islands / MEGABASES < 40


def test_any_stretch_is_part_of_the_same_contig():
    whole = drawn_bases(Block("chr3", TILE - 500, 3 * TILE + 500), 9)
    part = drawn_bases(Block("chr3", 2 * TILE - 7, 2 * TILE + 7), 9)
    assert part.tobytes() == whole[TILE + 500 - 7 : TILE + 500 + 7].tobytes()


def test_tables_have_the_gc_content_and_keep_the_odds():
    for gc in (0.35, 0.6):
        table = transition_table(gc, PAIRS)
        share = np.array([1 - gc, gc, gc, 1 - gc]) / 2
        assert table.sum(axis=1) == pytest.approx(np.ones(4))
        assert share @ table == pytest.approx(share)
        assert table == pytest.approx(
            (share[:, None] * table)[::-1, ::-1].T / share[:, None]
        )  # both strands alike
