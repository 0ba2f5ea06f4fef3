"""Linear regression of an outcome on each variant, with covariates.

With covariates X (first 1), genotype g and outcome y, nodes send sums over people: X'X, X'y, y'y,
and per variant X'g and g'y. Of a alternate alleles and k carriers, g'1 = a and g'g = 3a - 2k. The
covariates are projected out (Frisch and Waugh 1933; Lovell 1963): with X'X = LL', u = L^-1 X'g and
v = L^-1 X'y,

    b = (g'y - u'v) / (g'g - u'u),    residual sum = y'y - v'v - b (g'y - u'v),
    se^2 = residual sum / (n - c - 1) / (g'g - u'u),    z = b / se  (a t statistic).

A person without a call leaves the regression of that variant only, as in ``plink2 --glm``. The
variants with missing calls anywhere are known from the step of frequencies. For these, nodes send
the sums of X'X, X'y and y'y over the people without a call, which the network takes off.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rehearsal.analyses.alleles import rows_of
from rehearsal.analyses.collinearity import refuse_collinear, refuse_far
from rehearsal.analyses.components import node_components
from rehearsal.analyses.design_matrix import covariate_names, design_matrix
from rehearsal.analyses.genotype_sums import count_genotypes, sum_missing, sum_products
from rehearsal.analyses.magnitudes import linear_bounds
from rehearsal.analyses.packing import inverse_cholesky, packed_products, unpacked_products
from rehearsal.analyses.protocol import (
    AnalysisError,
    Array,
    Arrays,
    Disclosure,
    Parameters,
    State,
    smallest_count,
)
from rehearsal.analyses.tails import p_of_t
from rehearsal.analyses.view import View

Numbers = NDArray[np.float64]

ADDITIVE = True
NEEDS: tuple[str, ...] = ("alleles", "frequencies")
BOTH = ("carriers", "reference_carriers")
DISCLOSURE: Mapping[str, Disclosure] = {
    "people": Disclosure("count"),
    "covariates": Disclosure("sum"),
    "outcome": Disclosure("sum"),
    "carriers": Disclosure("count"),
    "reference_carriers": Disclosure("count"),
    "alleles": Disclosure("sum", BOTH),
    "genotype_products": Disclosure("sum", BOTH),
    "missing": Disclosure("count"),
    "missing_products": Disclosure("sum", ("missing",)),
}
sum_bounds = linear_bounds
TESTED, CONSTANT, COLLINEAR, NOT_CONVERGED, TOO_FEW, PERFECT = range(6)  # statuses of a variant
STATUSES = ("tested", "constant", "collinear", "not converged", "too few people", "perfect fit")
LEAST_VARIANCE = 1e-12  # share of an outcome's variance: less is explained completely
ROUNDING = 1e-14  # of sums, as a share of the outcome's sum of squares
LEAST_LEFT = 1e-8  # share of a genotype's variance that covariates must leave


def start(parameters: Parameters, earlier: Mapping[str, Arrays]) -> State:
    """Begin with the list of variants that have missing calls.

    Args:
        parameters: ``outcome`` and ``covariates``: names of variables.
        earlier: Results of earlier steps: ``frequencies``, and ``components`` if it ran.
    """
    incomplete = np.flatnonzero(earlier["frequencies"]["missing"] > 0).astype(np.int32)
    d = earlier["components"]["eigenvalues"].size if "components" in earlier else 0
    return State({"incomplete": incomplete}, private={"n_components": np.array(d)})


def node_sums(view: View, parameters: Parameters, state: Arrays) -> Arrays:
    """Compute the sums of a node.

    Args:
        view: The node's view.
        parameters: ``outcome``, ``covariates`` and ``smallest_count``.
        state: The joint list of alleles, ``incomplete``, and loadings of components.

    Raises:
        AnalysisError: The node lacks a variable or has nobody with all of them.
    """
    design = design_matrix(view, parameters, node_components(view, state))
    x, y, people = design.covariates, design.outcome, design.people
    rows, incomplete = rows_of(view, state), state["incomplete"].astype(np.int64)
    counts = count_genotypes(view, rows, people, smallest_count(parameters))
    both = np.column_stack([x, y])
    squares = packed_products(both)
    missing = counts.missing[incomplete]
    products = np.zeros((incomplete.size, squares.shape[1]))
    some = missing > 0
    products[some] = sum_missing(view, rows[incomplete][some], people, squares)
    return {
        "people": np.array(people.size),
        "covariates": x.T @ x,
        "outcome": np.append(x.T @ y, y @ y),
        "carriers": counts.carriers.astype(np.int32),
        "reference_carriers": counts.reference_carriers.astype(np.int32),
        "alleles": counts.alleles.astype(np.int32),
        "genotype_products": sum_products(view, rows, people, both[:, 1:], counts),
        "missing": missing.astype(np.int32),
        "missing_products": products,
    }


def advance(parameters: Parameters, state: State, totals: Arrays) -> State:
    """Solve the regressions.

    Args:
        parameters: Parameters of the step.
        state: The state before.
        totals: The sums over nodes.

    Returns:
        The end of the step. Its results have one entry per allele: ``beta``, ``se``, ``z``, ``p``,
        ``people``, ``frequency`` (among these people) and ``status`` (number in
        :data:`STATUSES`); NaN where the status is not 0.

    Raises:
        AnalysisError: Covariates are collinear in all people together, or leave no variance of the
            outcome, or a variable is far from 0.
    """
    names = covariate_names(parameters, int(state.private["n_components"]))
    refuse_collinear(totals["covariates"], names)
    _refuse_constant(totals["covariates"], totals["outcome"])
    all_sums = np.append(totals["covariates"][0], totals["outcome"][0])
    squares = np.append(np.diag(totals["covariates"]), totals["outcome"][-1])
    refuse_far(all_sums, squares, [*names, parameters["outcome"]])
    size, incomplete = totals["carriers"].size, state.shared["incomplete"]
    complete = np.ones(size, dtype=bool)
    complete[incomplete] = False
    results = {name: np.full(size, np.nan) for name in ("beta", "se", "z", "p", "frequency")}
    results["people"] = np.full(size, int(totals["people"]), dtype=np.int64)
    results["status"] = np.zeros(size, dtype=np.int8)
    for chosen, sums in (
        (np.flatnonzero(complete), _sums_of_all(totals, complete)),
        (incomplete, _sums_with_call(totals, incomplete)),
    ):
        for name, values in _solve(sums).items():
            results[name][chosen] = values
    return State({}, results=results)


def _refuse_constant(covariates: Numbers, outcome: Numbers) -> None:
    """Refuse an outcome that does not vary, or that covariates explain completely."""
    explained = inverse_cholesky(covariates[None])[0] @ outcome[:-1]
    left = outcome[-1] - explained @ explained
    if left <= _nothing(covariates[0, 0], outcome[0], outcome[-1]):
        expected = "an outcome that varies beyond the covariates"
        raise AnalysisError("bad_parameters", "analysis", "outcome", expected, "none")


def _nothing(people: Numbers, outcome: Numbers, squares: Numbers) -> Numbers:
    """Return the sum of squares up to which nothing is left of an outcome."""
    return LEAST_VARIANCE * (squares - outcome**2 / people) + ROUNDING * squares


@dataclass(frozen=True, slots=True)
class _Sums:
    """Sums of regressions. The first axis is that of variants, or has one entry for all."""

    people: NDArray[np.int64]
    covariates: Numbers  # (n, c, c)
    outcome: Numbers  # (n, c + 1): X'y, y'y
    squares: Numbers  # (m,)
    products: Numbers  # (m, c + 1): X'g, g'y


def _sums_of_all(totals: Arrays, chosen: NDArray[np.bool_]) -> _Sums:
    return _Sums(
        np.array([int(totals["people"])]),
        totals["covariates"][None],
        totals["outcome"][None],
        _squares(totals, chosen),
        _products(totals, chosen),
    )


def _sums_with_call(totals: Arrays, chosen: Array) -> _Sums:
    """Take the people without a call off the sums of listed variants."""
    c = totals["covariates"].shape[0]
    missing = unpacked_products(totals["missing_products"], c + 1)
    return _Sums(
        int(totals["people"]) - totals["missing"].astype(np.int64),
        totals["covariates"] - missing[:, :c, :c],
        totals["outcome"] - missing[:, :, c],
        _squares(totals, chosen),
        _products(totals, chosen),
    )


def _squares(totals: Arrays, chosen: Array) -> Numbers:
    """Return sums of squared genotypes: 1 for one allele, 4 for two; those of scores are sent."""
    if "squares" in totals:
        return np.asarray(totals["squares"][chosen], dtype=np.float64)
    squares = 3 * totals["alleles"][chosen] - 2 * totals["carriers"][chosen]
    return squares.astype(np.float64)


def _products(totals: Arrays, chosen: Array) -> Numbers:
    """Return sums of genotypes times covariates, of which the first is 1, and outcome."""
    return np.column_stack([totals["alleles"][chosen], totals["genotype_products"][chosen]])


def _solve(sums: _Sums) -> Arrays:
    people, c = sums.people.astype(np.float64), sums.covariates.shape[1]
    inverse = inverse_cholesky(sums.covariates)
    u, v = _times(inverse, sums.products[:, :c]), _times(inverse, sums.outcome[:, :c])
    alleles = sums.products[:, 0]
    variance = sums.squares - alleles**2 / people  # sum of squares around the mean
    left = sums.squares - (u * u).sum(axis=1)
    slope = sums.products[:, c] - (u * v).sum(axis=1)
    degrees = people - c - 1
    status = np.full(alleles.size, TESTED, dtype=np.int8)
    status[~(left > LEAST_LEFT * variance)] = COLLINEAR  # or NaN
    status[variance <= LEAST_LEFT * sums.squares] = CONSTANT
    status[sums.squares == 0] = CONSTANT
    status[degrees + 0 * alleles <= 0] = TOO_FEW
    with np.errstate(divide="ignore", invalid="ignore"):
        beta = np.where(status == TESTED, slope / left, np.nan)
        residual = sums.outcome[:, c] - (v * v).sum(axis=1) - beta * slope
        nothing = _nothing(people, sums.outcome[:, 0], sums.outcome[:, c])
        status[residual <= nothing] = PERFECT
        beta = np.where(status == TESTED, beta, np.nan)
        se = np.sqrt(np.where(status == TESTED, residual, np.nan) / degrees / left)
        z = beta / se
        frequency = alleles / (2 * people)
    return {
        "beta": beta,
        "se": se,
        "z": z,
        "p": p_of_t(z, degrees + 0 * z),
        "frequency": frequency,
        "people": sums.people + 0 * status.astype(np.int64),
        "status": status,
    }


def _times(matrices: Numbers, vectors: Numbers) -> Numbers:
    """Multiply each vector by its matrix, or all by the only one."""
    if matrices.shape[0] == 1:
        return vectors @ matrices[0].T
    return (matrices @ vectors[..., None])[..., 0]
