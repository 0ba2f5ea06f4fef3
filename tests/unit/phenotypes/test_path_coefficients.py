"""What causes explain together."""

import pytest

from rehearsal.phenotypes.path_coefficients import explained_by_causes


def test_what_causes_explain_follows_from_the_paths(clinical):
    explained = explained_by_causes(clinical)
    assert explained["level"] == 0
    assert explained["pressure"] == pytest.approx(0.25 + 0.16)
    # corr(pressure, smoke) = 0.4
    assert explained["lower"] == pytest.approx(0.49 + 0.04 + 2 * 0.7 * 0.2 * 0.4)
    assert explained["heart"] == pytest.approx(0.25 + 0.09 + 2 * 0.5 * 0.3 * 0.4)
