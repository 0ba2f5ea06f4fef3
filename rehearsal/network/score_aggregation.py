"""Nodes' sums over scores made those of all: histograms, a person's place in them, a Cox
regression."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from statistics import NormalDist

from rehearsal.web.openapi import Body
from rehearsal.web.problem import Problem

EVERYBODY = "network"  # beside the countries' codes
SUMS = ("people", "events", "gradient", "information")
LONGEST_STEP = 1.0  # of the coefficient in one of Newton's rounds


def add_histograms(histograms: Mapping[str, Body]) -> Body:
    """The sum of countries' histograms with the same edges: of whole numbers, so it is exact."""
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
    """Where a score stands among all people and, where it has a part in the sum, its country's.

    ``histogram``: of ``add_histograms``. ``below`` is the percentage of people with scores in lower
    bins, ``upTo`` with the score's own bin; None where there are no people.
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
    """Nodes' ``people``, ``events``, ``gradient`` and ``information`` added up.

    Raises Problem (409) when there is no information on the hazard.
    """
    sums = {key: math.fsum(one[key] for one in responses.values()) for key in SUMS}
    if sums["information"] <= 0:
        raise Problem("too few people fell ill to tell a hazard ratio", 409)
    return sums


def newton_step(sums: Mapping[str, float]) -> float:
    """How far the coefficient is to move."""
    return sums["gradient"] / sums["information"]


def limited_step(step: float) -> float:
    """The same, not longer than can be trusted."""
    return max(-LONGEST_STEP, min(LONGEST_STEP, step))


def hazard_ratio(
    coefficient: float, sums: Mapping[str, float], confidence: float, rounds: int
) -> Body:
    """The hazard ratio of a standard deviation of the score, with its interval of confidence."""
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
