"""Aggregates the nodes' answers to one query into the network's answer, exactly."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rehearsal.model import Answer, AnswerState, Query


@dataclass(frozen=True, slots=True)
class AlleleTally:
    """What a Beacon says of one allele in one population. All are numbers of ALLELES.

    ``homozygous + heterozygous + hemizygous == count``: a person with two copies adds 2 to
    ``homozygous``.
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
        """Allele frequency; 0.0 where nothing was called."""
        return self.count / self.number if self.number else 0.0


# (start, reference bases, alternate bases); the contig is the one that was asked about
AlleleKey = tuple[int, str, str]


@dataclass(frozen=True, slots=True)
class NetworkAnswer:
    """The aggregated answer, with every node's part in it.

    ``exists`` is None when no node answered. ``count`` is the sum of the nodes' counts;
    ``uncounted`` names the nodes that said yes without a number, so ``count`` is then a lower
    bound. ``reasons`` says why a node's part is missing. ``records`` are (country, record) in
    order of country, dataset and the node's own order, whatever the order of arrival.
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
    # the network's own status and Beacon error; an answer that was aggregated here has neither
    http_status: int | None = None
    error: dict[str, Any] | None = None

    @property
    def complete(self) -> bool:
        """Whether every node answered, so that nothing is missing from the sums."""
        return all(state == "answered" for state in self.states.values())


def aggregate_answers(query: Query, answers: Sequence[Answer]) -> NetworkAnswer:
    """Aggregate one answer a node. Sums are of integers, so they are exact.

    Raises ValueError when a node stands twice or answered another query.
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
        raise ValueError(f"{query.id}: expected one answer a node to this query")


def totals(answered: Sequence[Answer]) -> tuple[bool | None, int, tuple[str, ...]]:
    """Whether anybody holds it (None: nobody answered), how many, and who said yes but not how
    many. Integers are added, so the sum is exact."""
    hits = [answer for answer in answered if says_exists(answer)]
    count = sum(count_of(answer) or 0 for answer in answered)
    uncounted = tuple(answer.node for answer in hits if count_of(answer) is None)
    return bool(hits) if answered else None, count, uncounted


def _summary(answer: Answer) -> dict[str, Any]:
    summary = (answer.body or {}).get("responseSummary")
    return summary if isinstance(summary, dict) else {}


def says_exists(answer: Answer) -> bool:
    """Whether a node said that it holds what was asked for."""
    return bool(_summary(answer).get("exists"))


def count_of(answer: Answer) -> int | None:
    """The node's ``numTotalResults``; None at boolean granularity."""
    return _summary(answer).get("numTotalResults")


def result_sets(answer: Answer) -> list[dict[str, Any]]:
    """The node's result sets, one a dataset; empty at boolean and count granularity."""
    response = (answer.body or {}).get("response")
    sets = response.get("resultSets") if isinstance(response, dict) else None
    return [item for item in sets if isinstance(item, dict)] if isinstance(sets, list) else []


def records(answer: Answer) -> Iterator[dict[str, Any]]:
    """The node's records, datasets in order of their id, in the node's order within."""
    for result_set in sorted(result_sets(answer), key=lambda item: str(item.get("id"))):
        for record in result_set.get("results") or ():
            if isinstance(record, dict):
                yield record


def record_frequencies(record: dict[str, Any]) -> dict[str, AlleleTally]:
    """The allele counts of one variant's record by population, e.g. ``FI``, ``FI_M``, ``FI_F``.

    Raises KeyError or ValueError for a record that lacks counts or whose counts are no integers.
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
    """An allele count; the look-up's JSON examples write whole numbers as ``7102.0``."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value):
        raise ValueError(f"expected a whole number of alleles, not {value!r}")
    return int(value)


def allele_key(record: dict[str, Any]) -> AlleleKey:
    """Start (0-based), reference and alternate bases of a variant's record.

    Raises KeyError when the record has no such ``variation``.
    """
    variation = record["variation"]
    interval = variation["location"]["interval"]
    return (
        int(interval["start"]["value"]),
        variation["referenceBases"],
        variation["alternateBases"],
    )


def node_frequencies(answer: Answer) -> dict[AlleleKey, dict[str, AlleleTally]]:
    """One node's allele counts by variant and population. Raises KeyError, TypeError, ValueError
    for records that are not as they should be."""
    found: dict[AlleleKey, dict[str, AlleleTally]] = {}
    for record in records(answer):
        if tallies := record_frequencies(record):
            found.setdefault(allele_key(record), {}).update(tallies)
    return found


def add_frequencies(
    answered: Sequence[Answer],
) -> tuple[dict[AlleleKey, dict[str, AlleleTally]], dict[str, str]]:
    """Allele counts of all nodes, added up where several report one population; and the nodes
    whose records cannot be used, with the reason."""
    joined: dict[AlleleKey, dict[str, AlleleTally]] = {}
    unusable: dict[str, str] = {}
    for answer in answered:
        try:
            found = node_frequencies(answer)
        except (KeyError, TypeError, ValueError) as error:
            unusable[answer.node] = f"records without usable counts: {error!r}"
            continue
        for allele, tallies in found.items():
            populations = joined.setdefault(allele, {})
            for population, tally in tallies.items():
                before = populations.get(population)
                populations[population] = tally if before is None else before + tally
    return joined, unusable


def group_totals(tallies: Mapping[str, AlleleTally]) -> dict[str, AlleleTally]:
    """Allele counts of the whole network by group: ``""`` everybody, ``_F`` women, ``_M`` men."""
    totals: dict[str, AlleleTally] = {}
    for population, tally in tallies.items():
        suffix = population[-2:] if population.endswith(("_F", "_M")) else ""
        before = totals.get(suffix)
        totals[suffix] = tally if before is None else before + tally
    return totals
