"""Aggregate the nodes' sums over scores: histograms, a person's percentile, a Cox regression."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from statistics import NormalDist

from rehearsal.web.openapi import Body
from rehearsal.web.problem import Problem

EVERYBODY = "network"  # stands beside the country codes
SUMS = ("people", "events", "gradient", "information")
LONGEST_STEP = 1.0  # change of the coefficient in one round of Newton's method


def add_histograms(histograms: Mapping[str, Body]) -> Body:
    """Add up histograms with the same edges. Counts are integers, so the sums are exact.

    Args:
        histograms: Histograms by country code; at least one.

    Returns:
        The histogram of all people, with each country's own.
    """
    first = next(iter(histograms.values()))
    groups = [
        _add_groups([one["groups"][i] for one in histograms.values()])
        for i in range(len(first["groups"]))
    ]
    return {
        "scoringFile": first["scoringFile"],
        "edges": first["edges"],
        "people": sum(one["people"] for one in histograms.values()),
        "groups": groups,
        "countries": {
            node: {"people": one["people"], "groups": one["groups"]}
            for node, one in histograms.items()
        },
    }


def _add_groups(groups: Sequence[Body]) -> Body:
    first = groups[0]
    return {
        **{key: first[key] for key in ("sex", "case") if key in first},
        "below": sum(one["below"] for one in groups),
        "counts": [sum(bins) for bins in zip(*(one["counts"] for one in groups), strict=True)],
        "above": sum(one["above"] for one in groups),
    }


def place_of(score: float, histogram: Body, home: str) -> Body:
    """Locate a score among all people and, if it contributed to the sum, among its own country's.

    Args:
        score: The score.
        histogram: Histogram of :func:`add_histograms`.
        home: Country code of the person.

    Returns:
        Score, edges of its bin, and percentiles. ``below`` is the percentage of people in lower
        bins, ``upTo`` includes the score's own bin. A percentile is None where there are no people.
    """
    edges = histogram["edges"]
    number = bisect_right(edges, score)  # 0: below the first bin
    places = {EVERYBODY: _percentages(histogram["groups"], number)}
    if home in histogram["countries"]:
        places[home] = _percentages(histogram["countries"][home]["groups"], number)
    return {
        "score": score,
        "bin": [
            edges[number - 1] if number else None,
            edges[number] if number < len(edges) else None,
        ],
        "percentiles": places,
    }


def _percentages(groups: Sequence[Body], number: int) -> Body | None:
    bins = [
        sum(column)
        for column in zip(*([g["below"], *g["counts"], g["above"]] for g in groups), strict=True)
    ]
    total = sum(bins)
    if not total:
        return None
    return {
        "below": 100 * sum(bins[:number]) / total,
        "upTo": 100 * sum(bins[: number + 1]) / total,
        "people": total,
    }


def add_hazard_sums(responses: Mapping[str, Body]) -> dict[str, float]:
    """Add up the nodes' ``people``, ``events``, ``gradient`` and ``information``.

    Args:
        responses: The nodes' responses, by country code.

    Returns:
        Sums by name.

    Raises:
        Problem: The data have no information on the hazard (409).
    """
    sums = {key: math.fsum(one[key] for one in responses.values()) for key in SUMS}
    if sums["information"] <= 0:
        raise Problem("Too few people have the disease to estimate a hazard ratio.", 409)
    return sums


def newton_step(sums: Mapping[str, float]) -> float:
    """Compute the next change of the coefficient.

    Args:
        sums: Sums of :func:`add_hazard_sums`.

    Returns:
        The change.
    """
    return sums["gradient"] / sums["information"]


def limited_step(step: float) -> float:
    """Limit a change of the coefficient to a length that can be trusted.

    Args:
        step: The change.

    Returns:
        The change, between -1 and 1.
    """
    return max(-LONGEST_STEP, min(LONGEST_STEP, step))


def hazard_ratio(
    coefficient: float, sums: Mapping[str, float], confidence: float, rounds: int
) -> Body:
    """Compute the hazard ratio of a standard deviation of the score, with a confidence interval.

    Args:
        coefficient: The estimated coefficient.
        sums: Sums of :func:`add_hazard_sums` at this coefficient.
        confidence: Level of the interval, between 0 and 1.
        rounds: Number of rounds of the fit.

    Returns:
        The JSON object.
    """
    error = 1 / math.sqrt(sums["information"])
    reach = NormalDist().inv_cdf((1 + confidence) / 2) * error
    return {
        "hazardRatio": math.exp(coefficient),
        "low": math.exp(coefficient - reach),
        "high": math.exp(coefficient + reach),
        "confidence": confidence,
        "coefficient": coefficient,
        "standardError": error,
        "people": int(sums["people"]),
        "events": int(sums["events"]),
        "rounds": rounds,
    }
