"""Aggregate the nodes' answers to one query into the network's answer, exactly."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rehearsal.errors import cause, mismatch
from rehearsal.model import Answer, AnswerState, Query
from rehearsal.network.variant_records import (
    AlleleKey,
    AlleleTally,
    allele_key,
    group_of,
    record_frequencies,
)

UNREADABLE = (AttributeError, KeyError, TypeError, ValueError)  # raised by records of another form


@dataclass(frozen=True, slots=True)
class NetworkAnswer:
    """The aggregated answer, with the part of every node.

    Args:
        query: Id of the query.
        states: State of each node, by country code.
        reasons: Why the part of a node is missing, by country code.
        exists: Whether any node has a match. None: no node answered.
        count: Sum of the nodes' counts.
        uncounted: Nodes that have a match but gave no count. ``count`` is then a lower bound.
        frequencies: Allele counts by allele and population.
        records: Pairs of country and record, in order of country, dataset and the node's own order,
            whatever the order of arrival.
        latency_s: Latency of the slowest node, in seconds.
        size_bytes: Size of all answers, in bytes.
        http_status: HTTP status of the network service. None: the answer was aggregated here.
        error: Beacon error of the network service, if any.
    """

    query: str
    states: dict[str, AnswerState]
    reasons: dict[str, str]
    exists: bool | None
    count: int
    uncounted: tuple[str, ...]
    frequencies: dict[AlleleKey, dict[str, AlleleTally]]
    records: tuple[tuple[str, dict[str, Any]], ...] = field(repr=False)
    latency_s: float
    size_bytes: int
    # status and Beacon error of the network service; None when aggregated here
    http_status: int | None = None
    error: dict[str, Any] | None = None

    @property
    def complete(self) -> bool:
        """Whether every node answered, so that the sums lack nothing."""
        return all(state == "answered" for state in self.states.values())


def aggregate_answers(query: Query, answers: Sequence[Answer]) -> NetworkAnswer:
    """Aggregate one answer per node. Sums are of integers, so they are exact.

    Args:
        query: The query that was sent.
        answers: One answer per node, in any order.

    Returns:
        The aggregated answer.

    Raises:
        ValueError: A node occurs twice or answered another query.
    """
    _check_one_a_node(query, answers)
    in_order = sorted(answers, key=lambda answer: answer.node)
    answered = [answer for answer in in_order if answer.state == "answered"]
    exists, count, uncounted = totals(answered)
    frequencies, unusable = add_frequencies(answered)
    reasons = {answer.node: answer.reason for answer in in_order if answer.reason}
    return NetworkAnswer(
        query=query.id,
        states={answer.node: answer.state for answer in in_order},
        reasons=reasons | unusable,
        exists=exists,
        count=count,
        uncounted=uncounted,
        frequencies=frequencies,
        records=tuple((answer.node, record) for answer in answered for record in records(answer)),
        latency_s=max((answer.latency_s for answer in answers), default=0.0),
        size_bytes=sum(answer.size_bytes for answer in answers),
    )


def _check_one_a_node(query: Query, answers: Sequence[Answer]) -> None:
    nodes = [answer.node for answer in answers]
    if len(set(nodes)) != len(nodes) or any(answer.query != query.id for answer in answers):
        found = "a repeated node or an answer to another query"
        raise ValueError(mismatch(f"query {query.id}", "one answer per node", found))


def totals(answered: Sequence[Answer]) -> tuple[bool | None, int, tuple[str, ...]]:
    """Add up the nodes' counts. Counts are integers, so the sum is exact.

    Args:
        answered: Answers of the nodes that answered.

    Returns:
        Whether any node has a match (None: no node answered), the sum of the counts, and the nodes
        that have a match but gave no count.
    """
    hits = [answer for answer in answered if says_exists(answer)]
    count = sum(count_of(answer) or 0 for answer in answered)
    uncounted = tuple(answer.node for answer in hits if count_of(answer) is None)
    return bool(hits) if answered else None, count, uncounted


def _summary(answer: Answer) -> dict[str, Any]:
    summary = (answer.body or {}).get("responseSummary")
    return summary if isinstance(summary, dict) else {}


def says_exists(answer: Answer) -> bool:
    """Tell whether a node reported a match.

    Args:
        answer: The node's answer.

    Returns:
        ``responseSummary.exists``, False when it is missing.
    """
    return bool(_summary(answer).get("exists"))


def count_of(answer: Answer) -> int | None:
    """Return the count that a node reported.

    Args:
        answer: The node's answer.

    Returns:
        ``numTotalResults``. Without it, ``resultsCount`` of the only result set with a match:
        several sets may hold the same entries. None if the node tells neither, as at boolean
        granularity.
    """
    total: int | None = _summary(answer).get("numTotalResults")
    if total is not None:
        return total
    told = [one.get("resultsCount") for one in result_sets(answer) if one.get("exists", True)]
    only = told[0] if len(told) == 1 else None
    return only if isinstance(only, int) and not isinstance(only, bool) and only >= 0 else None


def result_sets(answer: Answer) -> list[dict[str, Any]]:
    """List the result sets of a node.

    Args:
        answer: The node's answer.

    Returns:
        One result set per dataset; empty at boolean and count granularity.
    """
    response = (answer.body or {}).get("response")
    sets = response.get("resultSets") if isinstance(response, dict) else None
    return [item for item in sets if isinstance(item, dict)] if isinstance(sets, list) else []


def records(answer: Answer) -> Iterator[dict[str, Any]]:
    """Yield the records of a node, by id of their dataset, then in the node's order.

    Args:
        answer: The node's answer.

    Yields:
        Beacon records.
    """
    for result_set in sorted(result_sets(answer), key=lambda item: str(item.get("id"))):
        for record in result_set.get("results") or ():
            if isinstance(record, dict):
                yield record


def node_frequencies(answer: Answer) -> dict[AlleleKey, dict[str, AlleleTally]]:
    """Read the allele counts of all variants that a node returned.

    Args:
        answer: The node's answer.

    Returns:
        Counts by allele and population.

    Raises:
        AttributeError: A part of a record is no object.
        KeyError: A record lacks a key.
        TypeError: A part of a record has another type.
        ValueError: A count is not a whole number.
    """
    found: dict[AlleleKey, dict[str, AlleleTally]] = {}
    for record in records(answer):
        if tallies := record_frequencies(record):
            found.setdefault(allele_key(record), {}).update(tallies)
    return found


def readable_frequencies(answer: Answer) -> dict[AlleleKey, dict[str, AlleleTally]]:
    """Read the allele counts of a node as far as they can be read, to show them.

    Args:
        answer: The node's answer.

    Returns:
        Counts by allele and population; nothing if the records cannot be read.
    """
    try:
        return node_frequencies(answer)
    except UNREADABLE:
        return {}


def add_frequencies(
    answered: Sequence[Answer],
) -> tuple[dict[AlleleKey, dict[str, AlleleTally]], dict[str, str]]:
    """Add up the allele counts of all nodes.

    Args:
        answered: Answers of the nodes that answered.

    Returns:
        Counts by allele and population, added up where several nodes report one population; and the
        nodes whose records cannot be used, with the reason.
    """
    joined: dict[AlleleKey, dict[str, AlleleTally]] = {}
    unusable: dict[str, str] = {}
    for answer in answered:
        try:
            found = node_frequencies(answer)
        except UNREADABLE as error:
            unusable[answer.node] = f"records without usable counts: {cause(error)}"
            continue
        for allele, tallies in found.items():
            populations = joined.setdefault(allele, {})
            for population, tally in tallies.items():
                before = populations.get(population)
                populations[population] = tally if before is None else before + tally
    return joined, unusable


def group_totals(tallies: Mapping[str, AlleleTally]) -> dict[str, AlleleTally]:
    """Add up allele counts of the whole network by group.

    Args:
        tallies: Counts by population.

    Returns:
        Counts by suffix of the population: ``""`` all people, ``_F`` women, ``_M`` men.
    """
    totals: dict[str, AlleleTally] = {}
    for population, tally in tallies.items():
        suffix = group_of(population)
        before = totals.get(suffix)
        totals[suffix] = tally if before is None else before + tally
    return totals
