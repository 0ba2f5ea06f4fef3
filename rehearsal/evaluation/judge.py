"""Compares what came with what is true. Exactly: an answer is equal or it is not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rehearsal.model import AlleleCounts, Answer, AnswerState, Query
from rehearsal.network.aggregate import (
    AlleleKey,
    AlleleTally,
    NetworkAnswer,
    count_of,
    group_totals,
    node_frequencies,
    records,
    result_sets,
    says_exists,
)
from rehearsal.network.client import error_message
from rehearsal.truth.expected_answers import ExpectedAnswer

# Frequencies are written in decimal, some with six digits; the counts beside them are exact
FREQUENCY_TOLERANCE = 1e-6
SHOWN = 3  # variants or individuals named in a text

Tallies = dict[AlleleKey, dict[str, AlleleTally]]


@dataclass(frozen=True, slots=True)
class Judgement:
    """Whether an answer is what it must be. ``difference`` is empty when it is."""

    equal: bool
    expected: str
    observed: str
    difference: str = ""


def judge(query: Query, expected: ExpectedAnswer, answer: Answer) -> Judgement:
    """Judge one node's answer. Anything but an answer (or, for an ill-formed query, a refusal
    with HTTP 400 and a Beacon error body) is not equal; no answer raises."""
    granularity = str(query.request["query"]["requestedGranularity"])
    if expected.refused:
        return judge_refusal(answer)
    wanted = expected_text(answer.node, expected, granularity)
    if answer.state != "answered":
        return Judgement(
            False, wanted, said_state(answer), f"{said_state(answer)}: {answer.reason}"
        )
    try:
        differences = list(_differences(query, granularity, expected, answer))
        observed = observed_text(answer)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        differences, observed = [f"records that cannot be read: {error!r}"], "unreadable records"
    return Judgement(not differences, wanted, observed, "; ".join(differences))


def judge_refusal(answer: Answer) -> Judgement:
    """Judge what a node made of an ill-formed query: HTTP 400 and a Beacon error with a reason."""
    wanted = "refused (400)"
    observed = said_state(answer)
    differences = []
    if answer.state != "refused" or answer.http_status != 400:
        differences.append(f"{observed} instead of {wanted}")
    else:
        differences += _error_faults((answer.body or {}).get("error"))
    return Judgement(not differences, wanted, observed, "; ".join(differences))


def _error_faults(error: Any) -> Iterable[str]:
    if not isinstance(error, dict) or error.get("errorCode") != 400:
        yield "no Beacon error body with errorCode 400"
    elif not str(error.get("errorMessage", "")).strip():
        yield f"an error without a reason ({error_message({'error': error})})"


def _differences(
    query: Query, granularity: str, expected: ExpectedAnswer, answer: Answer
) -> Iterable[str]:
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
        yield from _result_set_differences(expected, answer)
        if query.entry_type == "individuals":
            yield from individual_differences(query, expected, answer)
        else:
            yield from _allele_differences(
                _country_tallies(answer.node, expected), node_frequencies(answer)
            )
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
    yield from _name_differences(query, expected.individuals, expected.count, names)


def _name_differences(
    query: Query, wanted: Iterable[str], count: int, names: Sequence[str]
) -> Iterable[str]:
    """One page of names against the whole list, in any order. ``count``: how many there are."""
    limit = query.request["query"]["pagination"]["limit"]
    if len(set(names)) != len(names):
        yield "individuals named twice"
    if len(names) > limit:
        yield f"{len(names)} individuals on a page of {limit}"
    if strangers := sorted(set(names) - set(wanted)):
        yield f"{len(strangers)} individuals too many ({_some(strangers)})"
    missing = min(limit, count) - len(set(names) & set(wanted))
    if missing > 0:
        rest = sorted(set(wanted) - set(names))
        yield f"{missing} individuals missing ({_some(rest)})"


def _allele_differences(wanted: Tallies, found: Tallies) -> Iterable[str]:
    for allele in sorted(wanted.keys() | found.keys()):
        name = "{}:{}>{}".format(*allele)
        if allele not in found:
            yield f"{name} missing"
        elif allele not in wanted:
            yield f"{name} too many"
        else:
            yield from _population_differences(name, wanted[allele], found[allele])


def _population_differences(
    name: str, wanted: dict[str, AlleleTally], found: dict[str, AlleleTally]
) -> Iterable[str]:
    for population in sorted(wanted.keys() | found.keys()):
        true, said = wanted.get(population), found.get(population)
        if true != said:
            yield f"{name} {population} {_tally_text(said)} instead of {_tally_text(true)}"


def _frequency_faults(answer: Answer) -> Iterable[str]:
    """Frequencies that do not fit the counts beside them."""
    for record in records(answer):
        for source in record.get("frequencyInPopulations") or ():
            for entry in source["frequencies"]:
                true = entry["alleleCount"] / entry["alleleNumber"] if entry["alleleNumber"] else 0
                if abs(entry["alleleFrequency"] - true) > FREQUENCY_TOLERANCE:
                    yield f"{entry['population']} frequency {entry['alleleFrequency']} for {true}"


def judge_network(
    query: Query, expected: Mapping[str, ExpectedAnswer], joined: NetworkAnswer
) -> Judgement:
    """Judge the joined answer against the truth of the countries whose nodes were asked.

    A joined answer that lacks a node's part is not equal, even where the sums happen to agree.
    """
    asked = {country: expected[country] for country in joined.states}
    refused = any(item.refused for item in asked.values())
    state: AnswerState = "refused" if refused else "answered"
    missing = [node for node, said in joined.states.items() if said != state]
    differences = [
        f"{joined.states[node]}: {node} {joined.reasons.get(node, '')}" for node in missing
    ]
    observed = f"{len(asked) - len(missing)} of {len(asked)} nodes {state}"
    if refused:
        wanted = f"{len(asked)} of {len(asked)} nodes refused, the network too (400)"
        observed = f"{observed}, the network said {joined.http_status}"
        if joined.http_status != 400:
            differences.append(f"the network said {joined.http_status} instead of 400")
        else:
            differences += [f"the network: {fault}" for fault in _error_faults(joined.error)]
        return Judgement(not differences, wanted, observed, "; ".join(differences))
    granularity = str(query.request["query"]["requestedGranularity"])
    tallies = _network_tallies(asked)
    exists, count = any(e.exists for e in asked.values()), sum(e.count for e in asked.values())
    differences += _network_differences(query, granularity, exists, count, tallies, joined)
    if granularity == "record" and query.entry_type == "individuals":
        differences += _joined_individual_differences(query, asked, joined)
    counted = granularity != "boolean"
    wanted = _text(exists, count if counted else None, tallies)
    said = _text(joined.exists, joined.count if counted else None, joined.frequencies)
    observed = said if not missing else f"{said} ({observed})"
    return Judgement(not differences, wanted, observed, "; ".join(differences))


def _network_differences(
    query: Query,
    granularity: str,
    exists: bool,
    count: int,
    tallies: Tallies,
    joined: NetworkAnswer,
) -> Iterable[str]:
    if joined.exists != exists:
        yield f"exists {joined.exists} instead of {exists}"
    if granularity != "boolean" and joined.uncounted:
        yield f"no count from {_some(joined.uncounted)}"
    if granularity != "boolean" and joined.count != count:
        yield f"count {joined.count} instead of {count}"
    if granularity == "record" and query.entry_type == "g_variants":
        yield from _allele_differences(tallies, joined.frequencies)


def _joined_individual_differences(
    query: Query, asked: Mapping[str, ExpectedAnswer], joined: NetworkAnswer
) -> Iterable[str]:
    """The people of all nodes that give records, named once each, and by their own node.

    Who they are is told by node and name, so that no two nodes' people are taken for one.
    """
    wanted = [f"{node}/{name}" for node, item in asked.items() for name in item.individuals]
    names = [f"{node}/{record.get('id')}" for node, record in joined.records]
    yield from _name_differences(query, wanted, len(wanted), names)


def network_state(joined: NetworkAnswer) -> AnswerState:
    """One state for the joined answer: the worst of its nodes'."""
    states = set(joined.states.values())
    order: tuple[AnswerState, ...] = ("late", "failed", "refused", "answered")
    return next((state for state in order if state in states), "answered")


def _country_tallies(country: str, expected: ExpectedAnswer) -> Tallies:
    """The counts of alleles that a country's records must give, by allele and population."""
    return {
        (variant.start, variant.ref, variant.alt): {
            f"{country}{group}": in_alleles(counts)
            for group, counts in groups.items()
            if counts.an  # no frequency without a called allele, such as of women on Y
        }
        for variant, groups in expected.alleles.items()
    }


def _network_tallies(expected: Mapping[str, ExpectedAnswer]) -> Tallies:
    tallies: Tallies = {}
    for country, item in expected.items():
        for allele, populations in _country_tallies(country, item).items():
            tallies.setdefault(allele, {}).update(populations)
    return tallies


def in_alleles(counts: AlleleCounts) -> AlleleTally:
    """Counts of people as a Beacon gives them: a homozygous person has two alleles."""
    return AlleleTally(counts.ac, counts.an, 2 * counts.hom, counts.het, counts.hemi)


# --- texts for people ---


def expected_text(country: str, expected: ExpectedAnswer, granularity: str) -> str:
    """What a country must say, in a few words."""
    count = expected.count if granularity != "boolean" else None
    return _text(expected.exists, count, _country_tallies(country, expected))


def observed_text(answer: Answer) -> str:
    """What a node said, in a few words."""
    return _text(says_exists(answer), count_of(answer), node_frequencies(answer))


def _text(exists: bool | None, count: int | None, tallies: Tallies) -> str:
    parts = ["unknown" if exists is None else "yes" if exists else "no"]
    if count is not None:
        parts.append(f"count {count}")
    if len(tallies) == 1:  # an allele-frequency look-up
        (populations,) = tallies.values()
        parts.append(_tally_text(group_totals(populations).get("")))
    return ", ".join(parts)


def _tally_text(tally: AlleleTally | None) -> str:
    if tally is None:
        return "nothing"
    copies = f"{tally.homozygous} hom, {tally.heterozygous} het, {tally.hemizygous} hemi"
    return f"{tally.count}/{tally.number} alleles ({copies})"


def said_state(answer: Answer) -> str:
    """What became of a request: state and HTTP status."""
    status = answer.http_status
    return answer.state if status is None else f"{answer.state} ({status})"


def _some(names: Iterable[str]) -> str:
    listed = list(names)
    return ", ".join(listed[:SHOWN]) + (", ..." if len(listed) > SHOWN else "")
