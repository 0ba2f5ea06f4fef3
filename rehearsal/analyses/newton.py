"""Newton's method for many variants at once, each with its own coefficients."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rehearsal.analyses.firth import log_penalty, penalty_score, shortened
from rehearsal.analyses.packing import inverse_cholesky, unpacked_products
from rehearsal.analyses.protocol import Arrays

Numbers = NDArray[np.float64]
LEAST_LEFT = 1e-9  # share of the information on the last coefficient that others must leave
WORSE = 1e-9  # relative loss of likelihood that is more than rounding


@dataclass(frozen=True, slots=True)
class Fits:
    """Coefficients of variants between two rounds. The first axis is that of variants."""

    beta: Numbers  # where the next sums are wanted
    step: Numbers  # the change that led there
    likelihood: Numbers  # before that change
    score: Numbers  # before that change
    inverse: Numbers  # of the curvature, as it was assumed for that change

    @staticmethod
    def beginning(beta: Numbers) -> Fits:
        """Begin at coefficients.

        Args:
            beta: Shape (n_variants, p).
        """
        size, p = beta.shape
        nothing = np.full((size, p), np.nan)
        inverse = np.zeros((size, p, p))
        return Fits(beta, np.zeros((size, p)), np.full(size, -np.inf), nothing, inverse)

    def arrays(self) -> Arrays:
        """Return the fits as arrays."""
        return {name: getattr(self, name) for name in FIELDS}

    def chosen(self, keep: NDArray[np.bool_]) -> Fits:
        """Keep some of the variants.

        Args:
            keep: Shape (n_variants,).
        """
        return Fits(*(array[keep] for array in self.arrays().values()))


FIELDS = ("beta", "step", "likelihood", "score", "inverse")


@dataclass(frozen=True, slots=True)
class Progress:
    """What a round found. The first axis is that of variants."""

    fits: Fits  # for the next round
    se: Numbers  # of the last coefficient, at the coefficients of this round
    converged: NDArray[np.bool_]
    singular: NDArray[np.bool_]  # the information has no inverse


def improve(fits: Fits, totals: Arrays, tolerance: float) -> Progress:
    """Make one step of Newton's method, or halve the last step where it lost likelihood.

    With ``third`` among the sums, the likelihood is Firth's.

    Args:
        fits: The coefficients at which the sums were taken.
        totals: ``log_likelihood``, ``gradient``, ``information`` and perhaps ``third``.
        tolerance: Steps that are shorter, in standard errors, end the search.

    Returns:
        The next coefficients, and which variants have converged with it.
    """
    factor = inverse_cholesky(unpacked_products(totals["information"], fits.beta.shape[1]))
    inverse = np.swapaxes(factor, 1, 2) @ factor
    singular = ~(1 / inverse[:, -1, -1] > LEAST_LEFT * totals["information"][:, -1])  # or NaN
    inverse[singular] = 0.0
    errors = np.sqrt(np.diagonal(inverse, axis1=1, axis2=2))
    score, likelihood = totals["gradient"], totals["log_likelihood"]
    if "third" in totals:
        score = score + penalty_score(inverse, totals["third"])
        with np.errstate(divide="ignore", invalid="ignore"):
            likelihood = likelihood + log_penalty(factor)
        inverse = _learnt(fits, score, inverse)
    least = fits.likelihood - WORSE * np.abs(likelihood)
    worse = ~singular & ~(likelihood >= least)  # or NaN, far away
    found = Fits(fits.beta, (inverse @ score[..., None])[..., 0], likelihood, score, inverse)
    if "third" in totals:
        found = replace(found, step=shortened(found.step))
    following = _halved_where(worse, fits, found)
    with np.errstate(divide="ignore", invalid="ignore"):
        longest = np.nanmax(np.abs(found.step) / errors, axis=1, initial=0.0)
    converged = ~singular & ~worse & (longest <= tolerance)
    return Progress(following, errors[:, -1], converged, singular)


def _halved_where(worse: NDArray[np.bool_], fits: Fits, found: Fits) -> Fits:
    """Take the new steps; go half of the last step back where it lost likelihood."""
    half = fits.step / 2
    return Fits(
        fits.beta + np.where(worse[:, None], -half, found.step),
        np.where(worse[:, None], half, found.step),
        np.where(worse, fits.likelihood, found.likelihood),
        np.where(worse[:, None], fits.score, found.score),
        np.where(worse[:, None, None], fits.inverse, found.inverse),
    )


def _learnt(fits: Fits, score: Numbers, inverse: Numbers) -> Numbers:
    """Learn the curvature of the penalised likelihood from the last step (BFGS).

    The information leaves out the curvature of the penalty, which is as large for an allele of a
    single carrier: steps by the information alone would never come to rest.
    """
    step, change = fits.step, fits.score - score
    product = (step * change).sum(axis=1)
    usable = product > 0  # neither NaN, at the beginning, nor a wrong curvature
    factor = 1 / np.where(usable, product, 1.0)[:, None, None]
    rest = np.eye(step.shape[1]) - factor * step[:, :, None] * change[:, None, :]
    updated = rest @ fits.inverse @ np.swapaxes(rest, 1, 2)
    updated = updated + factor * step[:, :, None] * step[:, None, :]
    return np.where(usable[:, None, None], updated, inverse)
