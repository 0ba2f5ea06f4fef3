"""How steeply something grows: the exponent of a power law, by least squares on logarithms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, nan

import numpy as np
from scipy import stats


@dataclass(frozen=True, slots=True)
class PowerLaw:
    """``y = coefficient * x ** exponent``. ``standard_error``: of the exponent; NaN for fewer than
    three points, which any line goes through or near."""

    exponent: float
    standard_error: float
    coefficient: float
    r_squared: float
    points: int


def fit_power_law(x: Sequence[float], y: Sequence[float]) -> PowerLaw:
    """Ordinary least squares of log y on log x, over the points where both are above 0.

    The standard error is that of the slope of simple linear regression, with points - 2 degrees
    of freedom: it tells of the scatter about a straight line, not of a curve that a power law
    does not fit. Raises ValueError for fewer than two different x.
    """
    xs, ys = np.asarray(x, float), np.asarray(y, float)
    usable = (xs > 0) & (ys > 0) & np.isfinite(xs) & np.isfinite(ys)
    xs, ys = xs[usable], ys[usable]
    if len(np.unique(xs)) < 2:
        raise ValueError("a power law needs at least two different x")
    line = stats.linregress(np.log(xs), np.log(ys))
    error = float(line.stderr) if len(xs) > 2 else nan
    return PowerLaw(
        exponent=float(line.slope),
        standard_error=error,
        coefficient=exp(line.intercept),
        r_squared=float(line.rvalue**2),
        points=len(xs),
    )
