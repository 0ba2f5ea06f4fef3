"""Survival curves after Kaplan and Meier (1958), of everybody or of two groups.

Nodes count, for each year of life, the people whose follow-up ended in it and those in whom the
disease began. With d cases among n people at risk, the survival falls by the factor 1 - d / n; its
variance is that of Greenwood (1926). Who leaves in an interval counts as at risk until its end.

Under masks, years of which a total would tell of few people are counted together.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from rehearsal.analyses.design_matrix import numbers_of
from rehearsal.analyses.follow_up import read_follow_up
from rehearsal.analyses.protocol import (
    AnalysisError,
    Arrays,
    Disclosure,
    Parameters,
    State,
    no_bounds,
    smallest_count,
)
from rehearsal.analyses.view import View
from rehearsal.errors import shown

ADDITIVE = True
NEEDS: tuple[str, ...] = ()
DISCLOSURE: Mapping[str, Disclosure] = {
    "events": Disclosure("count", ("censored",)),
    "censored": Disclosure("count", ("events",)),
}
sum_bounds = no_bounds  # all sums are whole numbers
YEARS = 131  # of life


def start(parameters: Parameters, earlier: Mapping[str, Arrays]) -> State:
    """Begin.

    Args:
        parameters: ``outcome`` (a disease with follow-up), and perhaps ``group``: a variable that
            is true or false, and ``interval``: years of life that are counted together (1).
        earlier: Results of earlier steps; none are needed.
    """
    interval_of(parameters)
    return State({})


def node_sums(view: View, parameters: Parameters, state: Arrays) -> Arrays:
    """Count people by group, last year or interval of years, and event.

    Args:
        view: The node's view.
        parameters: ``outcome``, ``group``, ``interval`` and ``smallest_count``.
        state: Nothing.

    Raises:
        AnalysisError: The node lacks a variable, the group has other values than 0 and 1, or some
            people fall ill or leave in an interval, but fewer than may be told of: the curve would
            be wrong without them.
    """
    last_year, affected = read_follow_up(view, parameters)
    groups = 2 if "group" in parameters else 1
    group = numbers_of(view, parameters["group"]) if groups == 2 else np.zeros(view.n_people)
    known = (last_year >= 0) & (last_year < YEARS) & np.isfinite(group)
    if not np.isin(group[known], (0.0, 1.0)).all():
        expected, found = "true or false", "other values"
        raise AnalysisError("no_variable", view.folder, str(parameters["group"]), expected, found)
    interval = interval_of(parameters)
    cells = -(-YEARS // interval)
    cell = group[known].astype(np.int64) * cells + last_year[known] // interval
    least, found_cells = smallest_count(parameters), {}
    for name, chosen in (("events", affected[known]), ("censored", ~affected[known])):
        counts = np.bincount(cell[chosen], minlength=groups * cells).reshape(groups, cells)
        if ((counts > 0) & (counts < least)).any():
            expected = f"nobody or at least {least} people in each interval, or masks"
            raise AnalysisError("no_people", view.folder, name, expected, "fewer")
        found_cells[name] = counts
    return found_cells


def interval_of(parameters: Parameters) -> int:
    """Return how many years of life are counted together.

    Args:
        parameters: ``interval``, 1 without it.

    Raises:
        AnalysisError: It is no number of years.
    """
    value = parameters.get("interval", 1)
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= YEARS:
        expected = f"years, from 1 to {YEARS}"
        raise AnalysisError("bad_parameters", "parameters", "interval", expected, shown(value))
    return value


def advance(parameters: Parameters, state: State, totals: Arrays) -> State:
    """Compute the curves.

    Args:
        parameters: Parameters of the step.
        state: The state before.
        totals: The sums over nodes.

    Returns:
        The end of the step. Its results have the shape (n_groups, n_intervals), of which there are
        131 if they have a year: ``years`` (that are counted together in it and before it; 0 where
        they are counted in a later interval), ``at_risk`` (at the beginning of these years),
        ``events``, ``survival`` (after them) and ``se``, both NaN where they are counted later.
    """
    told = totals["events"] >= 0  # else counted in a later interval
    events = np.where(told, totals["events"], 0)
    leaving = events + np.where(told, totals["censored"], 0)
    at_risk = np.cumsum(leaving[:, ::-1], axis=1)[:, ::-1]
    staying = at_risk - events
    with np.errstate(divide="ignore", invalid="ignore"):
        survival = np.cumprod(np.where(at_risk > 0, staying / at_risk, 1.0), axis=1)
        hazards = np.where(events > 0, events / (at_risk * staying), 0.0)
        se = survival * np.sqrt(np.cumsum(hazards, axis=1))
    years = _years_of(told) * interval_of(parameters)
    results = {"years": years, "at_risk": at_risk, "events": events}
    results |= {
        name: np.where(told, one, np.nan) for name, one in (("survival", survival), ("se", se))
    }
    return State({}, results=results)


def _years_of(told: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Count the intervals since the last one that was told, shape (n_groups, n_intervals)."""
    number = np.tile(np.arange(1, told.shape[1] + 1), (len(told), 1))
    last = np.maximum.accumulate(np.where(told, number, 0), axis=1)
    before = np.pad(last, ((0, 0), (1, 0)))[:, :-1]
    return np.where(told, number - before, 0)
