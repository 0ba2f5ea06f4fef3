"""Every measure becomes a row with the expected value and whether it was judged."""

from dataclasses import replace

import numpy as np
import pytest

from rehearsal.realism.measures import block_measures
from rehearsal.realism.rows import COLUMNS
from rehearsal.realism.structure_rows import measured_fst
from rehearsal.realism.table import realism_table

from .conftest import recombination


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


def test_segments_are_not_measured_without_long_blocks(joined, cohort, known):
    table = by_name(realism_table(joined, cohort.panel, known))
    segments = table[table.index.str.startswith("segments over")]
    assert len(segments) == 4
    assert segments["measured"].isna().all()


def test_a_large_run_is_judged(joined, cohort, known):
    table = by_name(realism_table(larger(joined, 4_000), cohort.panel, known))
    judged = table[table["judged"].astype(bool)]
    assert "heterozygosity per base" in judged.index
    assert "diversity of X relative to autosomes" in judged.index
    assert "kinship, parent and child" in judged.index
    assert set(map(type, judged["passed"])) == {bool}
    assert judged.loc["kinship, parent and child", "passed"]


@pytest.mark.parametrize(("factor", "passed"), [(1.0, True), (2.0, False)])
def test_double_diversity_fails(joined, cohort, known, factor, passed):
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


def test_a_run_without_x_has_no_ratio_of_x(cohort, known):
    block = cohort.blocks[0]
    bases = "N" * block.length
    alone = block_measures(cohort.trees[block.id], block, cohort.panel, bases, recombination(block))
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
