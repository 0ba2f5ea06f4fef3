"""The penalised likelihood of Firth (1993), for cases that a variant separates.

The likelihood is multiplied by the root of the determinant of the information I (Heinze and
Schemper 2002, doi:10.1002/sim.1047). Its score is

    U*_r = U_r + 1/2 trace(I^-1 dI/dbeta_r).

Written with leverages h_i = w_i x_i' I^-1 x_i, the second term is ``sum h_i (1/2 - mu_i) x_ir``.
The leverages need the joint information, so summing them would take a second round of each step.
The derivatives ``dI_st/dbeta_r = sum w (1 - 2 mu) x_r x_s x_t`` do not: they are sums over people
of the same round, symmetric in r, s and t, and the score follows from them exactly.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rehearsal.analyses.packing import triples

Numbers = NDArray[np.float64]
LONGEST_STEP = 5.0  # of a coefficient in one round


def penalty_score(inverse: Numbers, third: Numbers) -> Numbers:
    """Compute what the penalty adds to the score.

    Args:
        inverse: Inverse information, shape (n, p, p).
        third: Packed derivatives of the information, shape (n, p (p + 1) (p + 2) / 6).

    Returns:
        Shape (n, p).
    """
    p = inverse.shape[1]
    full = np.empty((third.shape[0], p, p, p))
    r, s, t = triples(p)
    for i, j, k in ((r, s, t), (r, t, s), (s, r, t), (s, t, r), (t, r, s), (t, s, r)):
        full[:, i, j, k] = third
    score: Numbers = np.einsum("nst,nrst->nr", inverse, full, optimize=True) / 2
    return score


def log_penalty(inverse_factor: Numbers) -> Numbers:
    """Compute half the logarithm of the determinant of the information.

    Args:
        inverse_factor: Inverse lower Cholesky factor of the information, shape (n, p, p).
    """
    diagonal = np.diagonal(inverse_factor, axis1=1, axis2=2)
    return -np.log(diagonal).sum(axis=1)


def shortened(step: Numbers) -> Numbers:
    """Shorten steps so that no coefficient changes by more than :data:`LONGEST_STEP`.

    Args:
        step: Shape (n, p).
    """
    longest = np.abs(step).max(axis=1, keepdims=True, initial=0.0)
    return step * np.minimum(1.0, LONGEST_STEP / np.maximum(longest, LONGEST_STEP))
