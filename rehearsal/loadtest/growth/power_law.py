"""The exponent of growth: a power law, fitted by least squares on logarithms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, nan, sqrt

import numpy as np

from rehearsal.errors import mismatch


@dataclass(frozen=True, slots=True)
class PowerLaw:
    """A fitted power law ``y = coefficient * x ** exponent``."""

    exponent: float
    standard_error: float  # of the exponent; NaN for fewer than three points
    coefficient: float
    r_squared: float
    points: int  # number of points


def fit_power_law(x: Sequence[float], y: Sequence[float]) -> PowerLaw:
    """Fit a power law by ordinary least squares of log y on log x.

    The standard error is that of the slope of simple linear regression, with points - 2 degrees of
    freedom. It measures the scatter about a straight line, not whether a power law fits.

    Args:
        x: Values of x, shape (n,).
        y: Values of y, shape (n,). Only points with x and y above 0 count.

    Returns:
        The power law.

    Raises:
        ValueError: There are fewer than two different x.
    """
    xs, ys = np.asarray(x, float), np.asarray(y, float)
    usable = (xs > 0) & (ys > 0) & np.isfinite(xs) & np.isfinite(ys)
    xs, ys = xs[usable], ys[usable]
    if len(np.unique(xs)) < 2:
        found = str(len(np.unique(xs)))
        raise ValueError(mismatch("power law", "at least two different x", found))
    log_x, log_y = np.log(xs), np.log(ys)
    from_mean_x, from_mean_y = log_x - log_x.mean(), log_y - log_y.mean()
    of_x, of_y = float(from_mean_x @ from_mean_x), float(from_mean_y @ from_mean_y)
    slope = float(from_mean_x @ from_mean_y) / of_x
    residuals = from_mean_y - slope * from_mean_x
    unexplained = float(residuals @ residuals)
    return PowerLaw(
        exponent=slope,
        standard_error=sqrt(unexplained / (len(xs) - 2) / of_x) if len(xs) > 2 else nan,
        coefficient=exp(log_y.mean() - slope * log_x.mean()),
        r_squared=1 - unexplained / of_y if of_y else 0.0,
        points=len(xs),
    )
