"""Judges the answers of any Beacon: what it gives must be right, and what it leaves out is noted.

``judge_answer`` demands everything that our own nodes give. Here presence, counts, records and
frequencies are each compared with the truth as far as an answer has them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from rehearsal.errors import cause
from rehearsal.evaluation.exact_judge import (
    FREQUENCY_TOLERANCE,
    individual_differences,
    judge_answer,
)
from rehearsal.evaluation.judgement import Judgement, allele_tally, expected_text
from rehearsal.model import GRANULARITIES, Answer, Granularity, Query
from rehearsal.network.aggregate import (
    AlleleTally,
    allele_key,
    count_of,
    records,
    says_exists,
)
from rehearsal.network.beacon_response import returned_granularity
from rehearsal.truth.expected_answers import GROUPS, ExpectedAnswer

SHOWN = 3  # differences in one text
# Optional counts of an allele in a population: field of the answer, field of the truth
COUNTED = {
    "alleleCount": "count",
    "alleleNumber": "number",
    "alleleCountHomozygous": "homozygous",
    "alleleCountHeterozygous": "heterozygous",
    "alleleCountHemizygous": "hemizygous",
}

AlleleName = tuple[int, str, str]  # without length and end, which other Beacons may leave out
GivenFrequency = tuple[AlleleName, str, Mapping[str, Any]]  # allele, population, its entry
TalliesByPopulation = Mapping[str, Mapping[AlleleName, AlleleTally]]


@dataclass(frozen=True, slots=True)
class PartialJudgement:
    """A judgement, and what it is based on.

    ``judged_on`` is ``presence``, ``count``, ``variants``, ``frequencies`` or ``people``. It is
    empty if there was no answer.
    """

    judgement: Judgement
    judged_on: str


def with_granularity(query: Query, granularity: Granularity) -> Query:
    """Return the same query at another granularity.

    Args:
        query: The query.
        granularity: The other granularity.
    """
    body = {**query.request["query"], "requestedGranularity": granularity}
    return replace(query, request={**query.request, "query": body})


def given_granularity(query: Query, answer: Answer) -> Granularity:
    """Return the granularity of the answer, at most the one that was asked for.

    Args:
        query: The query.
        answer: The node's answer.
    """
    asked = query.granularity
    if answer.state != "answered" or asked not in GRANULARITIES:
        return asked
    return min(asked, returned_granularity(answer), key=GRANULARITIES.index)


def judge_partial_answer(
    query: Query, expected: Mapping[str, ExpectedAnswer], place: str, answer: Answer
) -> PartialJudgement:
    """Judge the answer of a Beacon that holds the people of one place.

    Args:
        query: The query.
        expected: Right answers by place. A population with the name of another place is compared
            with that place.
        place: The place whose people the Beacon holds.
        answer: The Beacon's answer.
    """
    granularity = given_granularity(query, answer)
    if answer.state != "answered":
        return PartialJudgement(judge_answer(query, expected[place], answer), "")
    if granularity != "record":
        judgement = judge_answer(with_granularity(query, granularity), expected[place], answer)
        return PartialJudgement(judgement, "presence" if granularity == "boolean" else "count")
    try:
        judged_on, differences = _judge_records(query, expected, place, answer)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        judged_on, differences = "", [f"unreadable records: {cause(error)}"]
    shown = differences[:SHOWN] + ["..."] * (len(differences) > SHOWN)
    wanted = expected_text(place, expected[place], "count")
    return PartialJudgement(Judgement.by(shown, wanted, _observed(answer)), judged_on)


def _observed(answer: Answer) -> str:
    exists = "yes" if says_exists(answer) else "no"
    count = count_of(answer)
    return exists if count is None else f"{exists}, count {count}"


def _judge_records(
    query: Query, expected: Mapping[str, ExpectedAnswer], place: str, answer: Answer
) -> tuple[str, list[str]]:
    """Return what the records were judged on, and their differences."""
    true = expected[place]
    differences = list(_summary_differences(true, answer))
    if query.entry_type == "individuals":
        return "people", differences + list(individual_differences(query, true, answer))
    by_key = [(allele_key(record)[:3], record) for record in records(answer)]
    wanted = {(one.start, one.ref, one.alt) for one in true.alleles}
    limit = query.request["query"]["pagination"]["limit"]
    differences += _variant_differences(wanted, {key for key, _ in by_key}, limit)
    given = [(key, *entry) for key, record in by_key for entry in _frequencies(record)]
    right = [entry for entry in given if entry[0] in wanted]
    differences += _frequency_differences(right, _tallies(expected, place))
    return "frequencies" if given else "variants", differences


def _summary_differences(true: ExpectedAnswer, answer: Answer) -> Iterable[str]:
    if says_exists(answer) != true.exists:
        yield f"exists {says_exists(answer)} instead of {true.exists}"
    if count_of(answer) not in (None, true.count):
        yield f"count {count_of(answer)} instead of {true.count}"


def _variant_differences(
    wanted: set[AlleleName], found: set[AlleleName], limit: int
) -> Iterable[str]:
    """Yield unexpected and missing variants. On a full page none is missing."""
    yield from (f"{_name(key)} unexpected" for key in sorted(found - wanted))
    if len(found) < limit:
        yield from (f"{_name(key)} missing" for key in sorted(wanted - found))


def _frequency_differences(
    given: Iterable[GivenFrequency], tallies: TalliesByPopulation
) -> Iterable[str]:
    for key, population, entry in given:
        usual = population[-2:] if population.endswith(GROUPS[1:]) else ""
        group = tallies.get(population, tallies[usual])
        yield from _entry_differences(_name(key), population, entry, group.get(key))


def _name(key: AlleleName) -> str:
    return "{}:{}>{}".format(*key)


def _tallies(
    expected: Mapping[str, ExpectedAnswer], place: str
) -> dict[str, dict[AlleleName, AlleleTally]]:
    """Return the right counts of each allele by population.

    ``""``, ``_F`` and ``_M`` are the populations of the place itself, whatever the Beacon calls
    them. Others have the names of their places.
    """
    tallies: dict[str, dict[AlleleName, AlleleTally]] = {}
    for prefix, source in (("", place), *((name, name) for name in expected)):
        for group in GROUPS:
            tallies[prefix + group] = {
                (one.start, one.ref, one.alt): allele_tally(groups[group])
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
    """Compare counts exactly, and a frequency up to rounding."""
    true = AlleleTally(0, 0, 0, 0, 0) if true is None else true
    for field, of_truth in COUNTED.items():
        wanted = getattr(true, of_truth)
        if entry.get(field) is not None and entry[field] != wanted:
            yield f"{name} {population} {field} {entry[field]} instead of {wanted}"
    given = entry.get("alleleFrequency")
    if given is not None and abs(given - true.frequency) > FREQUENCY_TOLERANCE:
        yield f"{name} {population} frequency {given} instead of {true.frequency:.6g}"
