import numpy as np
import pytest
import tskit

from rehearsal.realism.genotypes import sample_nodes


def test_haploid_people_are_refused_on_an_autosome(trees):
    ts = tskit.load(trees[0]).simplify(range(3))
    with pytest.raises(ValueError, match="individuals: expected two sample nodes each"):
        sample_nodes(ts, np.arange(ts.num_individuals))
