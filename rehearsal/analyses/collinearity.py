"""Variables that sums of products cannot tell: covariates like others, and means far from 0."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rehearsal.analyses.protocol import AnalysisError

TOLERANCE = 1e-9  # share of a covariate's variance that others must leave unexplained

FARTHEST = 3e4  # mean of a variable, in standard deviations: sums of squares lose 9 of 16 digits


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


def refuse_far(
    sums: NDArray[np.float64], squares: NDArray[np.float64], names: Sequence[str]
) -> None:
    """Refuse variables whose mean is so far from 0 that sums of squares do not tell how they vary.

    Args:
        sums: Sums of the variables, shape (n_variables,). The first is the intercept.
        squares: Their sums of squares.
        names: Their names.

    Raises:
        AnalysisError: Some are; the message names them.
    """
    people = squares[0]
    is_far = squares - sums**2 / people < squares / FARTHEST**2
    if found := [name for name, one in zip(names[1:], is_far[1:], strict=True) if one]:
        expected = f"a mean within {FARTHEST:,.0f} standard deviations of 0: take a number off each"
        raise AnalysisError("bad_parameters", "analysis", "variables", expected, ", ".join(found))
