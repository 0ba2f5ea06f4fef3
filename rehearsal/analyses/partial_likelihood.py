"""The partial likelihood of Cox regression, with its derivatives; ties follow Efron (1977).

A node's scores use it too, so this module imports nothing heavy.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rehearsal.analyses.packing import packed_products

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PartialLikelihood:
    """The log partial likelihood at some coefficients, and its derivatives. They can be added."""

    people: int
    events: int  # people with the disease
    log_likelihood: float
    gradient: Numbers  # the first derivatives, shape (n_covariates,)
    information: Numbers  # the negative second derivatives, packed

    def __add__(self, other: PartialLikelihood) -> PartialLikelihood:
        return PartialLikelihood(
            self.people + other.people,
            self.events + other.events,
            self.log_likelihood + other.log_likelihood,
            self.gradient + other.gradient,
            self.information + other.information,
        )


def partial_likelihood(
    covariates: Numbers,
    last_year: NDArray[np.int64],
    affected: NDArray[np.bool_],
    beta: Numbers,
) -> PartialLikelihood:
    """Compute the partial likelihood of one stratum.

    Args:
        covariates: Shape (n_people, n_covariates).
        last_year: The last whole year of life, shape (n_people,), in which the person was followed
            and was healthy at its beginning.
        affected: Whether the disease began in that year, shape (n_people,).
        beta: The coefficients, shape (n_covariates,).

    Returns:
        The likelihood and its derivatives.
    """
    order = np.argsort(-last_year, kind="stable")
    x, year, affected = covariates[order], last_year[order], affected[order]
    eta = x @ beta
    columns = np.column_stack([np.ones(len(x)), x, packed_products(x)]) * np.exp(eta)[:, None]
    risk_sets = np.cumsum(columns, axis=0)  # latest first
    cases = np.flatnonzero(affected)
    _, first, tie, ties = np.unique(
        year[cases], return_index=True, return_inverse=True, return_counts=True
    )
    tied = np.zeros((ties.size, columns.shape[1]))
    np.add.at(tied, tie, columns[cases])
    at_risk = np.searchsorted(-year, -year[cases], side="right") - 1
    share = (np.arange(cases.size) - first[tie]) / ties[tie]
    moments = risk_sets[at_risk] - share[:, None] * tied[tie]
    means = moments[:, 1:] / moments[:, :1]
    p = x.shape[1]
    return PartialLikelihood(
        len(x),
        cases.size,
        float(eta[cases].sum() - np.log(moments[:, 0]).sum()),
        x[cases].sum(axis=0) - means[:, :p].sum(axis=0),
        (means[:, p:] - packed_products(means[:, :p])).sum(axis=0),
    )
