"""Scores follow from the genotypes."""

import numpy as np
import pandas as pd
import pytest

from rehearsal.errors import InputError
from rehearsal.export.scoring_files import write_scoring_file
from rehearsal.node.scoring.scorer import Scorer

from .conftest import DISEASE, WEIGHTED, truth


def test_scores_follow_from_the_genotypes(node_data, folder, digest):
    np.testing.assert_allclose(Scorer(node_data, folder).scores(digest), truth(), atol=1e-12)


def test_a_file_whose_effect_allele_is_the_reference_is_refused(node_data, tmp_path):
    contig, start, ref, alt = WEIGHTED[0]
    exchanged = pd.DataFrame(
        [("heart", contig, start, alt, ref, 0.5, 0.5)],
        columns=["trait", "contig", "start", "ref", "alt", "effect", "frequency"],
    )
    (tmp_path / "scores").mkdir()
    write_scoring_file(exchanged, DISEASE, tmp_path / "scores" / "heart.txt.gz")
    with pytest.raises(
        InputError, match=r"heart.txt.gz: 22 2100\d+: expected the alternate allele"
    ):
        Scorer(node_data, tmp_path)
