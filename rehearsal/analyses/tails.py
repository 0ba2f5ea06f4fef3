"""p values. SciPy is imported when the network asks for them: a node starts without it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]


def p_of_t(t: Numbers, degrees: Numbers) -> Numbers:
    """Return two-sided p values of Student's t.

    Args:
        t: Statistics.
        degrees: Degrees of freedom, of the same shape.
    """
    from scipy.special import stdtr

    p: Numbers = 2.0 * stdtr(degrees, -np.abs(t))
    return p


def p_of_z(z: Numbers) -> Numbers:
    """Return two-sided p values of a normal statistic.

    Args:
        z: Statistics.
    """
    from scipy.special import ndtr

    p: Numbers = 2.0 * ndtr(-np.abs(z))
    return p
