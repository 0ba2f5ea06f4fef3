"""Logistic regression of a disease on each variant, with covariates.

The covariates are fitted first, without genotypes. From there Newton's method improves all variants
at once: nodes send the likelihood, its gradient and its information at each variant's
coefficients; a variant leaves when its step is shorter than ``tolerance`` standard errors.

Firth's penalised likelihood takes its place for two kinds of variants, as with ``plink2 --glm
firth-fallback``: those of which one allele is absent in cases or in controls, which separate them,
and those that have not converged after ``rounds`` rounds or whose information has lost its inverse.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from rehearsal.analyses.alleles import rows_of
from rehearsal.analyses.collinearity import refuse_collinear, refuse_far
from rehearsal.analyses.common_variants import common_variants
from rehearsal.analyses.components import node_components
from rehearsal.analyses.design_matrix import (
    DesignMatrix,
    covariate_names,
    design_matrix,
    refuse_few,
)
from rehearsal.analyses.genotype_sums import hidden_blocks
from rehearsal.analyses.likelihood_sums import VariantLikelihoods, null_sums
from rehearsal.analyses.linear import COLLINEAR, CONSTANT, LEAST_LEFT, NOT_CONVERGED, TESTED
from rehearsal.analyses.magnitudes import likelihood_bounds
from rehearsal.analyses.newton import FIELDS, Fits, improve
from rehearsal.analyses.protocol import (
    AnalysisError,
    Arrays,
    Disclosure,
    Parameters,
    State,
    smallest_count,
)
from rehearsal.analyses.separation import information_left, refuse_separating
from rehearsal.analyses.tails import p_of_z
from rehearsal.analyses.view import View

Numbers = NDArray[np.float64]

ADDITIVE = True
NEEDS: tuple[str, ...] = ("alleles", "frequencies")
BOTH = ("carriers", "reference_carriers")
COUNTS = ("people", "carriers", "reference_carriers", "missing")
NULL = ("covariates", "outcome", "null_log_likelihood", "null_gradient", "null_information")
VARIANT = (
    *("log_likelihood", "gradient", "information", "third"),
    *("alleles", "case_alleles", "cases"),
)
DISCLOSURE: Mapping[str, Disclosure] = (
    {name: Disclosure("count") for name in COUNTS}
    | {name: Disclosure("sum") for name in NULL}
    | {name: Disclosure("sum", BOTH) for name in VARIANT}
)
sum_bounds = likelihood_bounds
TOLERANCE, ROUNDS = 1e-10, 25
COLUMNS = ("beta", "se", "z", "p", "frequency")


def start(parameters: Parameters, earlier: Mapping[str, Arrays]) -> State:
    """Begin with the covariates alone.

    Args:
        parameters: ``outcome``, ``covariates``, ``tolerance`` (of a step, in standard errors), and
            ``rounds`` at most of Newton's method, and of Firth's twice as many;
            ``least_frequency`` of the rarer allele and ``window`` (0), as of components: without
            the former, all variants are tested.
        earlier: Results of earlier steps: ``frequencies``, and ``components`` if it ran.

    Raises:
        AnalysisError: There is no common variant.
    """
    frequency = earlier["frequencies"]["frequency"]
    d = earlier["components"]["eigenvalues"].size if "components" in earlier else 0
    state = start_with(parameters, frequency.size, d, 2)
    if "least_frequency" not in parameters:
        return state
    least, window = float(parameters["least_frequency"]), int(parameters.get("window", 0))
    chosen = common_variants(earlier, least, window).astype(np.int32)
    if chosen.size == 0:
        expected = "at least one common variant"
        raise AnalysisError("bad_parameters", "analysis", "least_frequency", expected, "none")
    status = np.full(frequency.size, CONSTANT, dtype=np.int8)
    status[chosen] = NOT_CONVERGED
    more = _prefixed({"status": status}) | {"chosen": chosen}
    return State(state.shared, private=state.private | more)


def start_with(parameters: Parameters, size: int, n_components: int, top: int) -> State:
    """Begin a regression of several variants or genes.

    Args:
        parameters: As of :func:`start`.
        size: Number of variants or genes.
        n_components: Number of components.
        top: The largest number of alleles of a person, 2, or 1 for carriers of genes.
    """
    results: Arrays = {name: np.full(size, np.nan) for name in COLUMNS}
    results |= {
        "people": np.zeros(size, dtype=np.int64),
        "cases": np.zeros(size, dtype=np.int64),
        "status": np.full(size, NOT_CONVERGED, dtype=np.int8),
        "firth": np.zeros(size, dtype=bool),
    }
    names = covariate_names(parameters, n_components)
    beta = np.zeros((1, len(names)))
    private = Fits.beginning(beta).arrays() | {"rounds": np.array(0)}
    private |= {"n_components": np.array(n_components), "top": np.array(top)}
    return State({"null": beta[0]}, private=private | _prefixed(results))


def node_sums(view: View, parameters: Parameters, state: Arrays) -> Arrays:
    """Sum likelihoods of a node.

    Args:
        view: The node's view.
        parameters: ``outcome``, ``covariates`` and ``smallest_count``.
        state: ``null`` (coefficients) at first, then ``variants`` and ``beta``, with ``firth`` if
            the penalised likelihood is wanted.

    Raises:
        AnalysisError: The node lacks a variable or has nobody with all of them, the outcome has
            other values than 0 and 1, or there are few cases or controls.
    """
    design = disease_design(view, parameters, state)
    if "null" in state:
        return covariate_sums(design, state)
    rows = rows_of(view, state)[state["variants"]]
    blocks = hidden_blocks(view, rows, design.people, smallest_count(parameters))
    likelihoods = VariantLikelihoods(design.covariates, design.outcome, 2, "firth" in state)
    people = {"people": np.array(design.people.size)}
    return people | likelihoods.sums(blocks, state["beta"])


def disease_design(view: View, parameters: Parameters, state: Arrays) -> DesignMatrix:
    """Collect the people of a regression on a disease.

    Args:
        view: The node's view.
        parameters: ``outcome`` and ``covariates``.
        state: The state, with loadings of components if there are any.

    Raises:
        AnalysisError: As of :func:`node_sums`.
    """
    design = design_matrix(view, parameters, node_components(view, state))
    if not np.isin(design.outcome, (0.0, 1.0)).all():
        expected, found = "a disease: true or false", "other values"
        raise AnalysisError("no_variable", view.folder, parameters["outcome"], expected, found)
    cases, least = int(design.outcome.sum()), smallest_count(parameters)
    for group, people in (("cases", cases), ("controls", design.outcome.size - cases)):
        refuse_few(view, group, people, least)
    return design


def covariate_sums(design: DesignMatrix, state: Arrays) -> Arrays:
    """Sum the likelihood of the covariates alone.

    Args:
        design: The people of the regression.
        state: ``null``: the coefficients.
    """
    x, y = design.covariates, design.outcome
    sums = null_sums(x, y, state["null"])
    return {
        "people": np.array(y.size),
        "covariates": x.T @ x,
        "outcome": np.array(y.sum()),
    } | {f"null_{name}": array for name, array in sums.items()}


def advance(parameters: Parameters, state: State, totals: Arrays) -> State:
    """Improve the coefficients.

    Args:
        parameters: Parameters of the step.
        state: The state before.
        totals: The sums over nodes.

    Returns:
        The next state. Results at the end have one entry per allele, or per one of ``chosen``
        (numbers of alleles) with ``least_frequency``, as those of a linear regression, with
        ``cases`` and ``firth`` (whether the likelihood was penalised).

    Raises:
        AnalysisError: Covariates are collinear, far from 0 or separate cases from controls, there
            are no cases or no controls, or the covariates alone do not converge.
    """
    if "null" in state.shared:
        return _advance_null(parameters, state, totals)
    results, fits = _results(state), _fits(state)
    variants, rounds = state.shared["variants"], int(state.private["rounds"]) + 1
    firth = "firth" in state.shared
    progress = improve(fits, totals, float(parameters.get("tolerance", TOLERANCE)))
    most = int(parameters.get("rounds", ROUNDS)) * (2 if firth else 1)
    stopped = progress.singular
    if rounds == 1 and not firth:
        stopped = stopped | _note_counts(results, variants, totals, int(state.private["top"]))
    going = ~progress.converged & ~stopped & (rounds < most)
    done = progress.converged & ~stopped
    _note_estimates(results, variants[done], progress.fits.beta[done, -1], progress.se[done])
    results["firth"][variants[done]] = firth
    if firth:
        results["status"][variants[progress.singular]] = COLLINEAR
    private = state.private | _prefixed(results) | {"rounds": np.array(rounds)}
    if going.any():
        left = progress.fits.chosen(going)
        shared: Arrays = state.shared | {"variants": variants[going], "beta": left.beta}
        return State(shared, private=private | left.arrays())
    return _end(results, private) if firth else _start_firth(results, private)


def _advance_null(parameters: Parameters, state: State, totals: Arrays) -> State:
    names = covariate_names(parameters, int(state.private["n_components"]))
    refuse_collinear(totals["covariates"], names)
    refuse_far(totals["covariates"][0], np.diag(totals["covariates"]), names)
    cases, people = int(totals["outcome"]), int(totals["people"])
    if cases in (0, people):
        found = "no cases" if cases == 0 else "no controls"
        expected = "cases and controls"
        raise AnalysisError("bad_parameters", "analysis", "outcome", expected, found)
    sums = {k.removeprefix("null_"): v[None] for k, v in totals.items() if k.startswith("null_")}
    fits = _fits(state)
    progress = improve(fits, sums, float(parameters.get("tolerance", TOLERANCE)))
    rounds = int(state.private["rounds"]) + 1
    private = state.private | {"rounds": np.array(rounds)}
    most, is_lost = int(parameters.get("rounds", ROUNDS)), bool(progress.singular[0])
    if not progress.converged[0] and not is_lost and rounds < most:
        return State({"null": progress.fits.beta[0]}, private=private | progress.fits.arrays())
    inverse = (fits if is_lost else progress.fits).inverse[0]  # a lost one is 0
    left = information_left(inverse, totals["covariates"], cases / people)
    refuse_separating(left, names)
    if not progress.converged[0]:
        expected, found = "rounds until the covariates alone converge", f"not after {rounds}"
        raise AnalysisError("bad_parameters", "analysis", "rounds", expected, found)
    variants = np.arange(_results(state)["status"].size, dtype=np.int32)
    variants = private.get("chosen", variants)
    beta = np.append(progress.fits.beta[0], 0.0)
    return _start_variants(variants, private | {"null_beta": beta}, {})


def _start_variants(variants: NDArray[np.int32], private: Arrays, extra: Arrays) -> State:
    """Begin the search of variants at the coefficients of the covariates alone."""
    fits = Fits.beginning(np.tile(private["null_beta"], (variants.size, 1)))
    private = private | fits.arrays() | {"rounds": np.array(0)}
    shared: Arrays = {"variants": variants, "beta": fits.beta}
    return State(shared | extra, private=private)


def _start_firth(results: Arrays, private: Arrays) -> State:
    left = np.flatnonzero(results["status"] == NOT_CONVERGED).astype(np.int32)
    if left.size == 0:
        return _end(results, private)
    return _start_variants(left, private, {"firth": np.array(1)})


def _end(results: Arrays, private: Arrays) -> State:
    if "chosen" in private:
        chosen = private["chosen"]
        results = {name: array[chosen] for name, array in results.items()} | {"chosen": chosen}
    return State({}, results=results)


def _note_counts(
    results: Arrays, variants: NDArray[np.int32], totals: Arrays, top: int
) -> NDArray[np.bool_]:
    """Note what the first round of variants counts; return which need no Newton steps."""
    people = int(totals["people"]) - totals["missing"].astype(np.int64)
    cases, alleles = np.rint(totals["cases"]).astype(np.int64), totals["alleles"]
    with np.errstate(divide="ignore", invalid="ignore"):
        results["frequency"][variants] = alleles / (top * people)
    results["people"][variants], results["cases"][variants] = people, cases
    constant = (totals["carriers"] == 0) | (totals["reference_carriers"] == 0)
    constant |= (cases == 0) | (cases == people)
    constant |= _are_of_one_genotype(totals["information"])
    results["status"][variants[constant]] = CONSTANT
    in_cases, in_controls = totals["case_alleles"], alleles - totals["case_alleles"]
    separated = np.isclose(in_cases, 0) | np.isclose(in_controls, 0)
    separated |= np.isclose(in_cases, top * cases)
    separated |= np.isclose(in_controls, top * (people - cases))
    return constant | separated


def _are_of_one_genotype(information: Numbers) -> NDArray[np.bool_]:
    """Tell where genotypes do not vary, as where all are heterozygous, by packed information."""
    last = int((8 * information.shape[1] + 1) ** 0.5) // 2 - 1  # column of the genotypes
    weights, sums, squares = information[:, 0], information[:, last], information[:, -1]
    return squares * weights - sums**2 <= LEAST_LEFT * squares * weights


def _note_estimates(
    results: Arrays, variants: NDArray[np.int32], beta: Numbers, se: Numbers
) -> None:
    results["beta"][variants], results["se"][variants] = beta, se
    results["z"][variants] = beta / se
    results["p"][variants] = p_of_z(beta / se)
    results["status"][variants] = TESTED


def _fits(state: State) -> Fits:
    return Fits(*(state.private[name] for name in FIELDS))


PREFIX = "result_"  # of results in the making, among what the network keeps


def _prefixed(results: Arrays) -> Arrays:
    return {f"{PREFIX}{name}": array.copy() for name, array in results.items()}


def _results(state: State) -> Arrays:
    private = state.private.items()
    return {k.removeprefix(PREFIX): v.copy() for k, v in private if k.startswith(PREFIX)}
