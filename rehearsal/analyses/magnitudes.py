"""How large variables of people are, roughly, so that sums fit into fixed point under masks.

A real sum needs a bound that all nodes know. By Cauchy and Schwarz, a sum of products of two
variables is at most the root of the product of their sums of squares. So nodes say, once an
analysis, how large the sum of squares of each variable is: up to the next power of 256, as a row
with a single 1 in the place of its exponent. Rows of nodes are added, also under masks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from rehearsal.analyses.design_matrix import COMPONENTS, INTERCEPT, numbers_of
from rehearsal.analyses.packing import triples
from rehearsal.analyses.protocol import Arrays, Bounds, Parameters
from rehearsal.analyses.view import View

Numbers = NDArray[np.float64]

VARIABLES = "bounded"  # parameter of steps: variables whose sums are added under masks, in order
EXPONENTS = np.arange(-56, 96, 8)  # of 2; fewer than an airlock's rows of people
PEOPLE, SQUARES = "bounds.people", "bounds.squares"  # arrays that nodes keep
SLACK = 2.0  # for what rounding adds to a bound that is reached


def variables_of(steps: Sequence[Mapping[str, object]]) -> list[str]:
    """List the variables of steps.

    Args:
        steps: Parameters of steps.

    Returns:
        Their outcomes and covariates, without components, sorted.
    """
    found: list[object] = []
    for parameters in steps:
        covariates = parameters.get("covariates")
        found += covariates if isinstance(covariates, list) else []
        found.append(parameters.get("outcome"))
    return sorted({one for one in found if isinstance(one, str) and one != COMPONENTS})


def say_magnitudes(view: View, names: Sequence[str], least: int) -> NDArray[np.int64]:
    """Say how large the sums of squares of a node's variables are.

    Args:
        view: The node's view.
        names: The variables.
        least: The smallest number of people that may be told of: of fewer, nothing is said.

    Returns:
        Shape (n_variables, n_exponents): a 1 in each row; none if too few people have a value.

    Raises:
        AnalysisError: The node lacks a variable.
    """
    said = np.zeros((len(names), EXPONENTS.size), dtype=np.int64)
    for row, name in zip(said, names, strict=True):
        values = numbers_of(view, name)
        values = values[np.isfinite(values)]
        if values.size >= max(1, least):
            squares = max(np.square(values).sum(), np.finfo(float).tiny)
            _, exponent = np.frexp(squares)  # squares < 2**exponent
            row[min(int(np.searchsorted(EXPONENTS, exponent)), EXPONENTS.size - 1)] = 1
    return said


def kept_bounds(people: int, magnitudes: NDArray[np.int64]) -> Arrays:
    """Make what nodes keep to bound their sums.

    Args:
        people: Number of people of all nodes.
        magnitudes: The sum of what nodes said.

    Returns:
        ``bounds.people``, and ``bounds.squares`` with the bound of each variable's sum of squares
        over all nodes. It is above 0.
    """
    squares = magnitudes @ np.ldexp(1.0, EXPONENTS)
    return {PEOPLE: np.array(people), SQUARES: np.where(squares > 0, squares, 1.0)}


def column_sizes(parameters: Parameters, state: Arrays) -> tuple[Numbers, float]:
    """Bound the roots of sums of squares of covariates and outcome, at any node.

    Args:
        parameters: ``outcome`` and ``covariates``, and the variables of :data:`VARIABLES`.
        state: Arrays of :func:`kept_bounds`, and loadings of components.

    Returns:
        Those of the covariates, of which the first is 1, and that of the outcome.
    """
    people = SLACK * float(state[PEOPLE])
    squares = dict(zip(parameters[VARIABLES], state[SQUARES].tolist(), strict=True))
    sizes = {name: [float(np.sqrt(one))] for name, one in squares.items()}
    # the mean square of each component over all nodes is 1
    loadings = state.get("components.loadings", np.zeros((0, 0)))
    sizes |= {INTERCEPT: [people**0.5], COMPONENTS: [people**0.5] * loadings.shape[1]}
    names = [INTERCEPT, *parameters.get("covariates", ())]
    (outcome,) = sizes[parameters["outcome"]]
    return np.array([one for name in names for one in sizes[name]]), outcome


def linear_bounds(parameters: Parameters, state: Arrays) -> Bounds:
    """Bound the sums of a linear regression on genotypes.

    Args:
        parameters: As of :func:`column_sizes`.
        state: As of :func:`column_sizes`.
    """
    x, y = column_sizes(parameters, state)
    both = np.append(x, y)
    first, second = np.triu_indices(both.size)
    return {
        "covariates": np.outer(x, x),
        "outcome": both * y,
        "genotype_products": 2 * x[0] * both[1:],  # at most two alleles a person
        "missing_products": both[first] * both[second],
    }


def likelihood_bounds(parameters: Parameters, state: Arrays) -> Bounds:
    """Bound the sums of a logistic likelihood.

    Residuals y - mu are at most 1, weights w = mu (1 - mu) at most 1/4, and w |1 - 2 mu| at most
    1/10. A term of the log-likelihood is at most log 2 + |x'beta|.

    Args:
        parameters: As of :func:`column_sizes`.
        state: As of :func:`column_sizes`, and the coefficients ``null`` or ``beta``.
    """
    x, _ = column_sizes(parameters, state)
    root = x[0]
    if "null" in state:
        sums = {"covariates": np.outer(x, x), "outcome": np.array(root**2)}
        moments = _moment_bounds(root, x, state["null"])
        return sums | {f"null_{name}": bound for name, bound in moments.items()}
    counts = {name: np.array(2 * root**2) for name in ("alleles", "case_alleles", "cases")}
    return counts | _moment_bounds(root, np.append(x, 2 * root), state["beta"])


def _moment_bounds(root: float, x: Numbers, beta: Numbers) -> Bounds:
    first, second = np.triu_indices(x.size)
    one, two, three = triples(x.size)
    log_odds = (np.abs(beta) * x).sum(axis=-1).max(initial=0.0)
    return {
        "log_likelihood": np.array(root**2 + root * log_odds),
        "gradient": root * x,
        "information": x[first] * x[second] / 4,
        "third": x[one] * x[two] * x[three] / 10,
    }
