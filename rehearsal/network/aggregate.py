"""Aggregate the nodes' answers to one query into the network's answer, exactly."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rehearsal.errors import cause, mismatch, shown
from rehearsal.model import Answer, AnswerState, Query


@dataclass(frozen=True, slots=True)
class AlleleTally:
    """The counts of one allele in one population, as a Beacon reports them. All count ALLELES.

    ``homozygous + heterozygous + hemizygous == count``: a person with two copies adds 2 to
    ``homozygous``.

    Args:
        count: Copies of the allele.
        number: Called alleles.
        homozygous: Copies in homozygous people.
        heterozygous: Copies in heterozygous people.
        hemizygous: Copies in hemizygous people.
    """

    count: int
    number: int  # alleles called
    homozygous: int
    heterozygous: int
    hemizygous: int

    def __add__(self, other: AlleleTally) -> AlleleTally:
        return AlleleTally(
            self.count + other.count,
            self.number + other.number,
            self.homozygous + other.homozygous,
            self.heterozygous + other.heterozygous,
            self.hemizygous + other.hemizygous,
        )

    @property
    def frequency(self) -> float:
        """Allele frequency; 0.0 where no allele was called."""
        return self.count / self.number if self.number else 0.0


# (start, reference bases, alternate bases or symbolic allele, end, length), on the contig of the
# query; end and length are 0 for all but structural variants, whose alleles do not tell them
AlleleKey = tuple[int, str, str, int, int]


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
        ``numTotalResults``; None at boolean granularity.
    """
    return _summary(answer).get("numTotalResults")


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


def record_frequencies(record: dict[str, Any]) -> dict[str, AlleleTally]:
    """Read the allele counts of one variant by population, for example ``FI``, ``FI_M``, ``FI_F``.

    Args:
        record: Beacon record of a variant.

    Returns:
        Counts by population.

    Raises:
        KeyError: The record lacks counts.
        ValueError: A count is not a whole number.
    """
    tallies: dict[str, AlleleTally] = {}
    for source in record.get("frequencyInPopulations") or ():
        for entry in source["frequencies"]:
            tallies[entry["population"]] = AlleleTally(
                _whole(entry["alleleCount"]),
                _whole(entry["alleleNumber"]),
                _whole(entry["alleleCountHomozygous"]),
                _whole(entry["alleleCountHeterozygous"]),
                _whole(entry["alleleCountHemizygous"]),
            )
    return tallies


def _whole(value: float) -> int:
    """Read an allele count. The JSON examples of the standard write whole numbers as ``7102.0``."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value):
        raise ValueError(mismatch("allele count", "a whole number", shown(value)))
    return int(value)


def allele_key(record: dict[str, Any]) -> AlleleKey:
    """Identify the allele of a variant's record.

    Args:
        record: Beacon record of a variant.

    Returns:
        Start (0-based), reference bases, alternate bases or the symbolic allele, and, of a
        structural variant with a length, its end (0-based, exclusive) and length. Those of a
        ``CopyNumberChange`` of VRS, which has no bases, are of the VCF allele in ``info`` if there
        is one.

    Raises:
        KeyError: The record has no such ``variation``.
    """
    variation = record["variation"]
    if variation.get("type") == "CopyNumberChange":
        return _copy_number_key(variation, record.get("info", {}))
    interval, length = variation["location"]["interval"], variation.get("length")
    return (
        int(interval["start"]["value"]),
        variation["referenceBases"],
        variation.get("symbolicAllele") or variation["alternateBases"],
        int(interval["end"]["value"]) if length else 0,
        int(length) if length else 0,
    )


def _copy_number_key(variation: dict[str, Any], vcf: dict[str, Any]) -> AlleleKey:
    """Identify a copy number by the base before it, as VCF does."""
    interval = variation["subject"]["interval"]
    start, end = (int(interval[bound]["value"]) for bound in ("start", "end"))
    allele = vcf.get("symbolicAllele") or variation["copy_change"]
    return start - 1, vcf.get("referenceBases", ""), allele, end, end - start


def node_frequencies(answer: Answer) -> dict[AlleleKey, dict[str, AlleleTally]]:
    """Read the allele counts of all variants that a node returned.

    Args:
        answer: The node's answer.

    Returns:
        Counts by allele and population.

    Raises:
        KeyError: A record lacks a key.
        TypeError: A part of a record has another type.
        ValueError: A count is not a whole number.
    """
    found: dict[AlleleKey, dict[str, AlleleTally]] = {}
    for record in records(answer):
        if tallies := record_frequencies(record):
            found.setdefault(allele_key(record), {}).update(tallies)
    return found


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
        except (KeyError, TypeError, ValueError) as error:
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
        suffix = population[-2:] if population.endswith(("_F", "_M")) else ""
        before = totals.get(suffix)
        totals[suffix] = tally if before is None else before + tally
    return totals
