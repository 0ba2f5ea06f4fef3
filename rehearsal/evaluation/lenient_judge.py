"""Judges the answers of any Beacon: what it gives must be right, what it leaves out is told.

``judge`` wants all that our own nodes say. Here presence, counts, records and frequencies are each
held against the truth as far as an answer has them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from rehearsal.evaluation.judge import (
    FREQUENCY_TOLERANCE,
    Judgement,
    expected_text,
    in_alleles,
    individual_differences,
    judge,
)
from rehearsal.model import GRANULARITIES, Answer, Granularity, Query
from rehearsal.network.aggregate import AlleleTally, allele_key, count_of, records, says_exists
from rehearsal.network.beacon_response import returned_granularity
from rehearsal.truth.expected_answers import GROUPS, ExpectedAnswer

SHOWN = 3  # differences in a text
# What is told of an allele in a population, if at all: field of the answer, field of the truth
COUNTED = {
    "alleleCount": "count",
    "alleleNumber": "number",
    "alleleCountHomozygous": "homozygous",
    "alleleCountHeterozygous": "heterozygous",
    "alleleCountHemizygous": "hemizygous",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """``judged_on``: presence, count, variants, frequencies or people; empty: nothing came."""

    judgement: Judgement
    judged_on: str


def asked_at(query: Query, granularity: Granularity) -> Query:
    """The same query asked at another granularity."""
    body = {**query.request["query"], "requestedGranularity": granularity}
    return replace(query, request={**query.request, "query": body})


def given_granularity(query: Query, answer: Answer) -> Granularity:
    """What was asked for, or what came where that is coarser."""
    asked = query.request["query"]["requestedGranularity"]
    if answer.state != "answered" or asked not in GRANULARITIES:
        return asked
    return min(asked, returned_granularity(answer), key=GRANULARITIES.index)


def judge_given(
    query: Query, expected: Mapping[str, ExpectedAnswer], place: str, answer: Answer
) -> Verdict:
    """Judge what a Beacon that holds the people of ``place`` answered.

    ``expected``: by place; a population named by another place is held against that one's.
    """
    granularity = given_granularity(query, answer)
    if answer.state != "answered":
        return Verdict(judge(query, expected[place], answer), "")
    if granularity != "record":
        verdict = judge(asked_at(query, granularity), expected[place], answer)
        return Verdict(verdict, "presence" if granularity == "boolean" else "count")
    try:
        judged_on, differences = _of_records(query, expected, place, answer)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        judged_on, differences = "", [f"records that cannot be read: {error!r}"]
    said = "yes" if says_exists(answer) else "no"
    count = count_of(answer)
    wanted = expected_text(place, expected[place], "count")
    observed = said if count is None else f"{said}, count {count}"
    told = differences[:SHOWN] + ["..."] * (len(differences) > SHOWN)
    return Verdict(Judgement(not differences, wanted, observed, "; ".join(told)), judged_on)


def _of_records(
    query: Query, expected: Mapping[str, ExpectedAnswer], place: str, answer: Answer
) -> tuple[str, list[str]]:
    true, differences = expected[place], []
    if says_exists(answer) != true.exists:
        differences.append(f"exists {says_exists(answer)} instead of {true.exists}")
    if count_of(answer) not in (None, true.count):
        differences.append(f"count {count_of(answer)} instead of {true.count}")
    if query.entry_type == "individuals":
        return "people", differences + list(individual_differences(query, true, answer))
    given = [(allele_key(record), record) for record in records(answer)]
    wanted = {(one.start, one.ref, one.alt) for one in true.alleles}
    found = {key for key, _ in given}
    differences += [f"{_name(key)} too many" for key in sorted(found - wanted)]
    if len(found) < query.request["query"]["pagination"]["limit"]:
        differences += [f"{_name(key)} missing" for key in sorted(wanted - found)]
    tallies = _tallies(expected, place)
    compared = 0
    for key, record in given:
        for population, entry in _frequencies(record):
            compared += 1
            usual = population[-2:] if population.endswith(GROUPS[1:]) else ""
            group = tallies.get(population, tallies[usual])
            if key in wanted:
                differences += _entry_differences(_name(key), population, entry, group.get(key))
    return "frequencies" if compared else "variants", differences


def _name(key: tuple[int, str, str]) -> str:
    return "{}:{}>{}".format(*key)


def _tallies(
    expected: Mapping[str, ExpectedAnswer], place: str
) -> dict[str, dict[tuple[int, str, str], AlleleTally]]:
    """By population, the right counts of each allele. ``""``, ``_F``, ``_M`` are those of the
    place, whatever a Beacon calls it; the others are named by their place."""
    tallies: dict[str, dict[tuple[int, str, str], AlleleTally]] = {}
    for prefix, source in (("", place), *((name, name) for name in expected)):
        for group in GROUPS:
            tallies[prefix + group] = {
                (one.start, one.ref, one.alt): in_alleles(groups[group])
                for one, groups in expected[source].alleles.items()
            }
    return tallies


def _frequencies(record: Mapping[str, Any]) -> Iterable[tuple[str, Mapping[str, Any]]]:
    for source in record.get("frequencyInPopulations") or ():
        for entry in source["frequencies"]:
            yield str(entry["population"]), entry


def _entry_differences(
    name: str, population: str, entry: Mapping[str, Any], true: AlleleTally | None
) -> Iterable[str]:
    """Counts are held against the truth exactly, a frequency as far as it is written out."""
    true = AlleleTally(0, 0, 0, 0, 0) if true is None else true
    for field, of_truth in COUNTED.items():
        wanted = getattr(true, of_truth)
        if entry.get(field) is not None and entry[field] != wanted:
            yield f"{name} {population} {field} {entry[field]} instead of {wanted}"
    said = entry.get("alleleFrequency")
    if said is not None and abs(said - true.frequency) > FREQUENCY_TOLERANCE:
        yield f"{name} {population} frequency {said} instead of {true.frequency:.6g}"
