"""The people of a regression, its outcome and its covariates, at one node."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rehearsal.analyses.protocol import AnalysisError, Parameters, name_of_variable
from rehearsal.analyses.view import View

INTERCEPT = "intercept"
COMPONENTS = "components"  # as a covariate: all components of an earlier step
SEXES = {"female": 0.0, "male": 1.0}


@dataclass(frozen=True, slots=True)
class DesignMatrix:
    """Outcome and covariates of the people in whom all of them are known."""

    people: NDArray[np.uint32]  # rows in the view, ascending
    covariates: NDArray[np.float64]  # shape (n_people, n_covariates), the first is 1
    outcome: NDArray[np.float64]  # shape (n_people,)


def covariate_names(parameters: Parameters, n_components: int) -> list[str]:
    """Name the columns of the covariates.

    Args:
        parameters: ``covariates``: names of variables; ``components`` stands for all components.
        n_components: Number of components, 0 without such a step.
    """
    names = [INTERCEPT]
    for name in parameters.get("covariates", ()):
        several = [f"component_{i + 1}" for i in range(n_components)]
        names += several if name == COMPONENTS else [name]
    return names


def design_matrix(
    view: View, parameters: Parameters, components: NDArray[np.float64] | None
) -> DesignMatrix:
    """Collect the people of a regression.

    Args:
        view: The node's view.
        parameters: ``outcome`` and ``covariates``: names of variables.
        components: Components of all people, shape (n_people, n_components), or None.

    Returns:
        The people in whom everything is known, and their values.

    Raises:
        AnalysisError: The node lacks a variable, or nobody has all of them.
    """
    covariates = covariate_columns(view, parameters, components)
    outcome = numbers_of(view, name_of_variable(parameters, "outcome"))
    known = np.isfinite(outcome) & np.isfinite(covariates).all(axis=1)
    if not known.any():
        wanted = "a person in whom the outcome and all covariates are known"
        raise AnalysisError("no_people", view.folder, "people.parquet", wanted, "none")
    people = np.flatnonzero(known).astype(np.uint32)
    return DesignMatrix(people, covariates[known], outcome[known])


def covariate_columns(
    view: View, parameters: Parameters, components: NDArray[np.float64] | None
) -> NDArray[np.float64]:
    """Return the covariates of all people, with NaN where unknown; the first is 1.

    Args:
        view: The node's view.
        parameters: ``covariates``: names of variables.
        components: Components of all people, shape (n_people, n_components), or None.

    Returns:
        Shape (n_people, n_covariates).

    Raises:
        AnalysisError: The node lacks a variable.
    """
    columns = [np.ones(view.n_people)]
    for name in parameters.get("covariates", ()):
        columns += _columns(view, name, components)
    return np.column_stack(columns)


def refuse_few(view: View, group: str, people: int, least: int) -> None:
    """Refuse a group of fewer people than may be told; nobody is no group.

    Args:
        view: The node's view.
        group: What the people are.
        people: How many there are.
        least: The smallest number of people that may be told.

    Raises:
        AnalysisError: There are some, and too few.
    """
    if 0 < people < least:
        expected = f"none or at least {least} {group}"
        raise AnalysisError("no_people", view.folder, "people.parquet", expected, str(people))


def numbers_of(view: View, name: str) -> NDArray[np.float64]:
    """Return a variable as numbers: men are 1 and women 0, yes is 1 and no 0, unknown is NaN.

    Args:
        view: The node's view.
        name: The variable.

    Raises:
        AnalysisError: The node lacks it, or it has texts.
    """
    values = view.variable(name)
    if values.dtype != object:
        return values
    if not set(values.tolist()) - {None} <= set(SEXES):
        raise AnalysisError("no_variable", view.folder, name, "numbers", "texts")
    return np.array([SEXES.get(value, np.nan) for value in values.tolist()], dtype=np.float64)


def _columns(
    view: View, name: str, components: NDArray[np.float64] | None
) -> list[NDArray[np.float64]]:
    if name != COMPONENTS:
        return [numbers_of(view, name)]
    if components is None:
        expected, found = "a step of components before it", "none"
        raise AnalysisError("bad_parameters", "parameters", "covariates", expected, found)
    return list(components.T)
