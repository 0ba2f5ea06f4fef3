"""Sums of logistic likelihoods at given coefficients, for many variants at once.

With x the covariates and the genotype of a person, mu = 1 / (1 + exp(-x'beta)) and w = mu (1 - mu),
the sums over people are the log-likelihood, its gradient ``sum (y - mu) x``, the information
``sum w x x'``, and for the penalty of Firth the derivatives of the information,
``sum w (1 - 2 mu) x x x``. People without a call do not count.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from rehearsal.analyses.packing import packed_products, packed_triples, triples
from rehearsal.analyses.protocol import Array, Arrays
from rehearsal.analyses.view import Genotypes

Numbers = NDArray[np.float64]


def null_sums(x: Numbers, y: Numbers, beta: Numbers) -> Arrays:
    """Sum the likelihood without genotypes.

    Args:
        x: Covariates, shape (n_people, n_covariates).
        y: Outcomes, 0 or 1, shape (n_people,).
        beta: Coefficients, shape (n_covariates,).

    Returns:
        ``log_likelihood``, ``gradient`` and ``information`` (packed).
    """
    eta = x @ beta
    mu = _expit(eta)
    return {
        "log_likelihood": np.array((y * eta - np.logaddexp(0, eta)).sum()),
        "gradient": (y - mu) @ x,
        "information": (mu * (1 - mu)) @ packed_products(x),
    }


class VariantLikelihoods:
    """Sums per variant over a node's people.

    Args:
        x: Covariates, shape (n_people, n_covariates).
        y: Outcomes, 0 or 1, shape (n_people,).
        top: The largest number of alleles of a person.
        third: Whether derivatives of the information are wanted.
    """

    def __init__(self, x: Numbers, y: Numbers, top: int, third: bool) -> None:
        self._x, self._y, self._top = x, y, top
        self._powers = [x, packed_products(x)] + ([packed_triples(x)] if third else [])

    def sums(self, blocks: Iterable[tuple[slice, Genotypes | Numbers]], beta: Numbers) -> Arrays:
        """Sum over people, per variant.

        Args:
            blocks: Slices of variants and their genotypes, negative without a call, of shape
                (n_block, n_people).
            beta: Coefficients of covariates and, last, of the genotype, of shape
                (n_variants, n_covariates + 1).

        Returns:
            Arrays with an entry per variant: ``log_likelihood``, ``gradient``, ``information``
            and ``third`` (packed), ``carriers``, ``reference_carriers``, ``missing``,
            ``alleles``, ``case_alleles`` and ``cases`` (with a call).
        """
        parts = [self._block(genotypes, beta[part]) for part, genotypes in blocks]
        if not parts:
            parts = [self._block(np.zeros((0, self._y.size)), beta[:0])]
        return {name: np.concatenate([one[name] for one in parts]) for name in parts[0]}

    def _block(self, genotypes: Genotypes | Numbers, beta: Numbers) -> Arrays:
        called = genotypes >= 0
        g = np.where(called, genotypes, 0).astype(np.float64)
        eta = beta[:, :-1] @ self._x.T + beta[:, -1:] * g
        mu = _expit(eta)
        likelihood = np.where(called, self._y * eta - np.logaddexp(0, eta), 0.0)
        weight = np.where(called, mu * (1 - mu), 0.0)
        found = {
            "log_likelihood": likelihood.sum(axis=1),
            "gradient": self._moments(np.where(called, self._y - mu, 0.0), g, 1),
            "information": self._moments(weight, g, 2),
        }
        if len(self._powers) > 2:
            found["third"] = self._moments(weight * (1 - 2 * mu), g, 3)
        return found | self._counts(called, g)

    def _counts(self, called: Array, g: Numbers) -> Arrays:
        return {
            "carriers": (g > 0).sum(axis=1, dtype=np.int32),
            "reference_carriers": (called & (g < self._top)).sum(axis=1, dtype=np.int32),
            "missing": (~called).sum(axis=1, dtype=np.int32),
            "alleles": g.sum(axis=1),
            "case_alleles": g @ self._y,
            "cases": called.astype(np.float64) @ self._y,
        }

    def _moments(self, weight: Numbers, g: Numbers, order: int) -> Numbers:
        """Sum weights times products of covariates and genotype, packed by ascending columns.

        The genotype is the last column. So a product of ``order`` columns has the genotype to
        some power, times a product of fewer covariates.
        """
        c = self._x.shape[1]
        power = (_indices(c + 1, order) == c).sum(axis=0)
        found = np.empty((g.shape[0], power.size))
        for exponent in range(order + 1):
            weighted = weight * g**exponent if exponent else weight
            covariates = order - exponent
            found[:, power == exponent] = (
                weighted @ self._powers[covariates - 1]
                if covariates
                else weighted.sum(axis=1, keepdims=True)
            )
        return found


def _indices(n_columns: int, order: int) -> NDArray[np.int64]:
    """List ascending columns of products, shape (order, n_products)."""
    if order == 1:
        return np.arange(n_columns)[None]
    return np.array(np.triu_indices(n_columns)) if order == 2 else triples(n_columns)


def _expit(eta: Numbers) -> Numbers:
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-eta))
