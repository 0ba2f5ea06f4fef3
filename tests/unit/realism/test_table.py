"""Every measure becomes a row that says what was expected and whether it could be judged."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rehearsal.model import Block
from rehearsal.realism.contigs import contig_table
from rehearsal.realism.figures import FIGURES, save_figures
from rehearsal.realism.measures import block_measures, join
from rehearsal.realism.rows import (
    COLUMNS,
    informative_row,
    judged_row,
    read_rows,
    row_table,
    write_rows,
)
from rehearsal.realism.structure import correlation, laid_over, principal_components, slope
from rehearsal.realism.table import Comparison, measured_fst, realism_table

WORDS = {"source": "a paper", "sample": "ten people"}


@pytest.fixture(scope="module")
def joined(cohort):
    return join(
        block_measures(cohort.trees[block.id], block, cohort.panel) for block in cohort.blocks
    )


@pytest.fixture(scope="module")
def known(cohort):
    pairs = pd.DataFrame(
        {
            "country1": ["ES", "FI", "IE"],
            "country2": ["FI", "IE", "PL"],
            "fst": [0.01, 0.008, 0.002],
        }
    )
    popres = pd.DataFrame(
        {"country": ["ES", "IE", "IT", "PL"], "pc1": range(4), "pc2": [1, 0, 2, 5]}
    )
    return Comparison(cohort.countries, np.full((5, 5), 0.01), pairs, popres, 4.0)


def larger(joined, factor):
    return replace(joined, **{name: value * factor for name, value in vars(joined).items()})


def by_name(table):
    return table.set_index("name")


def test_a_small_run_is_measured_but_not_judged(joined, cohort, known):
    table = realism_table(joined, cohort.panel, known)
    assert list(table.columns) == list(COLUMNS)
    assert not table["name"].duplicated().any()
    unjudged = table[~table["judged"].astype(bool)]
    assert unjudged["passed"].isna().all()
    assert (unjudged["note"] != "").all()
    row = by_name(table).loc["heterozygosity per base"]
    # Five countries of 10,000 that exchange migrants: 4 * 50,000 * 1.29e-8.
    assert row["measured"] == pytest.approx(2.6e-3, rel=0.3)
    assert row["note"] == "needs 20 Mb of autosomes"


def test_a_large_run_is_judged(joined, cohort, known):
    table = by_name(realism_table(larger(joined, 4_000), cohort.panel, known))
    judged = table[table["judged"].astype(bool)]
    assert "heterozygosity per base" in judged.index
    assert "diversity of X relative to autosomes" in judged.index
    assert "kinship, parent and child" in judged.index
    assert set(map(type, judged["passed"])) == {bool}
    assert judged.loc["kinship, parent and child", "passed"]


@pytest.mark.parametrize(("factor", "passed"), [(1.0, True), (2.0, False)])
def test_twice_the_diversity_fails(joined, cohort, known, factor, passed):
    large = larger(joined, 4_000)
    per_base = large.heterozygous.mean() / large.bases
    wrong = replace(large, heterozygous=large.heterozygous * factor * 7.5e-4 / per_base)
    table = by_name(realism_table(wrong, cohort.panel, known))
    assert table.loc["heterozygosity per base", "passed"] is passed


def test_f_st_that_agrees_with_the_prediction_passes(joined, cohort, known):
    large = larger(joined, 4_000)
    for expected, passed in ((measured_fst(large), True), (-measured_fst(large), False)):
        table = by_name(realism_table(large, cohort.panel, replace(known, expected_fst=expected)))
        row = table.loc["F_ST, correlation with the model's prediction"]
        assert row["passed"] is passed, row["note"]
        assert table.loc["F_ST, slope on the model's prediction", "passed"] is passed


def test_an_autosome_alone_has_no_ratio_of_x(cohort, known):
    block = cohort.blocks[0]
    alone = block_measures(cohort.trees[block.id], block, cohort.panel)
    row = by_name(realism_table(alone, cohort.panel, known)).loc[
        "diversity of X relative to autosomes"
    ]
    assert row["measured"] is None
    assert row["judged"] is False


def test_f_st_is_hudsons(joined, cohort):
    fst = measured_fst(joined)
    d = joined.differences
    assert fst[0, 1] == pytest.approx(1 - (d[0, 0] + d[1, 1]) / (2 * d[0, 1]))
    assert np.diag(fst) == pytest.approx(0)


def test_a_range_judges_its_ends_as_inside():
    for value, passed in ((1.9, True), (2.2, True), (2.3, False), (1.8, False)):
        assert judged_row("r", value, 1.9, 2.2, **WORDS).passed is passed
    assert judged_row("r", 0.99, 0.98, None, **WORDS).expected == "at least 0.98"
    assert judged_row("r", 0.03, None, 0.02, **WORDS).passed is False


@given(st.sampled_from([float("nan"), float("inf"), -float("inf")]))
def test_what_could_not_be_measured_is_not_judged(value):
    row = judged_row("r", value, 0, 1, **WORDS)
    assert (row.measured, row.judged, row.passed) == (None, False, None)
    assert row.note == "could not be measured"


def test_a_table_keeps_missing_values_and_truth(tmp_path):
    rows = [
        judged_row("one", 0.5, 0, 1, **WORDS),
        judged_row("two", 0.5, 0, 1, needs="needs more", **WORDS),
        informative_row("three", 0.5, "no more", note="why", **WORDS),
    ]
    assert list(row_table(rows)["passed"]) == [True, None, None]
    write_rows(row_table(rows), tmp_path / "rows.tsv")
    assert read_rows(tmp_path / "rows.tsv") == row_table(rows).to_dict("records")


def test_components_find_two_groups():
    rng = np.random.default_rng(1)
    z = rng.normal(size=(20, 500)) + np.repeat([[0.0], [1.0]], 10, axis=0)
    scores, shares = principal_components(z @ z.T)
    assert (scores[:10, 0].max() < scores[10:, 0].min()) or (
        scores[:10, 0].min() > scores[10:, 0].max()
    )
    assert 1 > shares[0] > shares[1] > 0


@given(
    st.floats(-3, 3),
    st.floats(0.1, 5),
    st.booleans(),
    st.tuples(st.floats(-9, 9), st.floats(-9, 9)),
)
def test_a_turned_layout_is_laid_over_its_target(angle, factor, mirrored, shift):
    target = np.array([[0.0, 0.0], [4.0, 0.0], [1.0, 3.0], [2.0, 2.0]])
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    layout = factor * (target * [-1 if mirrored else 1, 1]) @ turn + shift
    assert laid_over(layout, target, layout) == pytest.approx(target, abs=1e-6)


def test_without_spread_there_is_no_correlation():
    assert np.isnan(correlation(np.ones(4), np.arange(4)))
    assert np.isnan(slope(np.arange(3), np.ones(3)))
    assert slope(2 * np.arange(3), np.arange(3)) == pytest.approx(2)


def test_contigs_tell_bases_and_centimorgans():
    blocks = [Block("chr1", 0, 2_000_000), Block("chr1", 5_000_000, 6_000_000)]
    blocks.append(Block("chrX", 0, 1_000_000))
    table = contig_table(blocks, {block.id: block.length * 1e-8 for block in blocks})
    assert table.to_dict("list") == {
        "contig": ["chr1", "chrX"],
        "blocks": [2, 1],
        "megabases": [3.0, 1.0],
        "centimorgans": [3.0, 1.0],
    }


def test_figures_are_written_and_the_same_again(joined, cohort, known, tmp_path):
    written = []
    for run in ("one", "two"):
        paths = {name: tmp_path / run / f"{name}.svg" for name in FIGURES}
        save_figures(joined, cohort.panel, known, paths)
        written.append({name: path.read_bytes() for name, path in paths.items()})
    assert written[0] == written[1]
    assert all(content.startswith(b"<svg") for content in written[0].values())
    assert b">FI<" in written[0]["map"]
