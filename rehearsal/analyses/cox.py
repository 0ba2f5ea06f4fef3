"""Cox regression over nodes: derivatives of the partial likelihood at given coefficients.

The partial likelihood is stratified, so no risk set spans two nodes, and the derivatives over all
people are the sums of the nodes' derivatives. Newton steps on the sums therefore give exactly the
result of a regression on the pooled people, stratified by node. Ties follow Efron (1977).

As a step of an analysis, it is stratified by node and sex. People are followed up to a last whole
year of life; those who were not followed for one have a negative year and do not count.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from rehearsal.analyses.collinearity import refuse_collinear
from rehearsal.analyses.components import node_components
from rehearsal.analyses.design_matrix import (
    COMPONENTS,
    covariate_columns,
    covariate_names,
    numbers_of,
    refuse_few,
)
from rehearsal.analyses.follow_up import read_follow_up
from rehearsal.analyses.magnitudes import PEOPLE, SLACK, SQUARES, kept_bounds, say_magnitudes
from rehearsal.analyses.newton import FIELDS, Fits, improve
from rehearsal.analyses.packing import unpacked_products
from rehearsal.analyses.partial_likelihood import partial_likelihood
from rehearsal.analyses.protocol import (
    AnalysisError,
    Arrays,
    Bounds,
    Disclosure,
    Parameters,
    State,
    smallest_count,
)
from rehearsal.analyses.tails import p_of_z
from rehearsal.analyses.view import View

Numbers = NDArray[np.float64]

ADDITIVE = True
NEEDS: tuple[str, ...] = ()
DISCLOSURE: Mapping[str, Disclosure] = {
    name: Disclosure("sum")
    for name in ("magnitudes", "moments", "log_likelihood", "gradient", "information")
} | {name: Disclosure("count") for name in ("people", "events")}
TOLERANCE, ROUNDS = 1e-10, 25


def sum_bounds(parameters: Parameters, state: Arrays) -> Bounds:
    """Bound the sums of a node.

    The covariates of all n people have the mean square 1, so none of a person is above the root of
    n. A term of the likelihood is at most log n and twice the largest |x'beta|.

    Args:
        parameters: Parameters of the step.
        state: ``sizes`` of the columns, or ``people`` and ``beta`` of the scaled covariates.
    """
    if "sizes" in state:
        return {"moments": np.outer(state["sizes"], state["sizes"])}
    if "beta" not in state:
        return {}  # whole numbers
    people = SLACK * float(state["people"])
    largest = people**0.5
    log_odds = 2 * largest * float(np.abs(state["beta"]).sum())
    return {
        "log_likelihood": np.array(people * (log_odds + np.log(people))),
        "gradient": np.array(2 * people * largest),
        "information": np.array(2 * people * people),
    }


def start(parameters: Parameters, earlier: Mapping[str, Arrays]) -> State:
    """Begin with how large the covariates are. Then come their means and deviations.

    Args:
        parameters: ``outcome`` (a disease with follow-up) and ``covariates``.
        earlier: Results of earlier steps: ``components`` if it ran.
    """
    d = earlier["components"]["eigenvalues"].size if "components" in earlier else 0
    if len(covariate_names(parameters, d)) == 1:
        expected = "at least one covariate"
        raise AnalysisError("bad_parameters", "parameters", "covariates", expected, "none")
    return State({}, private={"n_components": np.array(d)})


def node_sums(view: View, parameters: Parameters, state: Arrays) -> Arrays:
    """Compute the likelihood of a node.

    Args:
        view: The node's view.
        parameters: ``outcome`` and ``covariates``.
        state: Nothing at first, then ``sizes`` of the covariates, then their ``mean`` and
            ``scale``, and ``beta``.

    Raises:
        AnalysisError: The node lacks a variable or has nobody with all of them.
    """
    columns = covariate_columns(view, parameters, node_components(view, state))
    last_year, affected = read_follow_up(view, parameters)
    sex = numbers_of(view, "sex")
    known = (last_year >= 0) & np.isfinite(columns).all(axis=1) & np.isfinite(sex)
    if not known.any():
        wanted = "a person who was followed, with sex and all covariates"
        raise AnalysisError("no_people", view.folder, "people.parquet", wanted, "none")
    events = int(affected[known].sum())
    refuse_few(view, "people in whom the disease began", events, smallest_count(parameters))
    counts = {"people": np.array(known.sum()), "events": np.array(events)}
    if "sizes" in state:
        return counts | {"moments": columns[known].T @ columns[known]}
    if "beta" not in state:
        names, least = _own_names(parameters), smallest_count(parameters)
        return counts | {"magnitudes": say_magnitudes(view, names, least)}
    x = (columns[:, 1:] - state["mean"]) / state["scale"]
    strata = [known & (sex == one) for one in sorted(set(sex[known].tolist()))]
    parts = [
        partial_likelihood(x[mine], last_year[mine], affected[mine], state["beta"])
        for mine in strata
    ]
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return counts | {
        "log_likelihood": np.array(total.log_likelihood),
        "gradient": total.gradient,
        "information": total.information,
    }


def advance(parameters: Parameters, state: State, totals: Arrays) -> State:
    """Make a step of Newton's method.

    Args:
        parameters: Parameters of the step.
        state: The state before.
        totals: The sums over nodes.

    Returns:
        The next state. Results at the end have one entry per covariate: ``beta``, ``se``, ``z``
        and ``p``; and ``people``, ``events`` and ``log_likelihood``.

    Raises:
        AnalysisError: A covariate says nothing of the people at risk.
    """
    if "sizes" in state.shared:
        return _scale_covariates(parameters, state, totals)
    if "beta" not in state.shared:
        return _size_covariates(parameters, state, totals)
    information = unpacked_products(totals["information"][None], state.shared["beta"].size)[0]
    fits = Fits(*(state.private[name] for name in FIELDS))
    sums = {name: totals[name][None] for name in ("log_likelihood", "gradient", "information")}
    progress = improve(fits, sums, float(parameters.get("tolerance", TOLERANCE)))
    rounds = int(state.private["rounds"]) + 1
    if progress.singular[0] or (rounds > ROUNDS and not progress.converged[0]):
        expected = "covariates that vary, and not together, among people at risk"
        raise AnalysisError("bad_parameters", "analysis", "covariates", expected, "others")
    private = progress.fits.arrays() | {"rounds": np.array(rounds)}
    if not progress.converged[0]:
        return State(state.shared | {"beta": progress.fits.beta[0]}, private=private)
    beta, se = progress.fits.beta[0], np.sqrt(np.diag(np.linalg.inv(information)))
    counts = {name: totals[name] for name in ("people", "events", "log_likelihood")}
    scale, z = state.shared["scale"], beta / se
    effects = {"beta": beta / scale, "se": se / scale, "z": z, "p": p_of_z(z)}
    return State({}, results=effects | counts)


def _own_names(parameters: Parameters) -> list[str]:
    return [name for name in parameters["covariates"] if name != COMPONENTS]


def _size_covariates(parameters: Parameters, state: State, totals: Arrays) -> State:
    """Bound the roots of sums of squares of the columns, of which the first is 1."""
    kept = kept_bounds(int(totals["people"]), totals["magnitudes"])
    people = [float(np.sqrt(SLACK * kept[PEOPLE]))]
    squares = np.sqrt(kept[SQUARES]).tolist()
    sizes = {name: [one] for name, one in zip(_own_names(parameters), squares, strict=True)}
    sizes[COMPONENTS] = people * int(state.private["n_components"])
    found = people + [one for name in parameters["covariates"] for one in sizes[name]]
    return State({"sizes": np.array(found)}, private=state.private)


def _scale_covariates(parameters: Parameters, state: State, totals: Arrays) -> State:
    """Begin without effects of the covariates, less their means and in their deviations.

    The likelihood is the same, and its sums have no large numbers that nearly cancel.
    """
    moments, people = totals["moments"], int(totals["people"])
    names = covariate_names(parameters, int(state.private["n_components"]))
    refuse_collinear(moments, names)
    mean = moments[0, 1:] / people
    scale = np.sqrt(np.diag(moments)[1:] / people - mean**2)
    beta = np.zeros((1, mean.size))
    shared: Arrays = {"mean": mean, "scale": scale, "beta": beta[0], "people": np.array(people)}
    return State(shared, private=Fits.beginning(beta).arrays() | {"rounds": np.array(0)})
