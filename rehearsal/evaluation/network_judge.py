"""Judges the network's aggregated answer exactly, against the truth of all countries together."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from operator import itemgetter
from typing import Any

from rehearsal.evaluation.exact_judge import allele_differences, error_faults, name_differences
from rehearsal.evaluation.judgement import (
    Judgement,
    Tallies,
    Verdict,
    answer_text,
    country_tallies,
    first_names,
)
from rehearsal.model import Answer, AnswerState, Query
from rehearsal.network.aggregate import NetworkAnswer, add_frequencies
from rehearsal.network.variant_records import AlleleKey, AlleleTally
from rehearsal.truth.expected_answers import ExpectedAnswer


@dataclass(frozen=True, slots=True)
class _ExpectedSums:
    """The right answer of several countries together; ``individuals`` by country."""

    exists: bool
    count: int
    tallies: Tallies
    individuals: Mapping[str, Sequence[str]]

    @classmethod
    def of(cls, expected: Mapping[str, ExpectedAnswer]) -> _ExpectedSums:
        tallies: dict[AlleleKey, dict[str, AlleleTally]] = {}
        for country, item in expected.items():
            for allele, populations in country_tallies(country, item).items():
                tallies.setdefault(allele, {}).update(populations)
        return cls(
            any(item.exists for item in expected.values()),
            sum(item.count for item in expected.values()),
            tallies,
            {country: item.individuals for country, item in expected.items()},
        )


def judge_network_answer(
    query: Query, expected: Mapping[str, ExpectedAnswer], aggregated: NetworkAnswer
) -> Judgement:
    """Judge the aggregated answer against the truth of the countries whose nodes answered.

    An answer without a node's part is not right, even if the rest is: its verdict is the state of
    that node.

    Args:
        query: The query.
        expected: Right answers by country.
        aggregated: The network's answer.
    """
    asked = {country: expected[country] for country in aggregated.states}
    if any(item.refused for item in asked.values()):
        return _judge_network_refusal(aggregated)
    missing = _nodes_not("answered", aggregated)
    true = _ExpectedSums.of({node: one for node, one in asked.items() if node not in missing})
    differences = list(_differences(query, true, aggregated))
    wanted, observed = _texts(query, true, aggregated)
    if missing:
        observed = f"{observed} ({_nodes_in_state('answered', missing, aggregated)})"
    if not missing or differences:
        return Judgement.by([*missing.values(), *differences], wanted, observed)
    state = network_state(aggregated)
    verdict: Verdict = "wrong" if state == "answered" else state
    return Judgement(verdict, wanted, observed, "; ".join(missing.values()))


def _texts(query: Query, true: _ExpectedSums, aggregated: NetworkAnswer) -> tuple[str, str]:
    """Describe the right and the aggregated answer in a few words."""
    counts = (true.count, aggregated.count) if query.granularity != "boolean" else (None, None)
    return (
        answer_text(true.exists, counts[0], true.tallies),
        answer_text(aggregated.exists, counts[1], aggregated.frequencies),
    )


def _judge_network_refusal(aggregated: NetworkAnswer) -> Judgement:
    """Judge the reply to an ill-formed query: all nodes and the network must refuse it.

    Where nodes did not answer and the rest is right, the verdict is their state.
    """
    missing, status = _nodes_not("refused", aggregated), aggregated.http_status
    asked = len(aggregated.states)
    wanted = f"{asked} of {asked} nodes refused, the network too (400)"
    observed = f"{_nodes_in_state('refused', missing, aggregated)}, the network said {status}"
    faults = (
        [f"the network: {fault}" for fault in error_faults(aggregated.error)]
        if status == 400
        else [f"the network said {status} instead of 400"]
    )
    states = {aggregated.states[node] for node in missing}
    if states and states <= {"late", "failed"} and not faults:
        verdict: Verdict = "late" if "late" in states else "failed"
        return Judgement(verdict, wanted, observed, "; ".join(missing.values()))
    return Judgement.by([*missing.values(), *faults], wanted, observed)


def _nodes_not(state: AnswerState, aggregated: NetworkAnswer) -> dict[str, str]:
    """Return the nodes in another state, each with its reason."""
    return {
        node: f"{found}: {node} {aggregated.reasons.get(node, '')}"
        for node, found in aggregated.states.items()
        if found != state
    }


def _nodes_in_state(
    state: AnswerState, others: Mapping[str, str], aggregated: NetworkAnswer
) -> str:
    asked = len(aggregated.states)
    return f"{asked - len(others)} of {asked} nodes {state}"


def _differences(query: Query, true: _ExpectedSums, aggregated: NetworkAnswer) -> Iterable[str]:
    if bool(aggregated.exists) != true.exists:
        yield f"exists {aggregated.exists} instead of {true.exists}"
    if query.granularity == "boolean":
        return
    if aggregated.uncounted:
        yield f"no count from {first_names(aggregated.uncounted)}"
    if aggregated.count != true.count:
        yield f"count {aggregated.count} instead of {true.count}"
    if query.granularity == "record":
        yield from _record_differences(query, true, aggregated)


def _record_differences(
    query: Query, true: _ExpectedSums, aggregated: NetworkAnswer
) -> Iterable[str]:
    """Yield differences of the records: each person appears once, on the page of their node."""
    if query.entry_type == "g_variants":
        yield from allele_differences(true.tallies, aggregated.frequencies)
    if query.entry_type == "individuals":
        for node in sorted({*true.individuals, *(node for node, _ in aggregated.records)}):
            names = [str(record.get("id")) for of, record in aggregated.records if of == node]
            wanted = true.individuals.get(node, ())
            faults = name_differences(query, wanted, len(wanted), names)
            yield from (f"{node}: {fault}" for fault in faults)


def without_records_of(nodes: Collection[str], aggregated: NetworkAnswer) -> NetworkAnswer:
    """Leave out the records and frequencies of some nodes, and that they gave no count.

    Args:
        nodes: The nodes.
        aggregated: The network's answer.
    """
    if not nodes:
        return aggregated
    kept = tuple((node, record) for node, record in aggregated.records if node not in nodes)
    answers = [
        Answer(aggregated.query, node, "answered", 200, _of_one_set(records), 0.0, 0)
        for node, records in groupby(kept, key=itemgetter(0))
    ]
    frequencies, _ = add_frequencies(answers)
    uncounted = tuple(node for node in aggregated.uncounted if node not in nodes)
    return replace(aggregated, records=kept, frequencies=frequencies, uncounted=uncounted)


def _of_one_set(records: Iterable[tuple[str, dict[str, Any]]]) -> dict[str, Any]:
    results = [record for _, record in records]
    return {"response": {"resultSets": [{"id": "", "results": results}]}}


def network_state(aggregated: NetworkAnswer) -> AnswerState:
    """Return one state for the aggregated answer: the worst of its nodes'.

    Args:
        aggregated: The network's answer.
    """
    states = set(aggregated.states.values())
    order: tuple[AnswerState, ...] = ("late", "failed", "refused", "answered")
    return next((state for state in order if state in states), "answered")
