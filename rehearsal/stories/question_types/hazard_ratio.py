"""The increase of a hazard with a polygenic score: a Cox regression over all nodes, by sums.

Keys: ``trait`` (a disease of the traits with ``hazard_ratio_per_sd``), ``confidence`` (of the
interval in which that value must lie; 0.95 by default).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from rehearsal.model import Answer
from rehearsal.phenotypes.yaml_reader import Entry
from rehearsal.stories.network_requests import (
    ask_network,
    find_scoring_file,
    nodes_without,
    read_response,
    summarise_countries,
    summarise_node_states,
    summarise_request,
)
from rehearsal.stories.query_context import QueryContext
from rehearsal.stories.reference_checks import RunReferences, check_keys
from rehearsal.stories.story_types import Check, Question, ReplySummary

PATH = "scores/hazard"
CLOSE = 1e-6  # relative tolerance, because sums have another order
RESULTS = (  # key in the answer, key in the truth, words
    ("hazardRatio", "ratio", "hazard ratio"),
    ("low", "low", "lower limit of the interval"),
    ("high", "high", "upper limit of the interval"),
)
Reply = tuple[dict[str, Any], Answer]


def read(question: Entry, keys: Mapping[str, Entry], references: RunReferences) -> dict[str, Any]:
    """Read the keys that only this type has.

    Args:
        question: The question, for errors.
        keys: Its own keys, by name.
        references: What stories may refer to.

    Returns:
        The parameters, as plain JSON values.

    Raises:
        InputError: A key or value is not allowed.
    """
    check_keys(question, keys, ("trait", "confidence"), required=("trait",))
    disease = references.scored_disease(keys["trait"])
    if disease.genetics is None or disease.genetics.hazard_ratio_per_sd is None:
        raise keys["trait"].error("a disease with hazard_ratio_per_sd")
    confidence = keys["confidence"].number(0.5, 0.9999) if "confidence" in keys else 0.95
    return {
        "trait": disease.name,
        "disease": disease.code,
        "configured": disease.genetics.hazard_ratio_per_sd,
        "confidence": confidence,
    }


async def ask(question: Question, context: QueryContext) -> Reply:
    """Ask for the nodes' scoring file, then for the regression.

    Args:
        question: The question.
        context: Connection to the network.
    """
    asked = question.parameters
    body = {
        "scoringFile": await find_scoring_file(context, asked["trait"]),
        "disease": asked["disease"],
        "confidence": asked["confidence"],
    }
    return body, await ask_network(context, PATH, body)


def summarise(question: Question, reply: Reply) -> ReplySummary:
    """Summarise the ratio with its interval.

    Args:
        question: The question.
        reply: The network's reply.
    """
    body, answer = reply
    response = read_response(answer)
    return ReplySummary(
        summarise_request(question, PATH, body),
        summarise_countries(answer, {}),
        response,
        f"The scores, ages and diagnoses of {response['people']:,} people. Four sums per round "
        "left each country.",
    )


def judge(
    question: Question, expected: Any, reply: Reply, foreign: Collection[str] = ()
) -> list[Check]:
    """Check the regression.

    It equals one of all people pooled, and the configured ratio lies in the interval. Only the
    latter is checked if a node of somebody else has no scores.

    Args:
        question: The question.
        expected: Its right answer, from ``stories.expected``.
        reply: The network's reply.
        foreign: Countries whose nodes someone else runs.
    """
    _, answer = reply
    response, without = read_response(answer), nodes_without(answer, foreign)
    countries = set(expected["countries"]) - without
    return [
        *Check.left_out(without),
        Check.every_country_answered(countries, summarise_node_states(answer)),
        *(_compare(expected, response) if not without else ()),
        _check_interval(question, response),
    ]


def _compare(expected: Any, response: Mapping[str, Any]) -> Iterator[Check]:
    """Compare with the regression of all people."""
    for key, name in (("people", "people"), ("events", "people with the disease")):
        yield Check.equal(f"{name} in the regression", expected[key], response[key])
    for key, name, words in RESULTS:
        right, observed = expected[name], response[key]
        close = abs(observed - right) <= CLOSE * right
        yield Check(f"{words}, as from a regression of all people", right, observed, close)


def _check_interval(question: Question, response: Mapping[str, Any]) -> Check:
    configured = question.parameters["configured"]
    interval = f"{response['low']:.3f} to {response['high']:.3f}"
    inside = response["low"] <= configured <= response["high"]
    name = "the interval contains the hazard ratio of the simulation"
    return Check(name, configured, interval, inside)
