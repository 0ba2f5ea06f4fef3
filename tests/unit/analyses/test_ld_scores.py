"""LD scores over nodes are sums of squared correlations of the pooled people."""

import numpy as np
import pytest

from rehearsal.analyses import ld_scores
from rehearsal.analyses.protocol import AnalysisError

from .cohort import play, simulate

WINDOW = 12_000
STEP = {"algorithm": "ld_scores", "parameters": {"least_frequency": 0.05, "window": WINDOW}}


@pytest.mark.parametrize("missing", [0.0, 0.02])
def test_scores_are_those_of_pooled_correlations(tmp_path, missing):
    cohort = simulate(tmp_path, n_variants=600, structure=0.15, missing=missing)
    found = play(cohort.views(), {"steps": [STEP]}).results
    result = found["ld_scores"]
    order = cohort.order(found)[result["chosen"]]
    sites = [cohort.sites[i] for i in order]
    genotypes = cohort.genotypes[order].astype(float)
    genotypes[genotypes < 0] = np.nan
    centred = genotypes - np.nanmean(genotypes, axis=1, keepdims=True)
    centred[np.isnan(centred)] = 0.0
    squared = np.corrcoef(centred) ** 2
    # np.corrcoef takes the mean off again, which missing calls have not moved
    squared -= (1 - squared) / (genotypes.shape[1] - 2)
    contig = np.array([site[0] for site in sites])
    position = np.array([site[1] for site in sites])
    near = contig[:, None] == contig[None]
    near &= np.abs(position[:, None] - position[None]) <= WINDOW
    assert 300 < len(sites) < 600
    np.testing.assert_array_equal(result["pairs"], near.sum(axis=1))
    np.testing.assert_allclose(result["score"], (squared * near).sum(axis=1), rtol=1e-10)
    assert result["score"].max() > 1.3  # of structure


def test_a_window_of_no_length_leaves_the_variant_itself(tmp_path):
    cohort = simulate(tmp_path)
    step = {"algorithm": "ld_scores", "parameters": {"window": 0}}
    found = play(cohort.views(), {"steps": [step]}).results["ld_scores"]
    np.testing.assert_allclose(found["score"], 1.0, rtol=1e-12)


def test_a_variant_that_everybody_is_heterozygous_for_has_no_score_and_changes_none(tmp_path):
    cohort = simulate(tmp_path / "without")
    without = play(cohort.views(), {"steps": [STEP]}).results
    cohort = simulate(tmp_path / "with")
    cohort.genotypes[50] = 1
    found = play(cohort.views(), {"steps": [STEP]}).results
    order = cohort.order(found)[found["ld_scores"]["chosen"]]
    assert 50 not in order
    assert np.isfinite(found["ld_scores"]["score"]).all()
    places = cohort.order(without)[without["ld_scores"]["chosen"]]
    before = dict(zip(places, without["ld_scores"]["score"], strict=True))
    far = [row for row in range(len(order)) if abs(order[row] - 50) > 30]
    assert [found["ld_scores"]["score"][row] for row in far] == pytest.approx(
        [before[order[row]] for row in far], rel=1e-12
    )


def test_more_pairs_than_a_round_can_have_are_refused_before_nodes_multiply_them(
    tmp_path, monkeypatch
):
    cohort = simulate(tmp_path)
    monkeypatch.setattr(ld_scores, "MOST_PAIRS", 1000)
    said = "window: expected at most 1,000 pairs: a smaller window or a larger least_frequency"
    with pytest.raises(AnalysisError, match=said):
        play(cohort.views(), {"steps": [{"algorithm": "ld_scores"}]})
