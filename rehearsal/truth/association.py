"""Right answers of association studies: every person's genotypes in one matrix, plain NumPy.

The nodes send sums and the network solves normal equations. Here the covariates are taken from
genotypes and outcome by orthogonal projection, which needs no sum over people of one country.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh
from scipy.stats import norm, t

Numbers = NDArray[np.float64]
Copies = NDArray[np.int8]
ROWS_AT_A_TIME = 2_000  # variants whose genotypes are numbers of 8 bytes at one time
COLLINEAR = 1e-8  # share of a variant's variance that the covariates leave, up to which it has none
PERFECT = (
    1e-11  # share of the outcome's variance that variant and covariates leave, up to which none
)
NEARLY = 1e-6  # share of the rest of the outcome that a variant leaves: looked at by person
CONSTANT = 1e-9  # share of its sum of squares, up to which what is left is rounding


@dataclass(frozen=True, slots=True)
class Association:
    """One row per variant, each array of shape (n_variants,); not-a-number where it is constant."""

    effect: Numbers  # of one copy of the alternate allele
    error: Numbers  # standard error of the effect
    statistic: Numbers  # effect / error
    p_value: Numbers
    people: NDArray[np.int64]


def hide_small_cells(copies: Copies, group: NDArray[np.int64], least: int) -> Copies:
    """Apply the nodes' rule for small counts, in each group by itself.

    Where fewer than ``least`` people have no chromosome, or fewer have one, those without count as
    without the allele. Where fewer than ``least`` carry it, nobody does. Otherwise, where fewer
    than ``least`` have the other allele, everybody has two copies.

    Args:
        copies: Copies of each person: 0 to 2, or negative without a chromosome; shape
            (n_variants, n_people).
        group: The group of each person, numbered from 0, shape (n_people,).
        least: The smallest count that is told.

    Returns:
        The copies after the rule.
    """
    hidden = copies.copy()
    for number in range(int(group.max(initial=-1)) + 1):
        here = np.flatnonzero(group == number)
        part = copies[:, here]
        absent = (part < 0).sum(axis=1)
        few = _is_small(absent, least) | _is_small(len(here) - absent, least)
        part[few] = np.maximum(part[few], 0)
        few = _is_small((part > 0).sum(axis=1), least)
        part[few] = np.minimum(part[few], 0)
        few = ~few & _is_small(((part == 0) | (part == 1)).sum(axis=1), least)
        part[few] = np.where(part[few] < 0, part[few], 2)
        hidden[:, here] = part
    return hidden


def _is_small(count: NDArray[np.int_], least: int) -> NDArray[np.bool_]:
    return (count > 0) & (count < least)


def linear_association(
    copies: Copies | Numbers, outcome: Numbers, covariates: Numbers
) -> Association:
    """Regress an outcome on each variant with covariates, by least squares.

    After Frisch and Waugh (1933): the effect is that of the parts of variant and outcome that the
    covariates do not explain. People without a chromosome are not in the regression of its
    variants.

    Args:
        copies: Copies of each person: 0 to 2, or scores of genes, or negative without a
            chromosome; shape (n_variants, n_people).
        outcome: Shape (n_people,).
        covariates: With a column of ones, of full rank, shape (n_people, n_covariates).

    Returns:
        The associations. P-values are two-sided, by Student's distribution. NaN also where a
        variant explains all that covariates leave of the outcome.
    """
    effect, error, statistic, p_value = np.full((4, len(copies)), np.nan)
    people = np.zeros(len(copies), dtype=np.int64)
    found = Association(effect, error, statistic, p_value, people)
    for rows in _same_absent(copies):
        present = np.flatnonzero(copies[rows[0]] >= 0)
        study = _Study.of(outcome[present], covariates[present])
        for first in range(0, len(rows), ROWS_AT_A_TIME):
            some = rows[first : first + ROWS_AT_A_TIME]
            part = copies[some] if len(present) == len(outcome) else copies[np.ix_(some, present)]
            study.fit(found, some, part.astype(np.float64))
    return found


def _same_absent(copies: Copies | Numbers) -> list[NDArray[np.int64]]:
    """Group the variants for which the same people have no chromosome."""
    groups: dict[bytes, list[int]] = {}
    is_absent = np.packbits(copies < 0, axis=1)
    for row, packed in enumerate(is_absent):
        groups.setdefault(packed.tobytes(), []).append(row)
    return [np.array(rows, dtype=np.int64) for rows in groups.values()]


@dataclass(frozen=True, slots=True)
class _Study:
    """The people of some regressions: what covariates span, and the outcome that they leave."""

    basis: Numbers  # orthonormal, shape (n_people, n_covariates)
    rest: Numbers  # shape (n_people,)
    size: float  # sum of squares of the outcome around its mean

    @classmethod
    def of(cls, outcome: Numbers, covariates: Numbers) -> _Study:
        basis = np.linalg.qr(covariates)[0]
        around = outcome - outcome.mean()
        return cls(basis, outcome - basis @ (basis.T @ outcome), float(around @ around))

    def fit(self, found: Association, rows: NDArray[np.int64], genotype: Numbers) -> None:
        """Fit variants, whose genotype has the shape (n_rows, n_people)."""
        people, freedom = len(self.rest), len(self.rest) - self.basis.shape[1] - 1
        found.people[rows] = people
        if freedom <= 0:
            return
        squares = np.einsum("ij,ij->i", genotype, genotype)
        size = squares - genotype.sum(axis=1) ** 2 / people
        left = squares - ((genotype @ self.basis) ** 2).sum(axis=1)
        left[left <= np.maximum(COLLINEAR * size, CONSTANT * squares)] = np.nan
        effect = genotype @ self.rest / left
        effect[self._fits_perfectly(genotype, effect, left)] = np.nan
        error = np.sqrt((self.rest @ self.rest / left - effect**2) / freedom)
        found.effect[rows], found.error[rows] = effect, error
        found.statistic[rows] = effect / error
        found.p_value[rows] = 2 * t.sf(np.abs(effect / error), freedom)

    def _fits_perfectly(
        self, genotype: Numbers, effect: Numbers, left: Numbers
    ) -> NDArray[np.bool_]:
        """Tell which variants leave nothing of the outcome, person by person where it is near."""
        found = np.zeros(len(effect), dtype=bool)
        near = effect**2 * left > (1 - NEARLY) * (self.rest @ self.rest)  # not where NaN
        for row in np.flatnonzero(near).tolist():
            mine = genotype[row] - self.basis @ (self.basis.T @ genotype[row])
            remains = self.rest - effect[row] * mine
            found[row] = remains @ remains <= PERFECT * self.size
        return found


def with_intercepts(covariates: Numbers, group: NDArray[np.int64]) -> Numbers:
    """Give each group an intercept of its own, in the place of the common one.

    Args:
        covariates: The first is 1, shape (n_people, n_covariates).
        group: The group of each person, shape (n_people,).

    Returns:
        Intercepts, and those covariates that are no linear combination of the columns before them.
    """
    columns = [(group == number).astype(np.float64) for number in np.unique(group)]
    for column in covariates[:, 1:].T:
        basis = np.linalg.qr(np.column_stack(columns))[0]
        rest = column - basis @ (basis.T @ column)
        if rest @ rest > COLLINEAR * (column @ column):
            columns.append(column)
    return np.column_stack(columns)


def pooled_components(copies: Copies, frequency: Numbers, number: int) -> tuple[Numbers, Numbers]:
    """Compute principal components of people, from the matrix of relations between them.

    Each variant is centred by its frequency and divided by the standard deviation under
    Hardy-Weinberg equilibrium (Patterson, Price and Reich 2006).

    Args:
        copies: Copies of each person, shape (n_variants, n_people).
        frequency: Of the alternate allele, neither 0 nor 1, shape (n_variants,).
        number: Number of components.

    Returns:
        Components of people, each of length 1, shape (n_people, number), and the first
        ``number + 1`` eigenvalues, which show the gaps between them.
    """
    people = copies.shape[1]
    relations = np.zeros((people, people))
    for first in range(0, len(copies), ROWS_AT_A_TIME):
        part = slice(first, first + ROWS_AT_A_TIME)
        genotype = standardised(copies[part], frequency[part])
        relations += genotype.T @ genotype
    values, vectors = eigh(relations, subset_by_index=(people - number - 1, people - 1))
    return vectors[:, :0:-1], values[::-1]


def standardised(copies: Copies, frequency: Numbers) -> Numbers:
    """Centre and scale genotypes.

    Args:
        copies: Copies of each person, shape (n_variants, n_people).
        frequency: Of the alternate allele, neither 0 nor 1, shape (n_variants,).

    Returns:
        Shape (n_variants, n_people), 0 without a call.
    """
    p = frequency[:, None]
    return np.where(copies < 0, 0.0, (copies - 2 * p) / np.sqrt(2 * p * (1 - p)))


def combine_by_inverse_variance(studies: Sequence[Association]) -> Association:
    """Combine studies of one country each, as a fixed-effect meta-analysis does.

    It is what consortia do that share results instead of sums. It is an estimate of another kind,
    and differs from the regression of all people.

    Args:
        studies: Associations of the same variants in each country.

    Returns:
        The combined associations. P-values are two-sided, by the normal distribution.
    """
    effect = np.stack([study.effect for study in studies])
    weight = np.stack([study.error for study in studies]) ** -2.0
    known = np.isfinite(weight) & np.isfinite(effect)
    total = np.where(known, weight, 0.0).sum(axis=0)
    total[total == 0] = np.nan
    combined = np.where(known, effect * weight, 0.0).sum(axis=0) / total
    error = np.sqrt(1 / total)
    people = np.where(known, np.stack([study.people for study in studies]), 0).sum(axis=0)
    p_value = 2 * norm.sf(np.abs(combined / error))
    return Association(combined, error, combined / error, p_value, people)
