"""Right answers of logistic regressions: counts of equal people, plain NumPy.

The nodes send likelihoods and their derivatives of single people. Here people with the same
covariates, genotype and outcome are counted first, and Newton's method runs on these cells.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.stats import norm

from rehearsal.errors import mismatch
from rehearsal.truth.association import Association, Copies, Numbers

COPIES = 3  # 0, 1 and 2 of the alternate allele
MOST_STEPS, LONGEST_STEP, SMALLEST_STEP = 200, 2.0, 1e-11  # in standard errors
SEPARATED = 1e-6  # sum over people of a scaled combination of covariates: less is rounding
DEPENDENT = 1e-9  # eigenvalue of scaled products of columns, up to which one depends on others


@dataclass(frozen=True, slots=True)
class _Cells:
    """People of several regressions by cell: same covariates and genotype."""

    x: Numbers  # columns of a cell, the genotype last, shape (n_cells, n_columns)
    people: Numbers  # shape (n_variants, n_cells)
    cases: Numbers

    @classmethod
    def of(cls, copies: Copies, is_case: NDArray[np.bool_], covariates: Numbers) -> _Cells:
        patterns, number = np.unique(covariates, axis=0, return_inverse=True)
        mine = (number.reshape(-1, 1) == np.arange(len(patterns))).astype(np.float32)
        case = mine * is_case[:, None]
        of_copies = [(copies == one).astype(np.float32) for one in range(COPIES)]
        genotype = np.repeat(np.arange(COPIES), len(patterns))
        return cls(
            np.column_stack([np.tile(patterns, (COPIES, 1)), genotype]),
            np.hstack([one @ mine for one in of_copies]).astype(np.float64),
            np.hstack([one @ case for one in of_copies]).astype(np.float64),
        )

    def products(self, weights: Numbers) -> Numbers:
        """Sum weighted products of columns, shape (n_variants, n_columns, n_columns)."""
        size = self.x.shape[1]
        both = (self.x[:, :, None] * self.x[:, None]).reshape(-1, size * size)
        return (weights @ both).reshape(-1, size, size)

    def chosen(self, rows: NDArray[np.int64]) -> _Cells:
        return _Cells(self.x, self.people[rows], self.cases[rows])


def logistic_association(
    copies: Copies, is_case: NDArray[np.bool_], covariates: Numbers
) -> tuple[Association, NDArray[np.int64]]:
    """Regress a disease on each variant with covariates.

    Where one allele is absent in all cases or in all others, the likelihood is penalised (Firth
    1993).

    Args:
        copies: Copies of each person: 0 to 2, or negative without a chromosome, who are left out;
            shape (n_variants, n_people).
        is_case: Who has the disease, shape (n_people,).
        covariates: With a column of ones, shape (n_people, n_covariates).

    Returns:
        The associations, with two-sided p-values by the normal distribution, and the numbers of
        cases. NaN where the genotype does not vary, depends on the covariates, or nobody has the
        disease or everybody.

    Raises:
        ValueError: Covariates separate cases from others, so that the likelihood has no maximum.
    """
    _refuse_separating(is_case, covariates)
    cells = _Cells.of(copies, is_case, covariates)
    effect, error = np.full((2, len(copies)), np.nan)
    people = np.rint(cells.people.sum(axis=1)).astype(np.int64)
    cases = np.rint(cells.cases.sum(axis=1)).astype(np.int64)
    products = cells.products(cells.people)
    scale = np.sqrt(np.einsum("vpp->vp", products))
    scaled = products / np.maximum(scale[:, :, None] * scale[:, None], np.finfo(float).tiny)
    can_be = (np.linalg.eigvalsh(scaled)[:, 0] > DEPENDENT) & (cases > 0) & (cases < people)
    is_separated = _separates(cells)
    for penalised in (False, True):
        rows = np.flatnonzero(can_be & (is_separated == penalised))
        if rows.size:
            effect[rows], error[rows] = _fit(cells.chosen(rows), penalised)
    statistic = effect / error
    p_value = 2 * norm.sf(np.abs(statistic))
    return Association(effect, error, statistic, p_value, people), cases


def _refuse_separating(is_case: NDArray[np.bool_], covariates: Numbers) -> None:
    """Refuse covariates of which a combination is on one side in cases, on the other in others.

    A linear programme looks for one that is not 0 in everybody (Konis 2007).
    """
    if is_case.all() or not is_case.any():
        return
    side = np.where(is_case, 1.0, -1.0)[:, None]
    columns = np.column_stack(
        [covariates[:, :1], covariates[:, 1:] - covariates[:, 1:].mean(axis=0)]
    )
    scaled = np.unique(side * columns / np.maximum(np.abs(columns).max(axis=0), 1e-300), axis=0)
    best = linprog(-scaled.sum(axis=0), -scaled, np.zeros(len(scaled)), bounds=(-1, 1))
    if -best.fun > SEPARATED:
        expected = "covariates that do not separate cases from others"
        raise ValueError(mismatch("logistic regression", expected, "some that do"))


def _separates(cells: _Cells) -> NDArray[np.bool_]:
    """Tell where cases or others have one allele only."""
    genotype = cells.x[:, -1]
    found = np.zeros(len(cells.people), dtype=bool)
    for group in (cells.cases, cells.people - cells.cases):
        alternate = group @ genotype
        found |= (alternate == 0) | (alternate == 2 * group.sum(axis=1))
    return found


def _fit(cells: _Cells, penalised: bool) -> tuple[Numbers, Numbers]:
    """Return effect and standard error of the genotype, each of shape (n_variants,)."""
    beta = np.zeros((len(cells.people), cells.x.shape[1]))
    for _ in range(MOST_STEPS):
        risk = 1 / (1 + np.exp(-beta @ cells.x.T))
        weight = cells.people * risk * (1 - risk)
        inverse = np.linalg.inv(cells.products(weight))
        residual = cells.cases - cells.people * risk
        if penalised:
            leverage = weight * np.einsum("mp,vpq,mq->vm", cells.x, inverse, cells.x)
            residual = residual + leverage * (0.5 - risk)
        step = np.einsum("vpq,vq->vp", inverse, residual @ cells.x)
        units = np.sqrt(np.einsum("vpp->vp", inverse))  # standard errors
        longest = np.abs(step / units).max(axis=1)
        beta += step / np.maximum(longest / LONGEST_STEP, 1.0)[:, None]
        if longest.max() < SMALLEST_STEP:
            return beta[:, -1], units[:, -1]
    raise ValueError(mismatch("logistic regression", f"an end in {MOST_STEPS} steps", "none"))
