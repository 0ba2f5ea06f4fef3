"""Compares what a node answered with what is true. Exactly: an answer is equal or it is not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rehearsal.evaluation.judgement import (
    Judgement,
    Tallies,
    country_tallies,
    expected_text,
    first_names,
    observed_text,
    state_text,
    tally_text,
)
from rehearsal.model import Answer, Query
from rehearsal.network.aggregate import (
    AlleleTally,
    count_of,
    node_frequencies,
    records,
    result_sets,
    says_exists,
)
from rehearsal.network.client import error_message
from rehearsal.truth.expected_answers import ExpectedAnswer

# Frequencies are written in decimal, some with six digits; the counts beside them are exact
FREQUENCY_TOLERANCE = 1e-6


def judge_answer(query: Query, expected: ExpectedAnswer, answer: Answer) -> Judgement:
    """Judge one node's answer. Anything but an answer (or, for an ill-formed query, a refusal
    with HTTP 400 and a Beacon error body) is not equal; no answer raises."""
    if expected.refused:
        return judge_refusal(answer)
    wanted = expected_text(answer.node, expected, query.granularity)
    if answer.state != "answered":
        observed = state_text(answer)
        return Judgement(False, wanted, observed, f"{observed}: {answer.reason}")
    try:
        differences = list(_differences(query, expected, answer))
        observed = observed_text(answer)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        differences, observed = [f"records that cannot be read: {error!r}"], "unreadable records"
    return Judgement.by(differences, wanted, observed)


def judge_refusal(answer: Answer) -> Judgement:
    """Judge what a node made of an ill-formed query: HTTP 400 and a Beacon error with a reason."""
    wanted = "refused (400)"
    observed = state_text(answer)
    if answer.state != "refused" or answer.http_status != 400:
        return Judgement.by([f"{observed} instead of {wanted}"], wanted, observed)
    return Judgement.by(error_faults((answer.body or {}).get("error")), wanted, observed)


def error_faults(error: Any) -> Iterable[str]:
    """What is wrong with the Beacon error of a refusal."""
    if not isinstance(error, dict) or error.get("errorCode") != 400:
        yield "no Beacon error body with errorCode 400"
    elif not str(error.get("errorMessage", "")).strip():
        yield f"an error without a reason ({error_message({'error': error})})"


def _differences(query: Query, expected: ExpectedAnswer, answer: Answer) -> Iterable[str]:
    granularity = query.granularity
    returned = (answer.body or {}).get("meta", {}).get("returnedGranularity")
    if returned != granularity:
        yield f"granularity {returned} instead of {granularity}"
    if says_exists(answer) != expected.exists:
        yield f"exists {says_exists(answer)} instead of {expected.exists}"
    count = count_of(answer)
    if granularity == "boolean":
        if count is not None:
            yield f"a count ({count}) though only presence was asked for"
        return
    if count != expected.count:
        yield f"count {count} instead of {expected.count}"
    if granularity == "record":
        yield from _record_differences(query, expected, answer)


def _record_differences(query: Query, expected: ExpectedAnswer, answer: Answer) -> Iterable[str]:
    yield from _result_set_differences(expected, answer)
    if query.entry_type == "individuals":
        yield from individual_differences(query, expected, answer)
    else:
        wanted = country_tallies(answer.node, expected)
        yield from allele_differences(wanted, node_frequencies(answer))
        yield from _frequency_faults(answer)


def _result_set_differences(expected: ExpectedAnswer, answer: Answer) -> Iterable[str]:
    """Datasets may hold the same entries, or share them out: neither can be more than there are,
    and together they must hold all."""
    counts = [int(item["resultsCount"]) for item in result_sets(answer)]
    if max(counts, default=0) > expected.count or sum(counts) < expected.count:
        yield f"result sets of {counts} instead of {expected.count}"


def individual_differences(query: Query, expected: ExpectedAnswer, answer: Answer) -> Iterable[str]:
    """What is wrong with the people whom an answer's records name."""
    names = [str(record["id"]) for record in records(answer)]
    yield from name_differences(query, expected.individuals, expected.count, names)


def name_differences(
    query: Query, wanted: Iterable[str], count: int, names: Sequence[str]
) -> Iterable[str]:
    """One page of names against the whole list, in any order. ``count``: how many there are."""
    limit = query.request["query"]["pagination"]["limit"]
    if len(set(names)) != len(names):
        yield "individuals named twice"
    if len(names) > limit:
        yield f"{len(names)} individuals on a page of {limit}"
    if strangers := sorted(set(names) - set(wanted)):
        yield f"{len(strangers)} individuals too many ({first_names(strangers)})"
    missing = min(limit, count) - len(set(names) & set(wanted))
    if missing > 0:
        rest = sorted(set(wanted) - set(names))
        yield f"{missing} individuals missing ({first_names(rest)})"


def allele_differences(wanted: Tallies, found: Tallies) -> Iterable[str]:
    """Alleles and populations of one of which more, less or something else is told."""
    for allele in sorted(wanted.keys() | found.keys()):
        name = "{}:{}>{}".format(*allele)
        if allele not in found:
            yield f"{name} missing"
        elif allele not in wanted:
            yield f"{name} too many"
        else:
            yield from _population_differences(name, wanted[allele], found[allele])


def _population_differences(
    name: str, wanted: Mapping[str, AlleleTally], found: Mapping[str, AlleleTally]
) -> Iterable[str]:
    for population in sorted(wanted.keys() | found.keys()):
        true, observed = wanted.get(population), found.get(population)
        if true != observed:
            yield f"{name} {population} {tally_text(observed)} instead of {tally_text(true)}"


def _frequency_faults(answer: Answer) -> Iterable[str]:
    """Frequencies that do not fit the counts beside them."""
    for record in records(answer):
        for source in record.get("frequencyInPopulations") or ():
            for entry in source["frequencies"]:
                true = entry["alleleCount"] / entry["alleleNumber"] if entry["alleleNumber"] else 0
                if abs(entry["alleleFrequency"] - true) > FREQUENCY_TOLERANCE:
                    yield f"{entry['population']} frequency {entry['alleleFrequency']} for {true}"
