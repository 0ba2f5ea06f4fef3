"""The distribution of a polygenic score over the network, and a patient's place in it.

Keys: ``trait`` (a polygenic disease of the traits), ``bins`` (``from``, ``to``, ``width``, in
standard deviations), ``expected`` (``top_percent``: in the country and in all, within one bin).
``about`` names the patient.
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

KEYS = ("trait", "bins", "expected")
CLOSE = 1e-6  # tolerance in standard deviations, because sums have another order
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
    check_keys(question, keys, KEYS, required=("trait", "bins"))
    if "about" not in question.value:
        raise question.error("the key about, which names the patient", "no such key")
    bins = {key: one.number() for key, one in keys["bins"].fields(("from", "to", "width")).items()}
    if bins["width"] <= 0 or bins["to"] <= bins["from"]:
        raise keys["bins"].error("from below to, and a width above 0")
    top = 100.0
    if "expected" in keys:
        top = keys["expected"].fields(("top_percent",))["top_percent"].number(0, 100)
    disease = references.scored_disease(keys["trait"])
    return {"trait": disease.name, "bins": bins, "top_percent": top}


async def ask(question: Question, context: QueryContext) -> Reply:
    """Ask for the nodes' scoring file, then for the histogram with the patient's place.

    Args:
        question: The question.
        context: Connection to the network.
    """
    asked = question.parameters
    scoring_file = await find_scoring_file(context, asked["trait"])
    individual = context.patient(question.about)
    body = {
        "scoringFile": scoring_file,
        "bins": asked["bins"],
        "patient": {"node": context.asker.country, "id": individual},
    }
    return body, await ask_network(context, "scores", body)


def summarise(question: Question, reply: Reply) -> ReplySummary:
    """Summarise the numbers of people by country, and the patient's place.

    Args:
        question: The question.
        reply: The network's reply.
    """
    body, answer = reply
    response = read_response(answer)
    shown = {code: {"people": one["people"]} for code, one in response["countries"].items()}
    return ReplySummary(
        summarise_request(question, "scores", body),
        summarise_countries(answer, shown),
        {"people": response["people"], "patient": response["patient"]},
        f"The scores of {response['people']:,} people. Only the number of people per interval of "
        "scores left a country. The patient's own score left her country for her clinician.",
        {
            "edges": response["edges"],
            **{key: response["groups"][0][key] for key in ("below", "counts", "above")},
        },
    )


def judge(
    question: Question, expected: Any, reply: Reply, foreign: Collection[str] = ()
) -> list[Check]:
    """Check the scoring file, the counts, and the patient's place within one bin.

    A node of somebody else may have no scores. Then the patient's place among all is not checked.

    Args:
        question: The question.
        expected: Its right answer, from ``stories.expected``.
        reply: The network's reply.
        foreign: Countries whose nodes someone else runs.
    """
    body, answer = reply
    response, without = read_response(answer), nodes_without(answer, foreign)
    due = {code: counts for code, counts in expected["countries"].items() if code not in without}
    observed = {code: _counts(one["groups"]) for code, one in response["countries"].items()}
    joined = [sum(column) for column in zip(*due.values(), strict=True)]
    checks = [
        *Check.left_out(without),
        Check.every_country_answered(due, summarise_node_states(answer)),
        Check.equal("digest of the scoring file", expected["scoring_file"], body["scoringFile"]),
        Check.equal("the histogram of each country equals the truth", due, observed),
        Check.equal(
            "the histogram of the network equals the truth", joined, _counts(response["groups"])
        ),
    ]
    patient, own = response["patient"], expected["patient"]
    if own["country"] in without:
        return checks
    if patient["state"] != "answered":
        name = "the patient's percentile is in the answer"
        return [*checks, Check(name, "answered", patient, False)]
    score = patient["score"]
    close = abs(score - own["score"]) < CLOSE
    checks.append(Check("the patient's score", own["score"], score, close))
    places = patient["percentiles"]
    top = question.parameters["top_percent"]
    checks += _check_place("in the home country", places[own["country"]], own["at_home"], top)
    if not without:
        checks += _check_place("in all countries", places["network"], own["everywhere"], top)
    return checks


def _check_place(
    where: str, place: Mapping[str, float], share: float, top: float
) -> Iterator[Check]:
    """Check a percentile: that its range has the true one, and that it is in the top per cent."""
    interval = f"{place['below']:.2f} to {place['upTo']:.2f}"
    name = f"percentile {where}: the range contains the true value"
    within = place["below"] - 1e-9 <= share <= place["upTo"] + 1e-9
    yield Check(name, round(share, 4), interval, within)
    if top < 100:
        passed = share >= 100 - top and place["upTo"] > 100 - top
        yield Check(
            f"in the top {top:g}% {where}", f"percentile {100 - top:g} or more", interval, passed
        )


def _counts(groups: list[dict[str, Any]]) -> list[int]:
    (one,) = groups
    return [one["below"], *one["counts"], one["above"]]
