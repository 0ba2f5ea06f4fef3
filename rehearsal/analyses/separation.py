"""Covariates that separate cases from controls: their likelihood has no maximum.

Where a combination of covariates tells all cases from all controls, or some people by themselves,
as sex does of a disease that only one sex has, coefficients grow in each round and their standard
errors grow faster. So short steps in standard errors are no sign of a maximum.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rehearsal.analyses.packing import inverse_cholesky
from rehearsal.analyses.protocol import AnalysisError

Numbers = NDArray[np.float64]
# Share of the information on a coefficient that must be left, of that without any effects. With one
# case in a group of n people it is more than 4 / n; after r rounds of separation it is about e^-r.
LEAST_LEFT = 1e-7


def information_left(inverse: Numbers, products: Numbers, prevalence: float) -> Numbers:
    """Compare the information on each coefficient with that at no effects.

    Args:
        inverse: Of the information at the coefficients that were found, shape (c, c).
        products: Sums of products of covariates, shape (c, c).
        prevalence: Share of cases among the people.

    Returns:
        Shape (c,); 0 or NaN where the information has lost its inverse.
    """
    factor = inverse_cholesky(products[None])[0]
    variance = np.square(factor).sum(axis=0) / (prevalence * (1 - prevalence))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(variance / np.diag(inverse))


def refuse_separating(left: Numbers, names: Sequence[str]) -> None:
    """Refuse covariates on whose coefficients nearly no information is left.

    Args:
        left: Of :func:`information_left`.
        names: Names of the covariates. The first is the intercept.

    Raises:
        AnalysisError: Some separate cases from controls; the message names them.
    """
    found = [name for name, one in zip(names, left, strict=True) if not one > LEAST_LEFT]
    if found:
        expected = "covariates that do not separate cases from controls"
        named = ", ".join(found[1:] if found[0] == names[0] and len(found) > 1 else found)
        raise AnalysisError("bad_parameters", "analysis", "covariates", expected, named)
