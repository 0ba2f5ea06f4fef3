"""Covariates that say the same as others."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rehearsal.analyses.protocol import AnalysisError

TOLERANCE = 1e-9  # share of a covariate's variance that others must leave unexplained


def refuse_collinear(products: NDArray[np.float64], names: Sequence[str]) -> None:
    """Refuse covariates of which one is a linear combination of those before it.

    Args:
        products: Sums of products of covariates, shape (n_covariates, n_covariates). The first
            covariate is the intercept.
        names: Names of the covariates.

    Raises:
        AnalysisError: Some are; the message names them.
    """
    left = np.array(products, dtype=np.float64)
    own = np.diag(left).copy()
    found = []
    for i, name in enumerate(names):  # Gaussian elimination: what the earlier ones leave of each
        if left[i, i] <= TOLERANCE * own[i]:
            found.append(name)
            continue
        left = left - np.outer(left[:, i], left[i]) / left[i, i]
        if i == 0:
            own = np.maximum(np.diag(left), TOLERANCE * own)  # variances, not mean squares
    if found:
        expected = "covariates that vary and are no linear combinations of others"
        raise AnalysisError("bad_parameters", "analysis", "covariates", expected, ", ".join(found))
