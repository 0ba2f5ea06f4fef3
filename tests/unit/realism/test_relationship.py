"""Relationships of blocks are weighted before they are added."""

import numpy as np
import pytest

from rehearsal.realism.measures import weigh_relationship


def relationship(sites, copies, seed):
    """Of 40 people of two groups at independent sites, each of which counts several times."""
    rng = np.random.default_rng(seed)
    shift = np.where(np.arange(40) < 20, 0.05, -0.05)
    z = rng.normal(size=(sites, 40)) + np.outer(rng.normal(size=sites), shift)
    return copies * z.T @ z


def test_sites_that_say_the_same_do_not_count_several_times():
    one, many = (weigh_relationship(relationship(200, copies, 1)) for copies in (1, 50))
    assert many == pytest.approx(one)


def test_a_block_with_few_independent_sites_counts_less():
    few, several = (weigh_relationship(relationship(n, 2_000 // n, 1)) for n in (20, 2_000))
    assert np.diag(several).mean() > 10 * np.diag(few).mean()


def test_no_sites_have_no_weight():
    assert not weigh_relationship(np.zeros((40, 40))).any()
