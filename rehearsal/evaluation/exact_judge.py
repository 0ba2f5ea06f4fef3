"""Judges a node's answer against the truth, exactly: an answer is equal or it is not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rehearsal.errors import cause
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
    UNREADABLE,
    count_of,
    node_frequencies,
    records,
    result_sets,
    says_exists,
)
from rehearsal.network.answer_reader import error_message
from rehearsal.network.variant_records import AlleleTally, frequency_entries
from rehearsal.truth.expected_answers import ExpectedAnswer

# Frequencies are written in decimal, some with six digits; counts are exact
FREQUENCY_TOLERANCE = 1e-6


def judge_answer(query: Query, expected: ExpectedAnswer, answer: Answer) -> Judgement:
    """Judge one node's answer.

    Only an answer can be equal, or, for an ill-formed query, a refusal with HTTP 400 and a Beacon
    error body. Unreadable content is a difference, not an exception.

    Args:
        query: The query.
        expected: The right answer of the node's country.
        answer: The node's answer.
    """
    if expected.refused:
        return judge_refusal(answer)
    wanted = expected_text(answer.node, expected, query.granularity)
    if answer.state != "answered":
        return Judgement.without_answer(answer, wanted)
    try:
        differences = list(_differences(query, expected, answer))
        observed = observed_text(answer)
    except UNREADABLE as error:
        differences, observed = [f"unreadable records: {cause(error)}"], "unreadable records"
    return Judgement.by(differences, wanted, observed)


def judge_refusal(answer: Answer) -> Judgement:
    """Judge the reply to an ill-formed query: it must be HTTP 400 and a Beacon error with a reason.

    Without a reply the verdict is the state, as for any other query.

    Args:
        answer: The node's answer.
    """
    wanted = "refused (400)"
    observed = state_text(answer)
    if answer.state in ("late", "failed"):
        return Judgement.without_answer(answer, wanted)
    if answer.state != "refused" or answer.http_status != 400:
        return Judgement.by([f"{observed} instead of {wanted}"], wanted, observed)
    return Judgement.by(error_faults((answer.body or {}).get("error")), wanted, observed)


def error_faults(error: Any) -> Iterable[str]:
    """Yield the faults of the Beacon error in a refusal.

    Args:
        error: Content of the key ``error``.
    """
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
            yield f"a count ({count}) although only presence was asked for"
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
    """Yield differences of the result sets.

    Datasets may hold the same entries or share them out. None can hold more than there are, and
    together they must hold all.
    """
    counts = [int(item["resultsCount"]) for item in result_sets(answer)]
    if max(counts, default=0) > expected.count or sum(counts) < expected.count:
        yield f"result sets of {counts} instead of {expected.count}"


def individual_differences(query: Query, expected: ExpectedAnswer, answer: Answer) -> Iterable[str]:
    """Yield differences of the people in an answer's records.

    Args:
        query: The query.
        expected: The right answer.
        answer: The node's answer.
    """
    names = [str(record["id"]) for record in records(answer)]
    yield from name_differences(query, expected.individuals, expected.count, names)


def name_differences(
    query: Query, wanted: Iterable[str], count: int, names: Sequence[str]
) -> Iterable[str]:
    """Compare one page of names, in any order, with the whole list.

    Args:
        query: The query, which has the size of the page.
        wanted: All right names.
        count: The right number of people.
        names: The names on the page.
    """
    limit = query.request["query"]["pagination"]["limit"]
    if len(set(names)) != len(names):
        yield "individuals named twice"
    if len(names) > limit:
        yield f"{len(names)} individuals on a page of {limit}"
    if strangers := sorted(set(names) - set(wanted)):
        yield f"unexpected individuals: {len(strangers)} ({first_names(strangers)})"
    missing = min(limit, count) - len(set(names) & set(wanted))
    if missing > 0:
        rest = sorted(set(wanted) - set(names))
        yield f"missing individuals: {missing} ({first_names(rest)})"


def allele_differences(wanted: Tallies, found: Tallies) -> Iterable[str]:
    """Yield the alleles and populations that are missing, unexpected or different.

    Args:
        wanted: The right counts, by allele and population.
        found: The counts of the answer, by allele and population.
    """
    for allele in sorted(wanted.keys() | found.keys()):
        name = "{}:{}>{}".format(*allele)
        if allele not in found:
            yield f"{name} missing"
        elif allele not in wanted:
            yield f"{name} unexpected"
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
    """Yield frequencies that do not fit their own counts."""
    for record in records(answer):
        for population, entry in frequency_entries(record):
            true = entry["alleleCount"] / entry["alleleNumber"] if entry["alleleNumber"] else 0
            if abs(entry["alleleFrequency"] - true) > FREQUENCY_TOLERANCE:
                yield f"{population} frequency {entry['alleleFrequency']} for {true}"
